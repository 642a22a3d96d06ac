// The DataStream API as its users see it: what can be called on a stream, and the types that follow from it. All of it is declarative:
// each call adds to the graph of the environment and nothing runs before execute(). The classes beside this file implement it.
import type { Sink } from '../../model/connector.ts'
import type {
  AggregateFunction,
  Collector,
  CoProcessFunction,
  KeyedCoProcessFunction,
  KeyedProcessFunction,
  ProcessFunction,
  TimeWindow,
} from '../../model/functions.ts'
import type { IntervalJoinFunction } from '../../model/join-functions.ts'
import type { OutputTag } from '../../model/output-tag.ts'
import type { StateDescriptors } from '../../model/state.ts'
import type { WatermarkStrategy } from '../../model/watermark-strategy.ts'
import type { DeduplicateOptions, TemporalJoinOptions, UnboundedStateOptions } from './join-options.ts'
import type { FieldOf, KeyOf, NumberFieldOf } from './key-selection.ts'

/** Settings of the step that was added last. Each throws OPTION_INVALID where there is no such single step, as after union(). */
export interface StepSettings {
  /** Names the step in plans, metrics and messages. */
  name(name: string): this
  /** Gives the step's state an identity that survives changes of the job. Unique within the job. */
  uid(uid: string): this
  /** Sets the number of subtasks of the step, from 1. */
  setParallelism(parallelism: number): this
  /** Sets the number of key groups of the step's state, from 1 to 32768. It may not change during the life of the state. */
  setMaxParallelism(maxParallelism: number): this
  /** Runs the step in a task of its own. */
  disableChaining(): this
}

/** The end of a stream, as print, addSink and writeToFile return it: only its settings are left to say. */
export type DataStreamSink = StepSettings

/** How a sink is to be run. */
export interface SinkOptions {
  /** In words, for plans and errors. */
  readonly description?: string
  /** The largest parallelism that the sink can run with; any unless said otherwise. */
  readonly parallelismMax?: number
  /** `main-thread` for a sink that cannot run elsewhere; functions always run there. */
  readonly placement?: 'any' | 'main-thread'
}

/** What the body of an iteration returns: the stream that goes round again, and the one that leaves the loop. */
export interface Iteration<T, O> {
  readonly feedback: DataStream<T>
  readonly output: DataStream<O>
}

/** Limits of an iteration. */
export interface IterationOptions {
  /** Records that may wait at the head of the loop; more are FEEDBACK_OVERFLOW. 1,000,000 unless said otherwise. */
  readonly queuedRecordsMax?: number
}

/**
 * A stream of records of one type. Iterating it runs what is upstream of it and nothing else; leaving the loop cancels that job.
 * @example
 * ```ts
 * import { environment } from 'millrace'
 * const env = environment()
 * const words = env.fromElements('to be', 'or not').flatMap(line => line.split(' '))
 * for await (const word of words.filter(word => word !== 'or')) console.log(word)
 * ```
 */
export interface DataStream<T> extends StepSettings, AsyncIterable<T> {
  /** One record for each record. */
  map<O>(fn: (record: T) => O): DataStream<O>
  /** Any number of records for each record: the elements of the array (or other iterable) returned. */
  flatMap<O>(fn: (record: T) => Iterable<O>): DataStream<O>
  /** The records for which the predicate is true. */
  filter<S extends T>(predicate: (record: T) => record is S): DataStream<S>
  filter(predicate: (record: T) => boolean): DataStream<T>
  /** The records of this and the other streams, in no particular order between them. */
  union<U = never>(...others: readonly DataStream<U>[]): DataStream<T | U>
  /** Two streams of different types as the two inputs of one step. */
  connect<U>(other: DataStream<U>): ConnectedStreams<T, U>
  /** Any logic over single records, with side outputs; for state and timers call keyBy() before. */
  process<O>(fn: ProcessFunction<T, O>): DataStream<O>
  /**
   * Groups records by key: a list of fields (the key is a tuple), a function, or one field. Keys compare by value.
   * @example
   * ```ts
   * import { environment } from 'millrace'
   * const env = environment()
   * const sales = env.fromElements({ city: 'Cork', day: 1, euros: 5 }, { city: 'Cork', day: 1, euros: 7 })
   * sales.keyBy(['city', 'day']).sum('euros').print()
   * await env.execute()
   * ```
   */
  keyBy<const F extends readonly (keyof T & string)[]>(fields: F): KeyedStream<T, KeyOf<T, F>>
  keyBy<K>(selector: (record: T) => K): KeyedStream<T, K>
  // The field comes last: of the overloads, the compiler explains the last one to whoever misspells a field.
  keyBy<F extends keyof T & string>(field: F): KeyedStream<T, T[F]>
  /**
   * A loop: `feedback` comes back to the head beside the records of this stream, `output` leaves.
   * @example
   * ```ts
   * import { environment } from 'millrace'
   * const env = environment()
   * const halved = env.fromElements(40, 3).iterate(loop => {
   *   const halves = loop.map(n => n / 2)
   *   return { feedback: halves.filter(n => n > 1), output: halves.filter(n => n <= 1) }
   * })
   * console.log(await halved.executeAndCollect())
   * ```
   */
  iterate<O>(body: (loop: DataStream<T>) => Iteration<T, O>, options?: IterationOptions): DataStream<O>

