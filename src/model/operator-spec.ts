// What a vertex does, as data with the user's functions inside: one kind per primitive operator.
import type { SinkSpec, SourceSpec } from './connector.ts'
import type {
  AggregateFunction,
  CoProcessFunction,
  KeyedCoProcessFunction,
  KeyedProcessFunction,
  ProcessFunction,
} from './functions.ts'
import type { WatermarkStrategy } from './watermark-strategy.ts'
import type { WindowSpec } from './window-spec.ts'

/** The three shapes of a stateless function of one record. */
export type TransformShape = 'map' | 'filter' | 'flat-map'

/** The primitive operators; all other operations are made of them. */
export type OperatorSpec =
  | { readonly kind: 'source'; readonly source: SourceSpec }
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
  | { readonly kind: 'rolling'; readonly aggregate: AggregateFunction<never, unknown, unknown> }
  | { readonly kind: 'window'; readonly window: WindowSpec }
  | { readonly kind: 'timestamps'; readonly strategy: WatermarkStrategy<never> }
  | { readonly kind: 'feedback'; readonly queuedRecordsMax: number }

/** The kind of an operator. */
export type OperatorKind = OperatorSpec['kind']

/** True for operators that run per key: each of their inputs needs a key selector. */
export function isKeyed(spec: OperatorSpec): boolean {
  return (
    spec.kind === 'keyed-process' ||
    spec.kind === 'keyed-co-process' ||
    spec.kind === 'rolling' ||
    spec.kind === 'window'
  )
}

/** True for operators whose state a checkpoint holds; their uid must not change between versions of a job. */
export function isStateful(spec: OperatorSpec): boolean {
  return (
    isKeyed(spec) ||
    spec.kind === 'source' ||
    spec.kind === 'sink' ||
    spec.kind === 'timestamps' ||
    spec.kind === 'feedback'
  )
}

/** How many inputs (ordinals) an operator has. */
export function inputCount(spec: OperatorSpec): number {
  if (spec.kind === 'source') return 0
  return spec.kind === 'co-process' || spec.kind === 'keyed-co-process' ? 2 : 1
}
