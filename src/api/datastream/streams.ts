// The DataStream API as its users see it: what can be called on a stream, and the types that follow from it. All of it is declarative:
// each call adds to the graph of the environment and nothing runs before execute(). The classes beside this file implement it.
import type { KeptValuesOptions } from '../../functions/distinct-values.ts'
import type { QuantilesOptions } from '../../functions/quantiles.ts'
import type { TopNOptions } from '../../functions/top-n.ts'
import type { AsyncContext } from '../../model/async-spec.ts'
import type {
  BroadcastDescriptors,
  BroadcastProcessFunction,
  KeyedBroadcastProcessFunction,
} from '../../model/broadcast-functions.ts'
import type { Sink, SinkDelivery } from '../../model/connector.ts'
import type {
  AggregateFunction,
  Change,
  Collector,
  CoProcessFunction,
  KeyedCoProcessFunction,
  KeyedProcessFunction,
  ProcessFunction,
  TimeWindow,
} from '../../model/functions.ts'
import type { IntervalJoinFunction, JoinType } from '../../model/join-functions.ts'
import type { MixedWindow } from '../../model/mixed-window-spec.ts'
import type { NoOperatorState, OperatorStateDescriptors } from '../../model/operator-state.ts'
import type { OutputTag } from '../../model/output-tag.ts'
import type { WindowedResult } from '../../model/per-record-window-spec.ts'
import type { StateDescriptors } from '../../model/state.ts'
import type { WatermarkStrategy } from '../../model/watermark-strategy.ts'
import type { LateRecord, WindowContext, WindowProcessFunction } from '../../model/window-functions.ts'
import type { Accumulation } from '../../model/window-spec.ts'
import type { AsyncOptions } from './async-calls.ts'
import type { FileDirectoryOptions } from './file-options.ts'
import type { DeduplicateOptions, TemporalJoinOptions, UnboundedStateOptions } from './join-options.ts'
import type { FieldOf, KeyOf, NumberFieldOf } from './key-selection.ts'
import type { MixedWindowOptions } from './mixed-window-options.ts'
import type { PerRecordWindowOptions } from './per-record-window-options.ts'
import type { PostgresSinkOptions } from './postgres-options.ts'
import type { WindowAssigner } from './window-assigners.ts'
import type { WindowEvictor } from './window-evictors.ts'
import type { CoGroupOptions, WindowJoinOptions } from './window-join-options.ts'
import type { WindowOptions } from './window-options.ts'
import type { WindowTrigger } from './window-triggers.ts'

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
  /**
   * `transactional` for a sink whose writers are TransactionalWriters: with checkpoints each record is then seen once, whatever fails;
   * `idempotent` where what is written again replaces itself; `at-least-once` unless said otherwise.
   */
  readonly delivery?: SinkDelivery
  /** True for a sink whose writers apply retractions (the third argument of `write`); others cannot read a stream that has them. */
  readonly acceptsRetractions?: boolean
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
  /**
   * One record for each record, by a function that may return a promise; many calls are under way at once. Timestamps stay, and no
   * watermark passes a record that came before it. What it throws fails the job (USER_FUNCTION_FAILED) once `retry` gave up, a record
   * that takes too long does (ASYNC_TIMEOUT) unless `onTimeout` gives a result. A stop and the end of input wait for what is under way.
   * @example
   * ```ts
   * import { environment } from 'millrace'
   * const env = environment()
   * const nameOf = async (id: number): Promise<string> => `user ${id}`
   * const names = env.fromElements(1, 2, 3).mapAsync(nameOf, { capacity: 10, timeoutMs: 5000, retry: { attempts: 3 } })
   * console.log(await names.executeAndCollect())
   * ```
   */
  mapAsync<O, P = never>(
    fn: (record: T, ctx: AsyncContext) => PromiseLike<O> | O,
    options?: AsyncOptions<T, O, P>,
  ): DataStream<O | P>
  /** As mapAsync, for any number of records: the elements of the array (or other iterable) that the promise gives. */
  flatMapAsync<O, P = never>(
    fn: (record: T, ctx: AsyncContext) => PromiseLike<Iterable<O>> | Iterable<O>,
    options?: AsyncOptions<T, Iterable<O>, Iterable<P>>,
  ): DataStream<O | P>
  /** The records of this and the other streams, in no particular order between them. */
  union<U = never>(...others: readonly DataStream<U>[]): DataStream<T | U>
  /** This stream beside one whose records every subtask gets, as state that this one's records read. */
  connect<U, B extends BroadcastDescriptors>(other: BroadcastStream<U, B>): BroadcastConnectedStreams<T, U, B>
  /** Two streams of different types as the two inputs of one step. */
  connect<U>(other: DataStream<U>): ConnectedStreams<T, U>
  /**
   * The records as broadcast state: every subtask of a step that connects to it gets each of them, and keeps the maps declared here.
   * Subtasks get the records of one sender in one order; for one order of all, let the step before have parallelism 1.
   */
  broadcastState<const B extends BroadcastDescriptors>(state: B): BroadcastStream<T, B>
  /** Any logic over single records, with side outputs; for state and timers call keyBy() before. */
  process<O, P extends OperatorStateDescriptors = NoOperatorState>(fn: ProcessFunction<T, O, P>): DataStream<O>
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
  /**
   * All records in windows that one subtask keeps, whatever their keys.
   * @example
   * ```ts
   * import { environment, globalWindows } from 'millrace'
   * const env = environment()
   * const total = env.fromElements(1, 2, 3).windowAll(globalWindows()).reduce((a, b) => a + b)
   * console.log(await total.executeAndCollect())
   * ```
   */
  windowAll<W extends TimeWindow = TimeWindow>(
    assigner: WindowAssigner<T, W>,
    options?: WindowOptions<T, W>,
  ): WindowedStream<T, null, W>
  /** Turns the signs of changes (of windows that retract) into data, for steps that cannot take a record back themselves. */
  changelog(): DataStream<Change<T>>
  /** What the step emitted to the tag with `ctx.output(tag, record)`, or its late records. */
  sideOutput<X>(tag: OutputTag<X>): DataStream<X>

  /** Prints each record on a line: texts as they are, other values as JSON. */
  print(prefix?: string): DataStreamSink
  /** Hands each record to a function (a promise holds the next record back), or to a sink of your own. */
  addSink(sink: ((record: T) => void | Promise<void>) | Sink<T>, options?: SinkOptions): DataStreamSink
  /** Writes each record on a line of a file, as print does. */
  writeToFile(path: string): DataStreamSink
  /** Writes files in a directory. With checkpoints, and sources that can go back, each record is in exactly one finished file, whatever fails. */
  writeToFiles(directory: string, options?: FileDirectoryOptions): DataStreamSink
  /** Writes rows of a PostgreSQL table, each seen once whatever fails, given checkpoints and sources that can go back. Needs the package `pg`. */
  writeToPostgres(options: PostgresSinkOptions<T>): DataStreamSink

  /**
   * Runs what is upstream of this stream and returns its records, or the first `limit` of them; then the job is cancelled.
   * Rejects with the failure of the job.
   */
  executeAndCollect(name?: string, limit?: number): Promise<T[]>
}

