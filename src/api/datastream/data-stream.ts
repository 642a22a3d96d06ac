// The implementation of DataStream: each call checks its arguments, adds to the graph, and returns a new stream.
import { preview } from '../../base/errors.ts'
import type { AsyncContext } from '../../model/async-spec.ts'
import type { BroadcastDescriptors } from '../../model/broadcast-functions.ts'
import type { Sink, SinkDelivery, SinkSpec } from '../../model/connector.ts'
import type { Change, ProcessFunction, TimeWindow } from '../../model/functions.ts'
import { functionSelector } from '../../model/key.ts'
import type { TransformShape } from '../../model/operator-spec.ts'
import type { OperatorStateDescriptors } from '../../model/operator-state.ts'
import type { OutputTag } from '../../model/output-tag.ts'
import type { Partitioning } from '../../model/partitioning.ts'
import type { WatermarkStrategy } from '../../model/watermark-strategy.ts'
import {
  optionInvalid,
  requireFunction,
  requireMethods,
  requireStrategy,
  requireText,
  requireWhole,
} from './arguments.ts'
import { type AsyncOptions, asyncSpec } from './async-calls.ts'
import { BroadcastStreamNode } from './broadcast-streams.ts'
import { iterateRecords } from './collect.ts'
import { type FileDirectoryOptions, fileDirectorySpec } from './file-options.ts'
import {
  addStep,
  connect,
  type Flow,
  outputOf,
  partitioned,
  requireSameJob,
  type StepInit,
  stepOf,
} from './job-context.ts'
import { type FieldOf, type KeyOf, keySelector } from './key-selection.ts'
import { requireOperatorStates } from './keyed-functions.ts'
import { type PostgresSinkOptions, postgresSinkSpec } from './postgres-options.ts'
import { DataStreamSinkNode } from './sink-node.ts'
import { disableChaining, setMaxParallelism, setName, setParallelism, setUid } from './step-settings.ts'
import type {
  BroadcastConnectedStreams,
  BroadcastStream,
  ConnectedStreams,
  DataStream,
  DataStreamSink,
  Iteration,
  IterationOptions,
  KeyedStream,
  SinkOptions,
  WindowedStream,
} from './streams.ts'
import { requireChoice, type WindowAssigner } from './window-assigners.ts'
import { type WindowOptions, withOptions } from './window-options.ts'
import { assignedWindowing } from './windowing.ts'

function ignore(): void {}

const QUEUED_RECORDS_MAX_DEFAULT = 1_000_000
const DELIVERIES: readonly SinkDelivery[] = ['transactional', 'idempotent', 'at-least-once']

/** A stream; also what keyed streams do with records regardless of their key. */
export class DataStreamNode<T> implements DataStream<T> {
  /** What the stream reads; for other streams of the same environment. */
  readonly flow: Flow

  constructor(flow: Flow) {
    this.flow = flow
  }

  map<O>(fn: (record: T) => O): DataStream<O> {
    return this.transform('map()', 'map', fn)
  }

  flatMap<O>(fn: (record: T) => Iterable<O>): DataStream<O> {
    return this.transform('flatMap()', 'flat-map', fn)
  }

  filter<S extends T>(predicate: (record: T) => boolean): DataStream<S> {
    return this.transform('filter()', 'filter', predicate)
  }

  mapAsync<O, P = never>(
    fn: (record: T, ctx: AsyncContext) => PromiseLike<O> | O,
    options: AsyncOptions<T, O, P> = {},
  ): DataStream<O | P> {
    return this.step({
      name: 'map-async',
      operator: { kind: 'async', async: asyncSpec('mapAsync()', 'one', fn, options) },
    })
  }

  flatMapAsync<O, P = never>(
    fn: (record: T, ctx: AsyncContext) => PromiseLike<Iterable<O>> | Iterable<O>,
    options: AsyncOptions<T, Iterable<O>, Iterable<P>> = {},
  ): DataStream<O | P> {
    const async = asyncSpec('flatMapAsync()', 'many', fn, options)
    return this.step({ name: 'flat-map-async', operator: { kind: 'async', async } })
  }

  union<U = never>(...others: readonly DataStream<U>[]): DataStream<T | U> {
    const flows = others.map(other => this.flowOf(other, 'union()'))
    const upstreams = [this.flow, ...flows].flatMap(flow => flow.upstreams)
    return this.flow.job.streams.data({ job: this.flow.job, upstreams })
  }

  connect<U, B extends BroadcastDescriptors>(other: BroadcastStream<U, B>): BroadcastConnectedStreams<T, U, B>
  connect<U>(other: DataStream<U>): ConnectedStreams<T, U>
  connect<U, B extends BroadcastDescriptors>(
    other: DataStream<U> | BroadcastStream<U, B>,
  ): ConnectedStreams<T, U> | BroadcastConnectedStreams<T, U, B> {
    if (other instanceof BroadcastStreamNode) {
      requireSameJob('connect()', this.flow, other.flow)
      return this.flow.job.streams.broadcastConnected(this.flow, other)
    }
    return this.flow.job.streams.connected(this.flow, this.flowOf(other, 'connect()'))
  }