  /** Subtask i sends to subtask i of the next step, which must have the same parallelism. */
  forward(): DataStream<T>
  /** In turn over all subtasks of the next step. */
  rebalance(): DataStream<T>
  /** In turn over a share of the next step's subtasks. */
  rescale(): DataStream<T>
  /** At random. */
  shuffle(): DataStream<T>
  /** Every record to every subtask of the next step. */
  broadcast(): DataStream<T>
  /** Every record to the first subtask of the next step. */
  global(): DataStream<T>
  /** As forward where the next step has the same parallelism, else at random. */
  localOrShuffle(): DataStream<T>
  /** To the less loaded of two subtasks that the key chooses; for keys of very uneven frequency. */
  partialKey<const S extends (keyof T & string) | readonly (keyof T & string)[] | ((record: T) => unknown)>(
    selector: S,
  ): DataStream<T>
  /** To the subtask whose index (from 0) the function returns. */
  direct(target: (record: T) => number): DataStream<T>
  /** To the subtask whose index the partitioner returns for the record's key and the number of subtasks. */
  partitionCustom<F extends FieldOf<T>>(
    partitioner: (key: T[F], subtaskCount: number) => number,
    selector: F,
  ): DataStream<T>
  partitionCustom<K>(partitioner: (key: K, subtaskCount: number) => number, selector: (record: T) => K): DataStream<T>

  /** Gives records their event time, and makes watermarks; windows behind it go by event time. */
  assignTimestampsAndWatermarks(strategy: WatermarkStrategy<T>): DataStream<T>
  /** What the step emitted to the tag with `ctx.output(tag, record)`, or its late records. */
  sideOutput<X>(tag: OutputTag<X>): DataStream<X>

  /** Prints each record on a line: texts as they are, other values as JSON. */
  print(prefix?: string): DataStreamSink
  /** Hands each record to a function (a promise holds the next record back), or to a sink of your own. */
  addSink(sink: ((record: T) => void | Promise<void>) | Sink<T>, options?: SinkOptions): DataStreamSink
  /** Writes each record on a line of a file, as print does. */
  writeToFile(path: string): DataStreamSink

  /**
   * Runs what is upstream of this stream and returns its records, or the first `limit` of them; then the job is cancelled.
   * Rejects with the failure of the job.
   */
  executeAndCollect(name?: string, limit?: number): Promise<T[]>
}

/**
 * A stream grouped by key: aggregations, windows, state and timers work per key.
 * @example
 * ```ts
 * import { environment, type Collector, value } from 'millrace'
 * const env = environment()
 * env
 *   .fromElements({ user: 'ann', amount: 5 }, { user: 'ann', amount: 900 })
 *   .keyBy('user')
 *   .process({
 *     state: { total: value(0) },
 *     onRecord(record, ctx, out: Collector<string>) {
 *       const total = ctx.state.total.get() + record.amount
 *       ctx.state.total.set(total)
 *       if (total > 500) out.collect(`${ctx.key} spent ${total}`)
 *     },
 *   })
 *   .print()
 * await env.execute()
 * ```
 */
