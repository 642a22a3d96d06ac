// Windowing as data: assigner x trigger x accumulation x lateness x evictor x function. The window folder gives it behaviour.
import type { CalendarSpec } from './calendar-spec.ts'
import type { AggregateFunction, Collector, TimeDomain, TimeWindow } from './functions.ts'
import type { Key } from './key.ts'
import type { TriggerSpec } from './trigger-spec.ts'
import type { Evictor, WindowContext, WindowProcessFunction } from './window-functions.ts'

/**
 * The time that windows go by. `stream-time` (Kafka Streams): the greatest timestamp that this very step has seen, moved on before each
 * record; watermarks count for nothing but the end of input.
 */
export type WindowTimeDomain = TimeDomain | 'stream-time'

/** The windows of a record by a user's function, and how those of one key merge. */
export interface CustomAssigner {
  readonly description?: string
  assign(record: never, timestampMs: number): readonly TimeWindow[]
  /** Groups of windows to be joined; each group of two or more becomes the window given with it. Absent: windows do not merge. */
  merge?(
    windows: readonly TimeWindow[],
  ): readonly { readonly merged: readonly TimeWindow[]; readonly into: TimeWindow }[]
}

/** Which windows a record belongs to. */
export type AssignerSpec =
  | { readonly kind: 'tumbling'; readonly sizeMs: number; readonly offsetMs: number }
  | { readonly kind: 'sliding'; readonly sizeMs: number; readonly slideMs: number; readonly offsetMs: number }
  | SessionAssigner
  /** One window for ever; `restarts`: a window whose trigger finished makes room for the next (count windows). */
  | { readonly kind: 'global'; readonly restarts: boolean }
  | { readonly kind: 'calendar'; readonly calendar: CalendarSpec }
  | { readonly kind: 'custom'; readonly assigner: CustomAssigner }

/** Windows of records that are close to each other. */
export interface SessionAssigner {
  readonly kind: 'session'
  /** The gap, or the gap of each record; a record's window is [timestamp, timestamp + gap). */
  readonly gapMs: number | ((record: never) => number)
  /** Whether windows that only touch are one: Flink and Kafka join them, Beam does not. */
  readonly touching: 'merge' | 'separate'
  /** Where a session ends: `after-gap` (Flink, Beam, Spark), or at its `last-record` (Kafka Streams). */
  readonly end: 'after-gap' | 'last-record'
}

/** What a refinement is to the panes before it. */
export type Accumulation = 'discarding' | 'accumulating' | 'retracting'

/** The timestamp of results: the window's end - 1, or that of the earliest or latest record of the pane (which holds the watermark back). */
export type TimestampCombiner = 'end-of-window' | 'earliest' | 'latest'

/** Which elements leave a window before its function sees them (or after, where `after`). */
export type EvictorSpec =
  | { readonly kind: 'count'; readonly count: number; readonly after: boolean }
  | { readonly kind: 'time'; readonly keepMs: number; readonly after: boolean }
  | {
      readonly kind: 'delta'
      readonly threshold: number
      readonly delta: (element: never, newest: never) => number
      readonly after: boolean
    }
  | { readonly kind: 'custom'; readonly evictor: Evictor<never, never> }

/** A function of the records of each input of a window that joins several. */
export type CoGroupFunction = (
  groups: readonly (readonly never[])[],
  ctx: WindowContext<Key>,
  out: Collector<unknown>,
) => void

/** What is computed: incrementally, or over all elements of the window at once. */
export type WindowFunctionSpec =
  | {
      readonly kind: 'aggregate'
      readonly aggregate: AggregateFunction<never, unknown, unknown>
      /** Makes the record that is emitted of the result; without it the result itself is. */
      readonly project?: (result: never, ctx: WindowContext<never>) => unknown
    }
  | {
      readonly kind: 'process'
      readonly function: WindowProcessFunction<never, never, unknown, TimeWindow, never, never>
    }
  | { readonly kind: 'co-group'; readonly coGroup: CoGroupFunction }

/** Everything the window operator needs to know. */
export interface WindowSpec {
  readonly timeDomain: WindowTimeDomain
  readonly assigner: AssignerSpec
  readonly trigger: TriggerSpec
  readonly accumulation: Accumulation
  readonly evictor?: EvictorSpec
  readonly allowedLatenessMs: number
  /** Whether the pane at the end of a window leaves when nothing came since the last one. */
  readonly onTimePane: 'always' | 'if-not-empty'
  /** Whether a last pane leaves when the window is let go of: always, if records are left, or never (they are counted). */
  readonly finalPane: 'always' | 'if-not-empty' | 'never'
  readonly timestampCombiner: TimestampCombiner
  /** What a record too late for all its windows is: counted as dropped, or the failure of the job. A side output goes first. */
  readonly lateRecords: 'drop' | 'fail'
  /** The id of the side output that takes late records as they are. */
  readonly lateOutputTag?: string
  /** The id of the side output that takes late records with window and lateness. */
  readonly lateDetailsTag?: string
  /** Whether overlapping windows keep one accumulator for what they share, where that is possible. */
  readonly slices: 'shared' | 'separate'
  /** What merging windows do about results of windows that are no more: nothing, or take them back (Kafka's tombstones). */
  readonly mergedPanes: 'stay' | 'retract'
  /** The number of inputs; more than 1 for joins and co-groups. */
  readonly inputs: number
  readonly function: WindowFunctionSpec
}

/** The settings of a windowing without assigner and function, as a plain window has them. */
export const WINDOW_DEFAULTS = Object.freeze({
  trigger: Object.freeze({ kind: 'on-window-end' }),
  accumulation: 'accumulating',
  allowedLatenessMs: 0,
  onTimePane: 'always',
  finalPane: 'if-not-empty',
  timestampCombiner: 'end-of-window',
  lateRecords: 'drop',
  slices: 'shared',
  mergedPanes: 'stay',
  inputs: 1,
} as const)

/** True when windows of one key may be joined as records come. */
export function isMerging(assigner: AssignerSpec): boolean {
  return assigner.kind === 'session' || (assigner.kind === 'custom' && assigner.assigner.merge !== undefined)
}

/** True when results of the windowing may be taken back later. */
export function emitsRetractions(spec: WindowSpec): boolean {
  return spec.accumulation === 'retracting' || (spec.mergedPanes === 'retract' && isMerging(spec.assigner))
}