  broadcastState<const B extends BroadcastDescriptors>(state: B): BroadcastStream<T, B> {
    return new BroadcastStreamNode<T, B>(this, this.flow, state)
  }

  process<O, P extends OperatorStateDescriptors>(fn: ProcessFunction<T, O, P>): DataStream<O> {
    requireMethods('process()', fn, { required: ['onRecord'], optional: ['open', 'close'] })
    requireOperatorStates('process()', fn.operatorState)
    for (const name of ['state', 'onTimer']) {
      if (!(name in fn)) continue
      throw optionInvalid(
        'process()',
        `the function has ${name}, which only a keyed stream offers; call keyBy() before process()`,
      )
    }
    return this.step({ name: 'process', operator: { kind: 'process', function: fn } })
  }

  keyBy<const F extends readonly (keyof T & string)[]>(fields: F): KeyedStream<T, KeyOf<T, F>>
  keyBy<K>(selector: (record: T) => K): KeyedStream<T, K>
  keyBy<F extends keyof T & string>(field: F): KeyedStream<T, T[F]>
  keyBy<K>(selector: unknown): KeyedStream<T, K> {
    const key = keySelector('keyBy()', selector)
    const { job, upstreams } = partitioned(this.flow, { kind: 'hash', key })
    return job.streams.keyed({ job, upstreams, selector: key })
  }

  iterate<O>(body: (loop: DataStream<T>) => Iteration<T, O>, options: IterationOptions = {}): DataStream<O> {
    const call = 'iterate()'
    const { job } = this.flow
    const { queuedRecordsMax = QUEUED_RECORDS_MAX_DEFAULT } = options
    requireFunction(call, body)
    requireWhole(call, 'queuedRecordsMax', queuedRecordsMax, { min: 1 })
    const operator = { kind: 'feedback', queuedRecordsMax } as const
    const head = addStep([this.flow], { name: 'iterate', operator })
    const loop = body(job.streams.data(outputOf(job, head)))
    const feedback = this.flowOf(loop?.feedback, `${call} feedback`)
    this.flowOf(loop.output, `${call} output`)
    const comesFromHead = feedback.upstreams.some(({ vertexId }) =>
      job.builder.upstreamOf(vertexId).vertices.some(vertex => vertex.operator === operator),
    )
    if (!comesFromHead) {
      throw optionInvalid(
        call,
        'the feedback stream is not made of the loop; derive it from the stream that the body is given',
      )
    }
    connect(feedback, head, 0, true)
    return loop.output
  }

  forward(): DataStream<T> {
    return this.spread({ kind: 'forward' })
  }

  rebalance(): DataStream<T> {
    return this.spread({ kind: 'rebalance' })
  }

  rescale(): DataStream<T> {
    return this.spread({ kind: 'rescale' })
  }

  shuffle(): DataStream<T> {
    return this.spread({ kind: 'shuffle' })
  }

  broadcast(): DataStream<T> {
    return this.spread({ kind: 'broadcast' })
  }

  global(): DataStream<T> {
    return this.spread({ kind: 'global' })
  }

  localOrShuffle(): DataStream<T> {
    return this.spread({ kind: 'local-or-shuffle' })
  }

  partialKey(selector: FieldOf<T> | readonly FieldOf<T>[] | ((record: T) => unknown)): DataStream<T> {
    return this.spread({ kind: 'partial-key', key: keySelector('partialKey()', selector) })
  }

  direct(target: (record: T) => number): DataStream<T> {
    requireFunction('direct()', target)
    return this.spread({ kind: 'direct', target })
  }

  partitionCustom<K>(
    partitioner: (key: K, subtaskCount: number) => number,
    selector: FieldOf<T> | ((record: T) => K),
  ): DataStream<T> {
    requireFunction('partitionCustom()', partitioner)
    const key = keySelector('partitionCustom()', selector)
    return this.spread({ kind: 'custom', key, partition: partitioner })
  }

  assignTimestampsAndWatermarks(strategy: WatermarkStrategy<T>): DataStream<T> {
    requireStrategy('assignTimestampsAndWatermarks()', strategy)
    return this.step({ name: 'timestamps', operator: { kind: 'timestamps', strategy } })
  }

  windowAll<W extends TimeWindow = TimeWindow>(
    assigner: WindowAssigner<T, W>,
    options: WindowOptions<T, W> = {},
  ): WindowedStream<T, null, W> {
    const call = 'windowAll()'
    const { job } = this.flow
    const key = functionSelector(() => null)
    const { upstreams } = partitioned(this.flow, { kind: 'hash', key })
    const { label, spec } = assignedWindowing(call, assigner, this.flow)
    const windowing = { label, parallelism: 1, spec: withOptions(call, spec, options) }
    return job.streams.windowed({ job, upstreams, selector: key }, windowing)
  }