export interface KeyedStream<T, K> extends DataStream<T> {
  /** The sum of a field so far, after each record; the other fields are those of the key's first record. */
  sum<F extends NumberFieldOf<T>>(field: F): DataStream<T>
  /** The least value of a field so far, after each record; the other fields are those of the key's first record. */
  min<F extends NumberFieldOf<T>>(field: F): DataStream<T>
  /** The greatest value of a field so far, after each record; the other fields are those of the key's first record. */
  max<F extends NumberFieldOf<T>>(field: F): DataStream<T>
  /** The first record with the least value of a field so far, after each record. */
  minBy<F extends NumberFieldOf<T>>(field: F): DataStream<T>
  /** The first record with the greatest value of a field so far, after each record. */
  maxBy<F extends NumberFieldOf<T>>(field: F): DataStream<T>
  /** The records so far joined pairwise, after each record. The function returns a new record and changes neither of the two. */
  reduce(fn: (earlier: T, later: T) => T): DataStream<T>
  /** The result of an incremental aggregation so far, after each record. */
  aggregate<A, R>(fn: AggregateFunction<T, A, R>): DataStream<R>
  /** Any logic over the records of a key, with declared state, timers and side outputs. */
  process<O, S extends StateDescriptors = Record<never, never>>(fn: KeyedProcessFunction<K, T, O, S>): DataStream<O>
  /** Two keyed streams as the inputs of one step that shares state and timers per key. */
  connect<U>(other: KeyedStream<U, K>): KeyedConnectedStreams<K, T, U>
  connect<U>(other: DataStream<U>): ConnectedStreams<T, U>
  /**
   * Windows of `sizeMs` milliseconds, one after the other, or one every `slideMs`. They go by event time if a step upstream
   * gives timestamps (a watermark strategy, or the source), else by processing time.
   */
  timeWindow(sizeMs: number, slideMs?: number): WindowedStream<T, K>
  /** Windows of `size` records of one key; with a slide: the newest `size` records, every `slide` records. */
  countWindow(size: number, slide?: number): WindowedStream<T, K>
  /** Pairs the records of two streams whose times lie within bounds of each other; `between` says which. */
  intervalJoin<U>(other: KeyedStream<U, K>): IntervalJoin<T, U>
  /**
   * Joins each record with the version of a table that was valid at its time. The table is a stream whose records of a key are the versions of
   * a row. By event time a record waits until the watermark has reached its time; results come in that order. Throws OPTION_INVALID,
   * TIMESTAMP_MISSING where no step before gives timestamps, STATE_UNBOUNDED for a table without end whose versions nothing lets go of.
   * @example
   * ```ts
   * import { environment, forMonotonousTimestamps } from 'millrace'
   * const env = environment()
   * const rates = env
   *   .fromElements({ currency: 'EUR', rate: 1.1, at: 0 }, { currency: 'EUR', rate: 1.2, at: 500 })
   *   .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: rate => rate.at }))
   * const orders = env
   *   .fromElements({ currency: 'EUR', amount: 10, at: 400 }, { currency: 'EUR', amount: 10, at: 600 })
   *   .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: order => order.at }))
   * const priced = orders.keyBy('currency').temporalJoin(rates.keyBy('currency'), {
   *   join: (order, rate) => order.amount * rate.rate,
   * })
   * console.log(await priced.executeAndCollect()) // [ 11, 12 ]
   * ```
   */
  temporalJoin<U, O>(table: KeyedStream<U, K>, options: TemporalJoinOptions<T, U, O>): DataStream<O>
  /**
   * Of records of one key that lie close together in time, lets one through; the others are duplicates. What is kept of a key goes when
   * no duplicate can come any more. Throws OPTION_INVALID, TIMESTAMP_MISSING where no step before gives timestamps, STATE_UNBOUNDED without `withinMs`.
   * @example
   * ```ts
   * import { environment, forMonotonousTimestamps, minutes } from 'millrace'
   * const env = environment()
   * const payments = env
   *   .fromElements({ id: 'a', at: 1000 }, { id: 'b', at: 2000 }, { id: 'a', at: 3000 })
   *   .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: payment => payment.at }))
   * const once = payments.keyBy('id').deduplicate({ withinMs: minutes(10) })
   * console.log((await once.executeAndCollect()).map(({ id }) => id)) // [ 'a', 'b' ]
   * ```
   */
  deduplicate(options: DeduplicateOptions<T>): DataStream<T>
}

