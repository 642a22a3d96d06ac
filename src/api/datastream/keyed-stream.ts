// The implementation of KeyedStream: its steps carry the key selector and read by the hash of the key.
import type { AggregateFunction, KeyedProcessFunction } from '../../model/functions.ts'
import type { StateDescriptors } from '../../model/state.ts'
import { FIELD_AGGREGATES, type FieldAggregate, reduceOf } from './aggregates.ts'
import { optionInvalid, requireFunction, requireMethods, requireText } from './arguments.ts'
import { DataStreamNode } from './data-stream.ts'
import { deduplicateStep } from './deduplicate.ts'
import { IntervalJoinNode } from './interval-join.ts'
import type { KeyedFlow, StepInit } from './job-context.ts'
import type { DeduplicateOptions, TemporalJoinOptions } from './join-options.ts'
import { AGGREGATE_RULES, type AnyKeyedProcessFunction, requireKeyedFunction } from './keyed-functions.ts'
import type {
  ConnectedStreams,
  DataStream,
  IntervalJoin,
  KeyedConnectedStreams,
  KeyedStream,
  WindowedStream,
} from './streams.ts'
import { type AnyTemporalJoinOptions, temporalJoinStep } from './temporal-join.ts'
import { timeDomainOf } from './time-domain.ts'
import { countWindowing, timeWindowing, type Windowing } from './windowing.ts'

/** A stream whose records are spread by key. */
export class KeyedStreamNode<T, K> extends DataStreamNode<T> implements KeyedStream<T, K> {
  /** What the stream reads, with its key. */
  readonly keyedFlow: KeyedFlow

  constructor(flow: KeyedFlow) {
    super(flow)
    this.keyedFlow = flow
  }

  sum(field: string): DataStream<T> {
    return this.byField('sum', field)
  }

  min(field: string): DataStream<T> {
    return this.byField('min', field)
  }

  max(field: string): DataStream<T> {
    return this.byField('max', field)
  }

  minBy(field: string): DataStream<T> {
    return this.byField('minBy', field)
  }

  maxBy(field: string): DataStream<T> {
    return this.byField('maxBy', field)
  }

  reduce(fn: (earlier: T, later: T) => T): DataStream<T> {
    requireFunction('reduce()', fn)
    return this.rolling('reduce', reduceOf(fn))
  }

  aggregate<A, R>(fn: AggregateFunction<T, A, R>): DataStream<R> {
    requireMethods('aggregate()', fn, AGGREGATE_RULES)
    return this.rolling('aggregate', fn)
  }

  override process<O, S extends StateDescriptors>(fn: KeyedProcessFunction<K, T, O, S>): DataStream<O> {
    requireKeyedFunction('process()', fn, ['onRecord'])
    const operator = { kind: 'keyed-process', function: fn as unknown as AnyKeyedProcessFunction } as const
    return this.keyedStep({ name: 'process', operator })
  }

  override connect<U>(other: KeyedStream<U, K>): KeyedConnectedStreams<K, T, U>
  override connect<U>(other: DataStream<U>): ConnectedStreams<T, U>
  override connect<U>(other: DataStream<U>): KeyedConnectedStreams<K, T, U> | ConnectedStreams<T, U> {
    if (!(other instanceof KeyedStreamNode)) return super.connect(other)
    this.flowOf(other, 'connect()')
    return this.flow.job.streams.keyedConnected(this.keyedFlow, other.keyedFlow)
  }

  timeWindow(sizeMs: number, slideMs?: number): WindowedStream<T, K> {
    return this.windowed(timeWindowing(timeDomainOf(this.flow), sizeMs, slideMs))
  }

  countWindow(size: number, slide?: number): WindowedStream<T, K> {
    return this.windowed(countWindowing(size, slide))
  }

  intervalJoin<U>(other: KeyedStream<U, K>): IntervalJoin<T, U> {
    return new IntervalJoinNode(this.keyedFlow, this.keyedFlowOf(other, 'intervalJoin()'))
  }

  temporalJoin<U, O>(table: KeyedStream<U, K>, options: TemporalJoinOptions<T, U, O>): DataStream<O> {
    const tableFlow = this.keyedFlowOf(table, 'temporalJoin()')
    return this.flow.job.streams.data(temporalJoinStep(this.keyedFlow, tableFlow, options as AnyTemporalJoinOptions))
  }

  deduplicate(options: DeduplicateOptions<T>): DataStream<T> {
    return this.flow.job.streams.data(deduplicateStep(this.keyedFlow, options as DeduplicateOptions<unknown>))
  }

  private keyedFlowOf(other: KeyedStream<unknown, unknown>, call: string): KeyedFlow {
    this.flowOf(other, call)
    if (other instanceof KeyedStreamNode) return other.keyedFlow
    throw optionInvalid(call, 'the other stream has no key; call keyBy() on both')
  }

  private byField(name: FieldAggregate, field: string): DataStream<T> {
    requireText(`${name}()`, 'the field', field)
    return this.rolling(`${name}(${field})`, FIELD_AGGREGATES[name]<T>(field))
  }

  private rolling<A, R>(name: string, aggregate: AggregateFunction<T, A, R>): DataStream<R> {
    return this.keyedStep({ name, operator: { kind: 'rolling', aggregate } })
  }

  private windowed(windowing: Windowing): WindowedStream<T, K> {
    return this.flow.job.streams.windowed(this.keyedFlow, windowing)
  }

  private keyedStep<O>(init: StepInit): DataStream<O> {
    return this.step({ ...init, keySelectors: [this.keyedFlow.selector] })
  }
}
