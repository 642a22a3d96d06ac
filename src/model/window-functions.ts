// The contracts of functions over windows: what they get, and what is known of the pane they compute.
import type { Collector, OpenContext, RecordContext, TimeWindow } from './functions.ts'
import type { StateDescriptors, StateHandles } from './state.ts'

/** Whether a pane left before the end of its window, at it, or after it. */
export type PaneTiming = 'early' | 'on-time' | 'late'

/** One firing of a window for one key. Merging windows begin to count anew whenever they grow (as in Beam). */
export interface Pane {
  readonly timing: PaneTiming
  /** Counts the panes of the window, from 0. */
  readonly index: number
  /** Counts the panes from the on-time one on, from 0; -1 for early ones. */
  readonly nonSpeculativeIndex: number
  readonly isFirst: boolean
  /** True when the window emits nothing after it. */
  readonly isLast: boolean
}

/** What is known of a result: its key, its window and its pane. */
export interface WindowContext<K, W extends TimeWindow = TimeWindow> extends RecordContext {
  readonly key: K
  readonly window: W
  readonly pane: Pane
}

/** What a function over all elements of a window can reach. */
export interface WindowProcessContext<
  K,
  T,
  W extends TimeWindow = TimeWindow,
  S extends StateDescriptors = Record<never, never>,
  G extends StateDescriptors = Record<never, never>,
> extends WindowContext<K, W> {
  /** The elements that came since the last pane, in the order of arrival. */
  readonly added: readonly T[]
  /** The elements that an evictor took out since the last pane. */
  readonly expired: readonly T[]
  /** State of this key and window; gone with the window. */
  readonly state: StateHandles<S>
  /** State of this key, shared by all its windows; kept for ever unless cleared. */
  readonly globalState: StateHandles<G>
}

/** A function over all elements of a window. */
export interface WindowProcessFunction<
  K,
  T,
  O,
  W extends TimeWindow = TimeWindow,
  S extends StateDescriptors = Record<never, never>,
  G extends StateDescriptors = Record<never, never>,
> {
  readonly state?: S
  readonly globalState?: G
  open?(context: OpenContext): void
  onWindow(elements: readonly T[], ctx: WindowProcessContext<K, T, W, S, G>, out: Collector<O>): void
  close?(): void
}

/** A record of a window with its timestamp, as evictors see it. */
export interface TimestampedElement<T> {
  readonly value: T
  readonly timestamp: number
}

/** What an evictor of your own can reach. */
export interface EvictorContext<W extends TimeWindow = TimeWindow> {
  readonly window: W
  currentWatermark(): number
  currentProcessingTime(): number
}

/** An evictor of your own: each method returns the elements that stay, in their order. */
export interface Evictor<T, W extends TimeWindow = TimeWindow> {
  readonly description?: string
  before?(elements: readonly TimestampedElement<T>[], ctx: EvictorContext<W>): readonly TimestampedElement<T>[]
  after?(elements: readonly TimestampedElement<T>[], ctx: EvictorContext<W>): readonly TimestampedElement<T>[]
}

/** A record that came too late for all its windows, with what is known of it. */
export interface LateRecord<T, W extends TimeWindow = TimeWindow> {
  readonly record: T
  /** Its event time in epoch ms. */
  readonly timestamp: number
  /** The newest of the windows it belongs to. */
  readonly window: W
  /** How far the watermark had passed the window's last moment, in ms. */
  readonly latenessMs: number
}