/**
 * Two keyed streams that are to be joined by time; `between` says which records pair.
 * @example
 * ```ts
 * import { environment, forMonotonousTimestamps, seconds } from 'millrace'
 * const env = environment()
 * const shown = env
 *   .fromElements({ ad: 1, at: 1000 }, { ad: 2, at: 2000 })
 *   .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: impression => impression.at }))
 * const clicked = env
 *   .fromElements({ ad: 1, at: 3000, user: 'ann' })
 *   .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: click => click.at }))
 * const pairs = shown
 *   .keyBy('ad')
 *   .intervalJoin(clicked.keyBy('ad'))
 *   .between(0, seconds(10))
 *   .map((impression, click) => `${click.user} clicked ${impression.ad}`)
 * console.log(await pairs.executeAndCollect())
 * ```
 */
export interface IntervalJoin<A, B> {
  /** Goes by the timestamps of the records; the default. */
  inEventTime(): IntervalJoin<A, B>
  /** Goes by the time at which records arrive. */
  inProcessingTime(): IntervalJoin<A, B>
  /**
   * Pairs a left record with each right one from `lowerMs` to `upperMs` milliseconds after it, both included; negative: before it. Throws
   * OPTION_INVALID unless lowerMs <= upperMs, STATE_UNBOUNDED for an infinite bound that `allowUnboundedState` does not allow.
   */
  between(lowerMs: number, upperMs: number, options?: UnboundedStateOptions): IntervalJoined<A, B>
}

/**
 * An interval join with its bounds. A record is kept as long as a partner may come. `ML` and `MR` are undefined where a pair may lack its
 * left or right side, else never.
 */
export interface IntervalJoined<A, B, ML = never, MR = never> {
  /** A right record exactly at the lower bound does not match. */
  lowerBoundExclusive(): IntervalJoined<A, B, ML, MR>
  /** A right record exactly at the upper bound does not match. */
  upperBoundExclusive(): IntervalJoined<A, B, ML, MR>
  /** Goes by the timestamps of the records; the default. */
  inEventTime(): IntervalJoined<A, B, ML, MR>
  /** Goes by the time at which records arrive. */
  inProcessingTime(): IntervalJoined<A, B, ML, MR>
  /** Sends left records whose time the watermark had passed to a side output, instead of counting them. Event time only. */
  sideOutputLeftLateData(tag: OutputTag<A>): IntervalJoined<A, B, ML, MR>
  /** As `sideOutputLeftLateData`, for right records. */
  sideOutputRightLateData(tag: OutputTag<B>): IntervalJoined<A, B, ML, MR>
  /**
   * Which side's records come out, with undefined beside them, when their interval has closed without a partner. By event time the
   * watermark behind an outer join stays back by the length of that interval.
   */
  joinType(type: 'inner'): IntervalJoined<A, B>
  joinType(type: 'left'): IntervalJoined<A, B, never, undefined>
  joinType(type: 'right'): IntervalJoined<A, B, undefined, never>
  joinType(type: 'full'): IntervalJoined<A, B, undefined, undefined>
  /** One record for each pair, with the later timestamp of the two. */
  map<O>(fn: (left: A | ML, right: B | MR) => O): DataStream<O>
  /** Any logic over the pairs. Throws TIMESTAMP_MISSING where no step before gives timestamps. */
  process<O>(fn: IntervalJoinFunction<A, B, O, ML, MR>): DataStream<O>
}

/**
 * A keyed stream cut into windows; each call below says what is computed of a window, and gives a stream of the results.
 * @example
 * ```ts
 * import { environment, forMonotonousTimestamps, seconds } from 'millrace'
 * const env = environment()
 * env
 *   .fromElements({ word: 'be', at: 1000, frequency: 1 }, { word: 'be', at: 1500, frequency: 1 })
 *   .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: record => record.at }))
 *   .keyBy('word')
 *   .timeWindow(seconds(5))
 *   .sum('frequency')
 *   .print()
 * await env.execute()
 * ```
 */
