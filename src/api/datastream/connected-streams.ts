// The implementation of ConnectedStreams and KeyedConnectedStreams: steps with two inputs.
import type { CoProcessFunction, KeyedCoProcessFunction } from '../../model/functions.ts'
import type { OperatorStateDescriptors } from '../../model/operator-state.ts'
import type { StateDescriptors } from '../../model/state.ts'
import { optionInvalid, requireFunction, requireMethods } from './arguments.ts'
import { coFlatMapFunction, coMapFunction, type TwoInputFunction } from './co-functions.ts'
import { addStep, type Flow, type KeyedFlow, outputOf } from './job-context.ts'
import { type AnyCoProcessFunction, type AnyKeyedCoProcessFunction, requireKeyedFunction } from './keyed-functions.ts'
import type { ConnectedStreams, DataStream, KeyedConnectedStreams } from './streams.ts'

/** Two streams without key. */
export class ConnectedStreamsNode<A, B> implements ConnectedStreams<A, B> {
  private readonly first: Flow
  private readonly second: Flow

  constructor(first: Flow, second: Flow) {
    this.first = first
    this.second = second
  }

  coMap<P, Q>(first: (record: A) => P, second: (record: B) => Q): DataStream<P | Q> {
    return this.join('co-map', mapping(first, second))
  }

  coFlatMap<P, Q>(first: (record: A) => Iterable<P>, second: (record: B) => Iterable<Q>): DataStream<P | Q> {
    return this.join('co-flat-map', flatMapping(first, second))
  }

  coProcess<O, P extends OperatorStateDescriptors>(fn: CoProcessFunction<A, B, O, P>): DataStream<O> {
    requireMethods('coProcess()', fn, { required: ['onFirst', 'onSecond'], optional: ['open', 'close'] })
    for (const name of ['state', 'onTimer']) {
      if (!(name in fn)) continue
      throw optionInvalid(
        'coProcess()',
        `the function has ${name}, which only two keyed streams offer; call keyBy() on both before connect()`,
      )
    }
    return this.join('co-process', fn)
  }

  private join<O, P extends OperatorStateDescriptors>(name: string, fn: CoProcessFunction<A, B, O, P>): DataStream<O> {
    const { job } = this.first
    const operator = { kind: 'co-process', function: fn as unknown as AnyCoProcessFunction } as const
    return job.streams.data(outputOf(job, addStep([this.first, this.second], { name, operator })))
  }
}

/** Two streams keyed alike; their steps see the records of a key from both sides, with shared state. */
export class KeyedConnectedStreamsNode<K, A, B> implements KeyedConnectedStreams<K, A, B> {
  private readonly first: KeyedFlow
  private readonly second: KeyedFlow

  constructor(first: KeyedFlow, second: KeyedFlow) {
    this.first = first
    this.second = second
  }

  coMap<P, Q>(first: (record: A) => P, second: (record: B) => Q): DataStream<P | Q> {
    return this.join('co-map', mapping(first, second))
  }

  coFlatMap<P, Q>(first: (record: A) => Iterable<P>, second: (record: B) => Iterable<Q>): DataStream<P | Q> {
    return this.join('co-flat-map', flatMapping(first, second))
  }

  coProcess<O, S extends StateDescriptors, P extends OperatorStateDescriptors>(
    fn: KeyedCoProcessFunction<K, A, B, O, S, P>,
  ): DataStream<O> {
    requireKeyedFunction('coProcess()', fn, ['onFirst', 'onSecond'])
    return this.join('co-process', fn)
  }

  private join<O, S extends StateDescriptors, P extends OperatorStateDescriptors>(
    name: string,
    fn: KeyedCoProcessFunction<K, A, B, O, S, P>,
  ): DataStream<O> {
    const { job } = this.first
    const operator = { kind: 'keyed-co-process', function: fn as unknown as AnyKeyedCoProcessFunction } as const
    const keySelectors = [this.first.selector, this.second.selector]
    return job.streams.data(outputOf(job, addStep([this.first, this.second], { name, operator, keySelectors })))
  }
}

function mapping<A, B, P, Q>(first: (record: A) => P, second: (record: B) => Q): TwoInputFunction<A, B, P | Q> {
  requireFunction('coMap() first', first)
  requireFunction('coMap() second', second)
  return coMapFunction(first, second)
}

function flatMapping<A, B, P, Q>(
  first: (record: A) => Iterable<P>,
  second: (record: B) => Iterable<Q>,
): TwoInputFunction<A, B, P | Q> {
  requireFunction('coFlatMap() first', first)
  requireFunction('coFlatMap() second', second)
  return coFlatMapFunction(first, second)
}
