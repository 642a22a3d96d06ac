// The implementation of KeyedStream: its steps carry the key selector and read by the hash of the key.

import type { BroadcastDescriptors } from '../../model/broadcast-functions.ts'
import type { AggregateFunction, KeyedProcessFunction, TimeWindow } from '../../model/functions.ts'
import type { JoinType } from '../../model/join-functions.ts'
import type { OperatorStateDescriptors } from '../../model/operator-state.ts'
import type { StateDescriptors } from '../../model/state.ts'
import { optionInvalid } from './arguments.ts'
import { BroadcastStreamNode } from './broadcast-streams.ts'
import { DataStreamNode } from './data-stream.ts'
import { deduplicateStep } from './deduplicate.ts'
import { type FieldAggregations, withFieldAggregations } from './field-aggregations.ts'
import { IntervalJoinNode } from './interval-join.ts'
import { type Flow, type KeyedFlow, requireSameJob, type StepInit, type Windowing } from './job-context.ts'
import type { DeduplicateOptions, TemporalJoinOptions } from './join-options.ts'
import { type AnyKeyedProcessFunction, requireKeyedFunction } from './keyed-functions.ts'
import { type MixedWindowOptions, mixedWindowing } from './mixed-window-options.ts'
import { MixedWindowedStreamNode } from './mixed-windowed-stream.ts'
import { type PerRecordWindowOptions, perRecordWindowing } from './per-record-window-options.ts'
import { PerRecordWindowedStreamNode } from './per-record-windowed-stream.ts'
import type {
  BroadcastStream,
  ConnectedStreams,
  DataStream,
  IntervalJoin,
  KeyedBroadcastConnectedStreams,
  KeyedConnectedStreams,
  KeyedStream,
  MixedWindowedStream,
  PerRecordWindowedStream,
  WindowedStream,
} from './streams.ts'
import { type AnyTemporalJoinOptions, temporalJoinStep } from './temporal-join.ts'
import { timeDomainOf } from './time-domain.ts'
import type { WindowAssigner } from './window-assigners.ts'
import type { CoGroupOptions, WindowJoinOptions } from './window-join-options.ts'
import { windowCoGroup, windowJoin } from './window-joins.ts'
import { type WindowOptions, withOptions } from './window-options.ts'
import { assignedWindowing, countWindowing, timeWindowing } from './windowing.ts'

const AggregatedStream = withFieldAggregations(DataStreamNode) as new <T>(
  flow: Flow,
) => DataStreamNode<T> & Omit<FieldAggregations<T>, 'aggregated'>

/** A stream whose records are spread by key. */
export class KeyedStreamNode<T, K> extends AggregatedStream<T> implements KeyedStream<T, K> {
  /** What the stream reads, with its key. */
  readonly keyedFlow: KeyedFlow

  constructor(flow: KeyedFlow) {
    super(flow)
    this.keyedFlow = flow
  }

  aggregated<A, R>(name: string, aggregate: AggregateFunction<T, A, R>): DataStream<R> {
    return this.keyedStep({ name, operator: { kind: 'rolling', aggregate } })
  }

  override process<O, S extends StateDescriptors, P extends OperatorStateDescriptors>(
    fn: KeyedProcessFunction<K, T, O, S, P>,
  ): DataStream<O> {
    requireKeyedFunction('process()', fn, ['onRecord'])
    const operator = { kind: 'keyed-process', function: fn as unknown as AnyKeyedProcessFunction } as const
    return this.keyedStep({ name: 'process', operator })
  }

  override connect<U, B extends BroadcastDescriptors>(
    other: BroadcastStream<U, B>,
  ): KeyedBroadcastConnectedStreams<K, T, U, B>
  override connect<U>(other: KeyedStream<U, K>): KeyedConnectedStreams<K, T, U>
  override connect<U>(other: DataStream<U>): ConnectedStreams<T, U>
  override connect<U, B extends BroadcastDescriptors>(
    other: DataStream<U> | BroadcastStream<U, B>,
  ): KeyedConnectedStreams<K, T, U> | ConnectedStreams<T, U> | KeyedBroadcastConnectedStreams<K, T, U, B> {
    if (other instanceof BroadcastStreamNode) {
      requireSameJob('connect()', this.flow, other.flow)
      return this.flow.job.streams.keyedBroadcastConnected(this.keyedFlow, other)
    }
    if (!(other instanceof KeyedStreamNode)) return super.connect(other as DataStream<U>)
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

  window<W extends TimeWindow = TimeWindow>(
    assigner: WindowAssigner<T, W>,
    options: WindowOptions<T, W> = {},
  ): WindowedStream<T, K, W> {
    const { label, spec } = assignedWindowing('window()', assigner, this.flow)
    return this.windowed({ label, spec: withOptions('window()', spec, options) })
  }

  join<U, O, W extends TimeWindow = TimeWindow, J extends JoinType = 'inner'>(
    other: KeyedStream<U, K>,
    options: WindowJoinOptions<K, T, U, O, W, J>,
  ): DataStream<O> {
    return windowJoin([this.keyedFlow, this.keyedFlowOf(other, 'join()')], options as never)
  }

  coGroup<U extends readonly unknown[], O, W extends TimeWindow = TimeWindow>(
    others: { readonly [I in keyof U]: KeyedStream<U[I], K> },
    options: CoGroupOptions<K, [T, ...U], O, W>,
  ): DataStream<O> {
    const flows = (others as readonly KeyedStream<unknown, K>[]).map(other => this.keyedFlowOf(other, 'coGroup()'))
    return windowCoGroup([this.keyedFlow, ...flows], options as never)
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

  private keyedFlowOf(other: KeyedStream<unknown, K>, call: string): KeyedFlow {
    this.flowOf(other, call)
    if (!(other instanceof KeyedStreamNode)) {
      throw optionInvalid(call, 'the other stream has no key; call keyBy() on both')
    }
    return other.keyedFlow
  }

  private windowed<W extends TimeWindow>(windowing: Windowing): WindowedStream<T, K, W> {
    return this.flow.job.streams.windowed(this.keyedFlow, windowing)
  }

  private keyedStep<O>(init: StepInit): DataStream<O> {
    return this.step({ ...init, keySelectors: [this.keyedFlow.selector] })
  }
}