export interface WindowedStream<T, K> {
  /** The sum of a field; the other fields are those of the window's first record. */
  sum<F extends NumberFieldOf<T>>(field: F): DataStream<T>
  /** The least value of a field; the other fields are those of the window's first record. */
  min<F extends NumberFieldOf<T>>(field: F): DataStream<T>
  /** The greatest value of a field; the other fields are those of the window's first record. */
  max<F extends NumberFieldOf<T>>(field: F): DataStream<T>
  /** The first record with the least value of a field. */
  minBy<F extends NumberFieldOf<T>>(field: F): DataStream<T>
  /** The first record with the greatest value of a field. */
  maxBy<F extends NumberFieldOf<T>>(field: F): DataStream<T>
  /** The records joined pairwise. The function returns a new record and changes neither of the two. */
  reduce(fn: (earlier: T, later: T) => T): DataStream<T>
  /** The result of an incremental aggregation. */
  aggregate<A, R>(fn: AggregateFunction<T, A, R>): DataStream<R>
  /** Any logic over all records of a window at once; they are kept until the window closes. */
  apply<O>(fn: (key: K, window: TimeWindow, elements: readonly T[], out: Collector<O>) => void): DataStream<O>
  /** Keeps windows for so many milliseconds after the watermark passed their end: late records fire them again. */
  allowedLateness(latenessMs: number): WindowedStream<T, K>
  /** Sends records that come too late for their window to a side output of the result, instead of dropping (and counting) them. */
  sideOutputLateData(tag: OutputTag<T>): WindowedStream<T, K>
}

/**
 * Two streams as the inputs of one step.
 * @example
 * ```ts
 * import { environment } from 'millrace'
 * const env = environment()
 * const orders = env.fromElements({ id: 1, euros: 5 })
 * const notes = env.fromElements('closed on Monday')
 * orders.connect(notes).coMap(order => `order ${order.id}`, note => `note: ${note}`).print()
 * await env.execute()
 * ```
 */
export interface ConnectedStreams<A, B> {
  /** One record for each record, by one function for each input. */
  coMap<P, Q>(first: (record: A) => P, second: (record: B) => Q): DataStream<P | Q>
  /** Any number of records for each record, by one function for each input. */
  coFlatMap<P, Q>(first: (record: A) => Iterable<P>, second: (record: B) => Iterable<Q>): DataStream<P | Q>
  /** Any logic over single records of both inputs; for shared state connect two keyed streams. */
  coProcess<O>(fn: CoProcessFunction<A, B, O>): DataStream<O>
}

/**
 * Two streams keyed alike as the inputs of one step, which sees the records of both by key.
 * @example
 * ```ts
 * import { type Collector, environment, value } from 'millrace'
 * const env = environment()
 * const limits = env.fromElements({ user: 'ann', limit: 100 }).keyBy('user')
 * const payments = env.fromElements({ user: 'ann', euros: 500 }).keyBy('user')
 * limits
 *   .connect(payments)
 *   .coProcess({
 *     state: { limit: value(0) },
 *     onFirst(record, ctx) {
 *       ctx.state.limit.set(record.limit)
 *     },
 *     onSecond(record, ctx, out: Collector<string>) {
 *       if (record.euros > ctx.state.limit.get()) out.collect(`${ctx.key} pays ${record.euros}`)
 *     },
 *   })
 *   .print()
 * await env.execute()
 * ```
 */
export interface KeyedConnectedStreams<K, A, B> {
  /** One record for each record, by one function for each input. */
  coMap<P, Q>(first: (record: A) => P, second: (record: B) => Q): DataStream<P | Q>
  /** Any number of records for each record, by one function for each input. */
  coFlatMap<P, Q>(first: (record: A) => Iterable<P>, second: (record: B) => Iterable<Q>): DataStream<P | Q>
  /** Any logic over the records of a key from both inputs, with declared state and timers that both share. */
  coProcess<O, S extends StateDescriptors = Record<never, never>>(
    fn: KeyedCoProcessFunction<K, A, B, O, S>,
  ): DataStream<O>
}
