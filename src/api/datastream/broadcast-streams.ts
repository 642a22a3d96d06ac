// The implementation of the broadcast state pattern: a stream that every subtask gets whole, and the steps that read it as input 1.
import { preview } from '../../base/errors.ts'
import type {
  BroadcastDescriptors,
  BroadcastProcessFunction,
  KeyedBroadcastProcessFunction,
} from '../../model/broadcast-functions.ts'
import type { OperatorSpec } from '../../model/operator-spec.ts'
import type { StateDescriptors } from '../../model/state.ts'
import { optionInvalid, requireMethods } from './arguments.ts'
import { addStep, type BroadcastFlow, type Flow, type KeyedFlow, outputOf, partitioned } from './job-context.ts'
import { requireKeyedFunction } from './keyed-functions.ts'
import type { BroadcastConnectedStreams, DataStream, KeyedBroadcastConnectedStreams } from './streams.ts'

type AnyFunction = Extract<OperatorSpec, { readonly kind: 'broadcast-process' }>['function']
type AnyKeyedFunction = Extract<OperatorSpec, { readonly kind: 'keyed-broadcast-process' }>['function']

/** A stream with the state that its records make up. */
export class BroadcastStreamNode<U, B extends BroadcastDescriptors> implements BroadcastFlow<U, B> {
  readonly stream: DataStream<U>
  readonly state: B
  /** What the stream reads, every record of it in every subtask. */
  readonly flow: Flow

  constructor(stream: DataStream<U>, flow: Flow, state: B) {
    requireMaps('broadcastState()', state)
    this.stream = stream
    this.state = Object.freeze({ ...state })
    this.flow = partitioned(flow, { kind: 'broadcast' })
  }
}

/** A stream without key beside a broadcast one. */
export class BroadcastConnectedStreamsNode<T, U, B extends BroadcastDescriptors>
  implements BroadcastConnectedStreams<T, U, B>
{
  private readonly flow: Flow
  private readonly other: BroadcastFlow<U, B>

  constructor(flow: Flow, other: BroadcastFlow<U, B>) {
    this.flow = flow
    this.other = other
  }

  process<O>(fn: BroadcastProcessFunction<T, U, O, B>): DataStream<O> {
    const call = 'process()'
    requireMethods(call, fn, { required: ['onRecord', 'onBroadcast'], optional: ['open', 'close'] })
    for (const name of ['state', 'onTimer']) {
      if (!(name in fn)) continue
      throw optionInvalid(
        call,
        `the function has ${name}, which only a keyed stream offers; call keyBy() before connect()`,
      )
    }
    const { flow, other } = this
    const operator = {
      kind: 'broadcast-process',
      broadcast: other.state,
      function: fn as unknown as AnyFunction,
    } as const
    const vertex = addStep([flow, other.flow], { name: 'broadcast-process', operator })
    return flow.job.streams.data(outputOf(flow.job, vertex))
  }
}

/** A keyed stream beside a broadcast one. */
export class KeyedBroadcastConnectedStreamsNode<K, T, U, B extends BroadcastDescriptors>
  implements KeyedBroadcastConnectedStreams<K, T, U, B>
{
  private readonly flow: KeyedFlow
  private readonly other: BroadcastFlow<U, B>

  constructor(flow: KeyedFlow, other: BroadcastFlow<U, B>) {
    this.flow = flow
    this.other = other
  }

  process<O, S extends StateDescriptors>(fn: KeyedBroadcastProcessFunction<K, T, U, O, B, S>): DataStream<O> {
    requireKeyedFunction('process()', fn, ['onRecord', 'onBroadcast'])
    const { flow, other } = this
    const operator = {
      kind: 'keyed-broadcast-process',
      broadcast: other.state,
      function: fn as unknown as AnyKeyedFunction,
    } as const
    const keySelectors = [flow.selector]
    const vertex = addStep([flow, other.flow], { name: 'broadcast-process', operator, keySelectors })
    return flow.job.streams.data(outputOf(flow.job, vertex))
  }
}

function requireMaps(call: string, state: unknown): void {
  if (typeof state !== 'object' || state === null || Object.keys(state).length === 0) {
    throw optionInvalid(call, `expected an object that declares maps, got ${preview(state)}; write { rules: map() }`)
  }
  for (const [name, descriptor] of Object.entries(state)) {
    if ((descriptor as { readonly kind?: unknown } | null | undefined)?.kind === 'map') continue
    throw optionInvalid(call, `state "${name}" is ${preview(descriptor)}; broadcast state is declared with map()`)
  }
}