  changelog(): DataStream<Change<T>> {
    return this.step({ name: 'changelog', operator: { kind: 'transform', shape: 'changelog', function: ignore } })
  }

  sideOutput<X>(tag: OutputTag<X>): DataStream<X> {
    requireText('sideOutput()', 'the id of the tag', tag?.id)
    const { id } = stepOf(this.flow, 'sideOutput()')
    const upstream = { vertexId: id, outputTag: tag.id, partitioning: undefined }
    return this.flow.job.streams.data({ job: this.flow.job, upstreams: [upstream] })
  }

  print(prefix?: string): DataStreamSink {
    if (prefix !== undefined) requireText('print()', 'the prefix', prefix)
    const options = prefix === undefined ? {} : { prefix }
    const connector = { connector: 'print', options, acceptsRetractions: true }
    return this.endIn({ ...connector, description: 'print', placement: 'any' })
  }

  addSink(sink: ((record: T) => void | Promise<void>) | Sink<T>, options: SinkOptions = {}): DataStreamSink {
    const { description, parallelismMax, placement = 'any', acceptsRetractions = false, delivery } = options
    if (delivery !== undefined) requireChoice('addSink()', 'delivery', delivery, DELIVERIES)
    const limit = {
      acceptsRetractions,
      ...(delivery === undefined ? {} : { delivery }),
      ...(parallelismMax === undefined ? {} : { parallelismMax }),
    }
    if (parallelismMax !== undefined) requireWhole('addSink()', 'parallelismMax', parallelismMax, { min: 1 })
    if (typeof sink === 'function') {
      // The record alone: a function with more parameters, such as console.log, is not meant to see the timestamp.
      const connector = { connector: 'callback', options: { write: (record: T) => sink(record) } }
      return this.endIn({ ...connector, ...limit, description: description ?? 'callback', placement: 'main-thread' })
    }
    requireMethods('addSink()', sink, { required: ['open'], mayBeAsync: true })
    const connector = { connector: 'custom', options: {}, implementation: sink as Sink<unknown> }
    return this.endIn({ ...connector, ...limit, description: description ?? 'custom sink', placement })
  }

  writeToFile(path: string): DataStreamSink {
    requireText('writeToFile()', 'the path', path)
    const description = `file ${path}`
    return this.endIn({ connector: 'file', options: { path }, description, placement: 'any', parallelismMax: 1 })
  }

  writeToFiles(directory: string, options?: FileDirectoryOptions): DataStreamSink {
    return this.endIn(fileDirectorySpec(directory, options))
  }

  writeToPostgres(options: PostgresSinkOptions<T>): DataStreamSink {
    return this.endIn(postgresSinkSpec(options))
  }

  async executeAndCollect(name = 'collect', limit = Infinity): Promise<T[]> {
    if (limit !== Infinity) requireWhole('executeAndCollect()', 'the limit', limit, { min: 1 })
    const records: T[] = []
    for await (const record of iterateRecords<T>(this.flow, name)) {
      records.push(record)
      if (records.length >= limit) break
    }
    return records
  }

  [Symbol.asyncIterator](): AsyncIterator<T, void, undefined> {
    return iterateRecords<T>(this.flow, 'iterate')
  }

  name(name: string): this {
    setName(stepOf(this.flow, 'name()'), name)
    return this
  }

  uid(uid: string): this {
    setUid(stepOf(this.flow, 'uid()'), uid)
    return this
  }

  setParallelism(parallelism: number): this {
    setParallelism(stepOf(this.flow, 'setParallelism()'), parallelism)
    return this
  }

  setMaxParallelism(maxParallelism: number): this {
    setMaxParallelism(stepOf(this.flow, 'setMaxParallelism()'), maxParallelism)
    return this
  }

  disableChaining(): this {
    disableChaining(stepOf(this.flow, 'disableChaining()'))
    return this
  }

  /** Adds a step that reads this stream and returns its output. */
  protected step<O>(init: StepInit): DataStream<O> {
    const { job } = this.flow
    return job.streams.data(outputOf(job, addStep([this.flow], init)))
  }

  /** What another stream reads. Throws OPTION_INVALID unless it is a stream of the same environment. */
  protected flowOf(other: unknown, call: string): Flow {
    if (!(other instanceof DataStreamNode)) throw optionInvalid(call, `expected a stream, got ${preview(other)}`)
    requireSameJob(call, this.flow, other.flow)
    return other.flow
  }

  private transform<O>(call: string, shape: TransformShape, fn: (record: T) => unknown): DataStream<O> {
    requireFunction(call, fn)
    return this.step({ name: shape, operator: { kind: 'transform', shape, function: fn } })
  }

  private spread(partitioning: Partitioning): DataStream<T> {
    return this.flow.job.streams.data(partitioned(this.flow, partitioning))
  }

  private endIn(sink: SinkSpec): DataStreamSink {
    const { connector: name, placement } = sink
    return new DataStreamSinkNode(addStep([this.flow], { name, placement, operator: { kind: 'sink', sink } }))
  }
}