/**
 * Aggregations per key: on a keyed stream of the records so far, after each record; on a windowed stream of the records of each window.
 * For several at once, or for numbers in place of records, see `aggregate`.
 * @example
 * ```ts
 * import { avg, composite, environment, max } from 'millrace'
 * const env = environment()
 * const sales = env.fromElements({ city: 'Cork', euros: 5 }, { city: 'Cork', euros: 9 }).keyBy('city')
 * sales.count().print('count')
 * sales.topN(1, { by: 'euros' }).print('best')
 * sales.aggregate(composite({ mean: avg('euros'), most: max('euros') })).print('euros')
 * await env.execute()
 * ```
 */
export interface Aggregations<T> {
  /** The sum of a field; the other fields are those of the first record. */
  sum<F extends NumberFieldOf<T>>(field: F): DataStream<T>
  /** The least value of a field; the other fields are those of the first record. */
  min<F extends NumberFieldOf<T>>(field: F): DataStream<T>
  /** The greatest value of a field; the other fields are those of the first record. NaN is greater than every other number. */
  max<F extends NumberFieldOf<T>>(field: F): DataStream<T>
  /** The first record with the least value of a field. */
  minBy<F extends NumberFieldOf<T>>(field: F): DataStream<T>
  /** The first record with the greatest value of a field. */
  maxBy<F extends NumberFieldOf<T>>(field: F): DataStream<T>
  /** The number of records. */
  count(): DataStream<number>
  /** The mean of a field. */
  avg<F extends NumberFieldOf<T>>(field: F): DataStream<number>
  /** The first `n` records (1 to 10,000) by a field or function, the greatest first unless said otherwise; of equal ones the earlier first. */
  topN<O extends TopNOptions<T>>(n: number, options: O): DataStream<readonly T[]>
  /** The number of different values of a field, exactly; null and undefined are left out. AGGREGATE_OVERFLOW above `valuesMax`. */
  distinctCount<F extends FieldOf<T>>(field: F, options?: KeptValuesOptions): DataStream<number>
  /** For each fraction (0 to 1) the least value of a field that this share of the records does not exceed; 0.5 is the median. */
  quantiles<F extends NumberFieldOf<T>>(
    field: F,
    fractions: readonly number[],
    options?: QuantilesOptions,
  ): DataStream<readonly number[]>
  /** The records joined pairwise. The function returns a new record and changes neither of the two. */
  reduce(fn: (earlier: T, later: T) => T): DataStream<T>
  /** The result of an incremental aggregation: a function of yours, or a built-in one such as `sum`, `approximateDistinctCount` or `composite`. */
  aggregate<A, R>(fn: AggregateFunction<T, A, R>): DataStream<R>
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
export interface KeyedStream<T, K> extends DataStream<T>, Aggregations<T> {
  /** Any logic over the records of a key, with declared state, timers and side outputs. */
  process<O, S extends StateDescriptors = Record<never, never>, P extends OperatorStateDescriptors = NoOperatorState>(
    fn: KeyedProcessFunction<K, T, O, S, P>,
  ): DataStream<O>
  /** This stream beside one whose records every subtask gets, as state that this one's records and timers read. */
  connect<U, B extends BroadcastDescriptors>(other: BroadcastStream<U, B>): KeyedBroadcastConnectedStreams<K, T, U, B>
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
  /**
   * Windows by an assigner, with what else is to be said of them.
   * @example
   * ```ts
   * import { afterCount, afterWatermark, environment, forMonotonousTimestamps, seconds, sessionWindows } from 'millrace'
   * const env = environment()
   * env
   *   .fromElements({ user: 'ann', at: 0, clicks: 1 }, { user: 'ann', at: 4000, clicks: 2 }, { user: 'ann', at: 20_000, clicks: 1 })
   *   .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: click => click.at }))
   *   .keyBy('user')
   *   .window(sessionWindows(seconds(5)), { trigger: afterWatermark({ early: afterCount(10) }), accumulation: 'retracting' })
   *   .sum('clicks')
   *   .print()
   * await env.execute()
   * ```
   */
  window<W extends TimeWindow = TimeWindow>(
    assigner: WindowAssigner<T, W>,
    options?: WindowOptions<T, W>,
  ): WindowedStream<T, K, W>
  /**
   * Joins two keyed streams within windows: every pair of elements of a key and window, once when the window ends (its trigger may say else).
   * The elements are kept until the window closes; a pair whose window fires again is emitted again, so take accumulation into account.
   * @example
   * ```ts
   * import { environment, forMonotonousTimestamps, seconds, tumblingWindows } from 'millrace'
   * const env = environment()
   * const byTime = forMonotonousTimestamps<{ id: number; at: number }>({ timestamp: record => record.at })
   * const orders = env.fromElements({ id: 1, at: 1000 }, { id: 2, at: 2000 }).assignTimestampsAndWatermarks(byTime).keyBy('id')
   * const payments = env.fromElements({ id: 1, at: 1500 }).assignTimestampsAndWatermarks(byTime).keyBy('id')
   * const joined = orders.join(payments, {
   *   window: tumblingWindows(seconds(5)),
   *   type: 'left',
   *   join: (order, payment) => `order ${order.id}: ${payment === undefined ? 'not paid' : 'paid'}`,
   * })
   * console.log(await joined.executeAndCollect())
   * ```
   */
  join<U, O, W extends TimeWindow = TimeWindow, J extends JoinType = 'inner'>(
    other: KeyedStream<U, K>,
    options: WindowJoinOptions<K, T, U, O, W, J>,
  ): DataStream<O>
  /** Groups this and other keyed streams within windows: the function gets the elements of a key and window, a list for each stream. */
  coGroup<U extends readonly unknown[], O, W extends TimeWindow = TimeWindow>(
    others: { readonly [I in keyof U]: KeyedStream<U[I], K> },
    options: CoGroupOptions<K, [T, ...U], O, W>,
  ): DataStream<O>
  /** Storm's windows: length and slide each by time or by number of records. OPTION_INVALID for what is neither. */
  mixedWindow(options: MixedWindowOptions): MixedWindowedStream<T, K>
  /** Kafka Streams' sliding windows, which begin and end at records. OPTION_INVALID for times that are not whole or negative. */
  perRecordWindow(options: PerRecordWindowOptions): PerRecordWindowedStream<T, K>
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
export interface WindowedStream<T, K, W extends TimeWindow = TimeWindow> extends Aggregations<T> {
  /**
   * The records joined pairwise; with a second function, what that makes of the result, its key, window and pane. The first returns a new
   * record and changes neither of the two; it is associative.
   */
  reduce(fn: (earlier: T, later: T) => T): DataStream<T>
  reduce<O>(fn: (earlier: T, later: T) => T, project: (result: T, ctx: WindowContext<K, W>) => O): DataStream<O>
  /** The result of an incremental aggregation; with a second function, what that makes of the result, its key, window and pane. */
  aggregate<A, R>(fn: AggregateFunction<T, A, R>): DataStream<R>
  aggregate<A, R, O>(fn: AggregateFunction<T, A, R>, project: (result: R, ctx: WindowContext<K, W>) => O): DataStream<O>
  /**
   * Any logic over all elements of a window, with its pane, state per window and state per key. The elements are kept until the window closes.
   * @example
   * ```ts
   * import { type Collector, environment, forMonotonousTimestamps, seconds, value } from 'millrace'
   * const env = environment()
   * env
   *   .fromElements({ k: 'a', at: 1000 }, { k: 'a', at: 9000 })
   *   .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: record => record.at }))
   *   .keyBy('k')
   *   .timeWindow(seconds(5))
   *   .process({
   *     globalState: { windows: value(0) },
   *     onWindow(elements, ctx, out: Collector<string>) {
   *       const count = ctx.globalState.windows.get() + 1
   *       ctx.globalState.windows.set(count)
   *       out.collect(`window ${count} of ${ctx.key} begins at ${ctx.window.start} and has ${elements.length}`)
   *     },
   *   })
   *   .print()
   * await env.execute()
   * ```
   */
  process<O, S extends StateDescriptors = Record<never, never>, G extends StateDescriptors = Record<never, never>>(
    fn: WindowProcessFunction<K, T, O, W, S, G>,
  ): DataStream<O>
  /** Any logic over all records of a window at once; they are kept until the window closes. */
  apply<O>(fn: (key: K, window: W, elements: readonly T[], out: Collector<O>) => void): DataStream<O>
  /** Keeps windows for so many milliseconds after the watermark passed their end: late records fire them again. */
  allowedLateness(latenessMs: number): WindowedStream<T, K, W>
  /** Sends records that come too late for their window to a side output of the result, instead of dropping (and counting) them. */
  sideOutputLateData(tag: OutputTag<T>): WindowedStream<T, K, W>
  /** Sends records that come too late for their window, with that window and their lateness, to a side output of the result. */
  sideOutputLateDetails(tag: OutputTag<LateRecord<T, W>>): WindowedStream<T, K, W>
  /** Says when the window emits. */
  trigger(trigger: WindowTrigger<T>): WindowedStream<T, K, W>
  /** Says which elements leave the window before its function sees the others. */
  evictor(evictor: WindowEvictor<T>): WindowedStream<T, K, W>
  /** Says what a pane is to the one before it. */
  accumulation(mode: Accumulation): WindowedStream<T, K, W>
  /** Emits once, when the window closes: at its end plus the allowed lateness (Kafka's `suppress(untilWindowCloses)`). */
  emitOnClose(): WindowedStream<T, K, W>
  /** Sets any of the options of window(). */
  with(options: WindowOptions<T, W>): WindowedStream<T, K, W>
}

/**
 * A keyed stream cut into windows as Storm cuts them; each call below says what is computed of a window.
 *
 * With a slide by time, windows end at its multiples, the first at the multiple after the first record, and stretches without records are skipped;
 * with a slide by records, at every n-th record of the key. Windows of event time fire when the watermark reaches their end (plus `lagMs`);
 * records at or below the watermark are late. Windows of a number of records that slide by time repeat as long as time goes on.
 * @example
 * ```ts
 * import { environment, forMonotonousTimestamps, records, seconds } from 'millrace'
 * const env = environment()
 * env
 *   .fromElements({ user: 'ann', at: 1000 }, { user: 'ann', at: 4000 }, { user: 'ann', at: 12_000 })
 *   .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: record => record.at }))
 *   .keyBy('user')
 *   .mixedWindow({ length: records(2), slide: seconds(5) })
 *   .process<string>((key, window, out) => out.collect(`${key} until ${window.end}: ${window.elements.length}`))
 *   .print()
 * await env.execute()
 * ```
 */
export interface MixedWindowedStream<T, K> {
  /** Any logic over the records of a window, with those that are new in it and those that left. */
  process<O>(fn: (key: K, window: MixedWindow<T>, out: Collector<O>) => void): DataStream<O>
  /** The records joined pairwise. The function returns a new record and changes neither of the two. */
  reduce(fn: (earlier: T, later: T) => T): DataStream<T>
  /** The result of an aggregation over the records of a window. */
  aggregate<A, R>(fn: AggregateFunction<T, A, R>): DataStream<R>
  /** Sends late records to a side output of the result, instead of dropping (and counting) them. OPTION_INVALID in processing time. */
  sideOutputLateData(tag: OutputTag<T>): MixedWindowedStream<T, K>
}

/**
 * A keyed stream cut into windows as Kafka Streams' sliding windows are: one ends at each record, and one begins 1 ms after each record that later
 * ones follow within the time difference. Results say their key and window, and have the timestamp of the newest record in it.
 *
 * They go by stream time: the greatest timestamp that this subtask has seen so far, of any key. Watermarks count for nothing but the end of input. A record
 * is late when every window that could hold it has ended by more than the grace.
 * @example
 * ```ts
 * import { environment, forMonotonousTimestamps } from 'millrace'
 * const env = environment()
 * env
 *   .fromElements({ user: 'ann', at: 1000 }, { user: 'ann', at: 4000 }, { user: 'ann', at: 12_000 })
 *   .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: record => record.at }))
 *   .keyBy('user')
 *   .perRecordWindow({ timeDifferenceMs: 5000, emit: 'on-close' })
 *   .count()
 *   .map(({ key, window, value }) => `${key} [${window.start}, ${window.end}): ${value}`)
 *   .print()
 * await env.execute()
 * ```
 */
export interface PerRecordWindowedStream<T, K> {
  /** The number of records. */
  count(): DataStream<WindowedResult<K, number>>
  /** The sum of a field; the other fields are those of the first record that came. */
  sum<F extends NumberFieldOf<T>>(field: F): DataStream<WindowedResult<K, T>>
  /** The least value of a field; the other fields are those of the first record that came. */
  min<F extends NumberFieldOf<T>>(field: F): DataStream<WindowedResult<K, T>>
  /** The greatest value of a field; the other fields are those of the first record that came. */
  max<F extends NumberFieldOf<T>>(field: F): DataStream<WindowedResult<K, T>>
  /** The records joined pairwise, in the order in which they came. The function returns a new record and changes neither of the two. */
  reduce(fn: (earlier: T, later: T) => T): DataStream<WindowedResult<K, T>>
  /** The result of an incremental aggregation, which gets the records in the order in which they came. */
  aggregate<A, R>(fn: AggregateFunction<T, A, R>): DataStream<WindowedResult<K, R>>
  /** Sends late records to a side output of the result, instead of dropping (and counting) them. */
  sideOutputLateData(tag: OutputTag<T>): PerRecordWindowedStream<T, K>
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
  coProcess<O, P extends OperatorStateDescriptors = NoOperatorState>(fn: CoProcessFunction<A, B, O, P>): DataStream<O>
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
  coProcess<O, S extends StateDescriptors = Record<never, never>, P extends OperatorStateDescriptors = NoOperatorState>(
    fn: KeyedCoProcessFunction<K, A, B, O, S, P>,
  ): DataStream<O>
}

/** A stream whose records are to be broadcast state, as broadcastState() makes it; connect() takes it. */
export interface BroadcastStream<U, B extends BroadcastDescriptors> {
  readonly stream: DataStream<U>
  /** The maps that each subtask keeps, by name. */
  readonly state: B
}

/**
 * A stream beside a broadcast one.
 * @example
 * ```ts
 * import { type Collector, environment, map } from 'millrace'
 * const env = environment()
 * const rates = env.fromElements({ currency: 'USD', rate: 1.1 }).broadcastState({ rates: map<string, number>() })
 * env
 *   .fromElements({ euros: 10, currency: 'USD' })
 *   .connect(rates)
 *   .process({
 *     onBroadcast: (record, ctx) => ctx.broadcast.rates.set(record.currency, record.rate),
 *     onRecord(record, ctx, out: Collector<string>) {
 *       const rate = ctx.broadcast.rates.get(record.currency)
 *       out.collect(rate === undefined ? 'no rate yet' : `${record.euros * rate} ${record.currency}`)
 *     },
 *   })
 *   .print()
 * await env.execute()
 * ```
 */
export interface BroadcastConnectedStreams<T, U, B extends BroadcastDescriptors> {
  /** Any logic over the records of both; those of the broadcast stream change the state, the others read it. */
  process<O>(fn: BroadcastProcessFunction<T, U, O, B>): DataStream<O>
}

/**
 * A keyed stream beside a broadcast one.
 * @example
 * ```ts
 * import { type Collector, environment, map, value } from 'millrace'
 * const env = environment()
 * const limits = env.fromElements({ kind: 'card', limit: 2 }).broadcastState({ limits: map<string, number>() })
 * env
 *   .fromElements({ user: 'ann', kind: 'card' }, { user: 'ann', kind: 'card' })
 *   .keyBy('user')
 *   .connect(limits)
 *   .process({
 *     state: { count: value(0) },
 *     onBroadcast(record, ctx) {
 *       ctx.broadcast.limits.set(record.kind, record.limit)
 *       ctx.applyToKeyedState('count', (user, count) => count.clear())
 *     },
 *     onRecord(record, ctx, out: Collector<string>) {
 *       const count = ctx.state.count.get() + 1
 *       ctx.state.count.set(count)
 *       if (count > (ctx.broadcast.limits.get(record.kind) ?? Infinity)) out.collect(`${ctx.key} is over the limit`)
 *     },
 *   })
 *   .print()
 * await env.execute()
 * ```
 */
export interface KeyedBroadcastConnectedStreams<K, T, U, B extends BroadcastDescriptors> {
  /** As of a keyed function, with state and timers; records of the broadcast stream change the broadcast state, all else reads it. */
  process<O, S extends StateDescriptors = Record<never, never>>(
    fn: KeyedBroadcastProcessFunction<K, T, U, O, B, S>,
  ): DataStream<O>
}
