// The one module that knows all the classes of streams.

import type { BroadcastDescriptors } from '../../model/broadcast-functions.ts'
import type { TimeWindow } from '../../model/functions.ts'
import { BroadcastConnectedStreamsNode, KeyedBroadcastConnectedStreamsNode } from './broadcast-streams.ts'
import { ConnectedStreamsNode, KeyedConnectedStreamsNode } from './connected-streams.ts'
import { DataStreamNode } from './data-stream.ts'
import type { BroadcastFlow, Flow, KeyedFlow, StreamFactory, Windowing } from './job-context.ts'
import { KeyedStreamNode } from './keyed-stream.ts'
import { WindowedStreamNode } from './windowed-stream.ts'

/** Makes stream objects of flows. */
export const streamFactory: StreamFactory = Object.freeze({
  data: <T>(flow: Flow) => new DataStreamNode<T>(flow),
  keyed: <T, K>(flow: KeyedFlow) => new KeyedStreamNode<T, K>(flow),
  windowed: <T, K, W extends TimeWindow>(flow: KeyedFlow, windowing: Windowing) =>
    new WindowedStreamNode<T, K, W>(flow, windowing),
  connected: <A, B>(first: Flow, second: Flow) => new ConnectedStreamsNode<A, B>(first, second),
  keyedConnected: <K, A, B>(first: KeyedFlow, second: KeyedFlow) =>
    new KeyedConnectedStreamsNode<K, A, B>(first, second),
  broadcastConnected: <T, U, B extends BroadcastDescriptors>(flow: Flow, other: BroadcastFlow<U, B>) =>
    new BroadcastConnectedStreamsNode<T, U, B>(flow, other),
  keyedBroadcastConnected: <K, T, U, B extends BroadcastDescriptors>(flow: KeyedFlow, other: BroadcastFlow<U, B>) =>
    new KeyedBroadcastConnectedStreamsNode<K, T, U, B>(flow, other),
})
