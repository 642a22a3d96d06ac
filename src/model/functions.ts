// The contracts of user functions: what the engine calls, and the contexts it hands in. Implementations live elsewhere.
import type { NoOperatorState, OperatorStateDescriptors, OperatorStateHandles } from './operator-state.ts'
import type { OutputTag } from './output-tag.ts'
import type { StateDescriptors, StateHandles } from './state.ts'

export type { AggregateFunction } from './aggregate-function.ts'

/** Takes the output records of a function. Records are never changed after they are collected. */
export interface Collector<T> {
  collect(record: T): void
}

/** The two kinds of time that windows and timers go by. */
export type TimeDomain = 'event-time' | 'processing-time'

/** Timers of the current key. A timer of a domain and time exists once per key, however often it is registered. */
export interface TimerService {
  /** The operator's watermark in epoch ms; -Infinity before the first one, Infinity at the end of input. */
  currentWatermark(): number
  /** Processing time in epoch ms. */
  currentProcessingTime(): number
  registerEventTimeTimer(timestampMs: number): void
  deleteEventTimeTimer(timestampMs: number): void
  registerProcessingTimeTimer(timestampMs: number): void
  deleteProcessingTimeTimer(timestampMs: number): void
}

/** Why a function gives up a record: its time has passed, or it is there already. */
export type DropReason = 'late' | 'duplicate'

/** What a function that sees one record at a time can reach beside the record. */
export interface RecordContext {
  /** The record's timestamp in epoch ms; undefined where the stream has none. */
  readonly timestamp: number | undefined
  /** True when the record takes back an equal one that came before; only functions that declare `acceptsRetractions` meet it. */
  readonly isRetraction: boolean
  readonly subtaskIndex: number
  readonly parallelism: number
  /** The operator's watermark in epoch ms; -Infinity before the first one. */
  currentWatermark(): number
  /** Processing time in epoch ms. */
  currentProcessingTime(): number
  /** Emits to a side output, with the timestamp of the current record or timer. */
  output<X>(tag: OutputTag<X>, record: NoInfer<X>): void
  /**
   * Gives up a record without losing sight of it: it goes to the side output of the tag if one is given and read, else it is counted in
   * the metrics of the step (`lateRecordsDropped`, `duplicatesDropped`).
   */
  drop<X>(reason: DropReason, record: NoInfer<X>, tag?: OutputTag<X>): void
}

/** The context of a function without key that declares state. */
export interface ProcessContext<P extends OperatorStateDescriptors = NoOperatorState> extends RecordContext {
  readonly operatorState: OperatorStateHandles<P>
}

/** The context of a keyed function: the current key, its state and its timers. */
export interface KeyedContext<K, S extends StateDescriptors, P extends OperatorStateDescriptors = NoOperatorState>
  extends ProcessContext<P> {
  readonly key: K
  readonly state: StateHandles<S>
  readonly timers: TimerService
  /**
   * Gives what is emitted from here to the end of the call another timestamp (epoch ms) than that of the record or timer. Where it may
   * be earlier than the watermark the function declares `watermarkDelayMs`: else what it emits is late for what follows. Throws
   * TIMESTAMP_MISSING where the current record has none itself, TIMESTAMP_INVALID for what is not a finite number.
   */
  setOutputTimestamp(timestampMs: number): void
}

/** The context of a timer that fires: as for a record, with the timer's time as timestamp. */
export interface TimerContext<K, S extends StateDescriptors, P extends OperatorStateDescriptors = NoOperatorState>
  extends KeyedContext<K, S, P> {
  readonly timestamp: number
  readonly timeDomain: TimeDomain
}

/** What `open` gets, once per subtask before the first record. */
export interface OpenContext {
  readonly subtaskIndex: number
  readonly parallelism: number
}

/** A function over single records without key. */
export interface ProcessFunction<T, O, P extends OperatorStateDescriptors = NoOperatorState> {
  /** True when it reads `ctx.isRetraction`; otherwise a stream with retractions is refused at plan time. */
  readonly acceptsRetractions?: boolean
  readonly operatorState?: P
  open?(context: OpenContext): void
  onRecord(record: T, ctx: ProcessContext<P>, out: Collector<O>): void
  close?(): void
}

/** A function over records of a keyed stream, with declared state and timers. */
export interface KeyedProcessFunction<
  K,
  T,
  O,
  S extends StateDescriptors = Record<never, never>,
  P extends OperatorStateDescriptors = NoOperatorState,
> {
  /** True when it reads `ctx.isRetraction`; otherwise a stream with retractions is refused at plan time. */
  readonly acceptsRetractions?: boolean
  readonly state?: S
  readonly operatorState?: P
  /**
   * How far (ms) the watermark of the output stays behind that of the input, for functions that emit later than the timestamps they
   * give (`setOutputTimestamp`); 0 unless declared.
   */
  readonly watermarkDelayMs?: number
  open?(context: OpenContext): void
  onRecord(record: T, ctx: KeyedContext<K, S, P>, out: Collector<O>): void
  onTimer?(timestampMs: number, ctx: TimerContext<K, S, P>, out: Collector<O>): void
  close?(): void
}

/** A function over two connected streams without key. */
export interface CoProcessFunction<A, B, O, P extends OperatorStateDescriptors = NoOperatorState> {
  /** True when it reads `ctx.isRetraction`; otherwise a stream with retractions is refused at plan time. */
  readonly acceptsRetractions?: boolean
  readonly operatorState?: P
  open?(context: OpenContext): void
  onFirst(record: A, ctx: ProcessContext<P>, out: Collector<O>): void
  onSecond(record: B, ctx: ProcessContext<P>, out: Collector<O>): void
  close?(): void
}

/** A function over two connected keyed streams that share state and timers per key. */
export interface KeyedCoProcessFunction<
  K,
  A,
  B,
  O,
  S extends StateDescriptors = Record<never, never>,
  P extends OperatorStateDescriptors = NoOperatorState,
> {
  /** True when it reads `ctx.isRetraction`; otherwise a stream with retractions is refused at plan time. */
  readonly acceptsRetractions?: boolean
  readonly state?: S
  readonly operatorState?: P
  /**
   * How far (ms) the watermark of the output stays behind that of the input, for functions that emit later than the timestamps they
   * give (`setOutputTimestamp`); 0 unless declared.
   */
  readonly watermarkDelayMs?: number
  open?(context: OpenContext): void
  onFirst(record: A, ctx: KeyedContext<K, S, P>, out: Collector<O>): void
  onSecond(record: B, ctx: KeyedContext<K, S, P>, out: Collector<O>): void
  onTimer?(timestampMs: number, ctx: TimerContext<K, S, P>, out: Collector<O>): void
  close?(): void
}

/** A change as data: a record that holds from now on, or (`isRetraction`) one that came before and holds no more. */
export interface Change<T> {
  readonly isRetraction: boolean
  readonly record: T
}

/** The window of a result: [start, end) in epoch ms; a global (count) window is unbounded on both sides. */
export interface TimeWindow {
  readonly start: number
  readonly end: number
}
