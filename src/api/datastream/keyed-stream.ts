// The implementation of KeyedStream: its steps carry the key selector and read by the hash of the key.
import type { AggregateFunction, KeyedProcessFunction } from '../../model/functions.ts'
import type { StateDescriptors } from '../../model/state.ts'
import { FIELD_AGGREGATES, type FieldAggregate, reduceOf } from './aggregates.ts'
import { requireFunction, requireMethods, requireText } from './arguments.ts'
import { DataStreamNode } from './data-stream.ts'
import type { KeyedFlow, StepInit } from './job-context.ts'
import { AGGREGATE_RULES, type AnyKeyedProcessFunction, requireKeyedFunction } from './keyed-functions.ts'
import { type MixedWindowOptions, mixedWindowing } from './mixed-window-options.ts'
import { MixedWindowedStreamNode } from './mixed-windowed-stream.ts'
import { type PerRecordWindowOptions, perRecordWindowing } from './per-record-window-options.ts'
import { PerRecordWindowedStreamNode } from './per-record-windowed-stream.ts'
import type {
  ConnectedStreams,
  DataStream,
  KeyedConnectedStreams,
  KeyedStream,
  MixedWindowedStream,
  PerRecordWindowedStream,
  WindowedStream,
} from './streams.ts'
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

  mixedWindow(options: MixedWindowOptions): MixedWindowedStream<T, K> {
    return new MixedWindowedStreamNode(this.keyedFlow, mixedWindowing(options, timeDomainOf(this.flow)))
  }

  perRecordWindow(options: PerRecordWindowOptions): PerRecordWindowedStream<T, K> {
    return new PerRecordWindowedStreamNode(this.keyedFlow, perRecordWindowing(options))
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
