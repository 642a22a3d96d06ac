// Windowing as data: assigner x trigger x evictor x allowed lateness x function. The window folder gives it behaviour.
import type { AggregateFunction, Collector, TimeDomain, TimeWindow } from './functions.ts'
import type { Key } from './key.ts'

/** Which windows a record belongs to. */
export type AssignerSpec =
  | { readonly kind: 'tumbling'; readonly sizeMs: number; readonly offsetMs: number }
  | { readonly kind: 'sliding'; readonly sizeMs: number; readonly slideMs: number; readonly offsetMs: number }
  | { readonly kind: 'global' }

/** When a window emits. `on-window-end` follows the window's time domain. */
export type TriggerSpec =
  | { readonly kind: 'on-window-end' }
  | { readonly kind: 'count'; readonly count: number; readonly isPurging: boolean }

/** Which elements leave a window before its function sees them: all but the newest `count`. */
export type EvictorSpec = { readonly kind: 'count'; readonly count: number }

/** What is computed: incrementally, or over all elements of the window at once. */
export type WindowFunctionSpec =
  | { readonly kind: 'aggregate'; readonly aggregate: AggregateFunction<never, unknown, unknown> }
  | {
      readonly kind: 'apply'
      readonly apply: (key: Key, window: TimeWindow, elements: readonly never[], out: Collector<unknown>) => void
    }

/** Everything the window operator needs to know. */
export interface WindowSpec {
  readonly timeDomain: TimeDomain
  readonly assigner: AssignerSpec
  readonly trigger: TriggerSpec
  readonly evictor?: EvictorSpec
  readonly allowedLatenessMs: number
  /** The id of the side output that takes late records; without it they are counted as dropped. */
  readonly lateOutputTag?: string
  readonly function: WindowFunctionSpec
}
