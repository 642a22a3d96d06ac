// What a vertex does, as data with the user's functions inside: one kind per primitive operator.
import type { AsyncSpec } from './async-spec.ts'
import type {
  BroadcastDescriptors,
  BroadcastProcessFunction,
  KeyedBroadcastProcessFunction,
} from './broadcast-functions.ts'
import type { SinkSpec, SourceSpec } from './connector.ts'
import type {
  AggregateFunction,
  CoProcessFunction,
  KeyedCoProcessFunction,
  KeyedProcessFunction,
  ProcessFunction,
} from './functions.ts'
import type { MixedWindowSpec } from './mixed-window-spec.ts'
import type { PerRecordWindowSpec } from './per-record-window-spec.ts'
import type { WatermarkStrategy } from './watermark-strategy.ts'
import type { WindowSpec } from './window-spec.ts'

/** The shapes of a stateless function of one record; `changelog` turns the sign of a change into data. */
export type TransformShape = 'map' | 'filter' | 'flat-map' | 'changelog'

/** The primitive operators; all other operations are made of them. */
export type OperatorSpec =
  | {
      readonly kind: 'source'
      readonly source: SourceSpec
      /** Makes timestamps and watermarks in each split. */
      readonly strategy?: WatermarkStrategy<never>
    }
  | { readonly kind: 'sink'; readonly sink: SinkSpec }
  | { readonly kind: 'transform'; readonly shape: TransformShape; readonly function: (record: never) => unknown }
  | { readonly kind: 'process'; readonly function: ProcessFunction<never, unknown> }
  | {
      readonly kind: 'keyed-process'
      readonly function: KeyedProcessFunction<never, never, unknown, never>
      /** What a built-in function does, in words; `keyed-process` without it. */
      readonly description?: string
    }
  | { readonly kind: 'co-process'; readonly function: CoProcessFunction<never, never, unknown> }
  | {
      readonly kind: 'keyed-co-process'
      readonly function: KeyedCoProcessFunction<never, never, never, unknown, never>
      /** What a built-in function does, in words; `keyed-co-process` without it. */
      readonly description?: string
    }
  | {
      readonly kind: 'broadcast-process'
      readonly broadcast: BroadcastDescriptors
      readonly function: BroadcastProcessFunction<never, never, unknown, never>
    }
  | {
      readonly kind: 'keyed-broadcast-process'
      readonly broadcast: BroadcastDescriptors
      readonly function: KeyedBroadcastProcessFunction<never, never, never, unknown, never, never>
    }
  | { readonly kind: 'async'; readonly async: AsyncSpec }
  | { readonly kind: 'rolling'; readonly aggregate: AggregateFunction<never, unknown, unknown> }
  | { readonly kind: 'window'; readonly window: WindowSpec }
  | { readonly kind: 'mixed-window'; readonly window: MixedWindowSpec }
  | { readonly kind: 'per-record-window'; readonly window: PerRecordWindowSpec }
  | { readonly kind: 'timestamps'; readonly strategy: WatermarkStrategy<never> }
  | { readonly kind: 'feedback'; readonly queuedRecordsMax: number }

/** The kind of an operator. */
export type OperatorKind = OperatorSpec['kind']

/** True for operators that run per key: each of their inputs needs a key selector, but for a broadcast one. */
export function isKeyed(spec: OperatorSpec): boolean {
  return (
    spec.kind === 'keyed-process' ||
    spec.kind === 'keyed-co-process' ||
    spec.kind === 'keyed-broadcast-process' ||
    spec.kind === 'rolling' ||
    spec.kind === 'window' ||
    spec.kind === 'mixed-window' ||
    spec.kind === 'per-record-window'
  )
}

/** True for operators whose records have timestamps whatever those of their inputs have. */
export function givesTimestamps(spec: OperatorSpec): boolean {
  if (spec.kind === 'source') return spec.source.hasTimestamps || spec.strategy !== undefined
  return spec.kind === 'timestamps'
}

/** The strategy by which an operator makes watermarks; undefined for those that pass them on. */
export function strategyOf(spec: OperatorSpec): WatermarkStrategy<never> | undefined {
  return spec.kind === 'source' || spec.kind === 'timestamps' ? spec.strategy : undefined
}

/** True for operators whose state a checkpoint holds; their uid must not change between versions of a job. */
export function isStateful(spec: OperatorSpec): boolean {
  return (
    isKeyed(spec) ||
    spec.kind === 'broadcast-process' ||
    ((spec.kind === 'process' || spec.kind === 'co-process') && spec.function?.operatorState !== undefined) ||
    spec.kind === 'async' ||
    spec.kind === 'source' ||
    spec.kind === 'sink' ||
    spec.kind === 'timestamps' ||
    spec.kind === 'feedback'
  )
}

/** How many inputs (ordinals) an operator has. */
export function inputCount(spec: OperatorSpec): number {
  if (spec.kind === 'source') return 0
  if (spec.kind === 'window') return spec.window.inputs
  const isTwoInput =
    spec.kind === 'co-process' || spec.kind === 'keyed-co-process' || broadcastInput(spec) !== undefined
  return isTwoInput ? 2 : 1
}

/** The input (ordinal) of which every subtask must get every record; undefined where there is none. */
export function broadcastInput(spec: OperatorSpec): number | undefined {
  return spec.kind === 'broadcast-process' || spec.kind === 'keyed-broadcast-process' ? 1 : undefined
}

/** The inputs (ordinals) whose records must come by their key. */
export function keyedInputs(spec: OperatorSpec): readonly number[] {
  if (!isKeyed(spec)) return []
  return Array.from({ length: inputCount(spec) }, (_, input) => input).filter(input => input !== broadcastInput(spec))
}

/**
 * True for operators that always head a task of their own: one that waits for results can then be full without taking the room
 * of the steps behind it, which go on with watermarks and timers.
 */
export function isChainHead(spec: OperatorSpec): boolean {
  return spec.kind === 'async'
}
