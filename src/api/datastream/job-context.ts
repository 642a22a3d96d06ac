// What the streams of one environment share, and how a stream says what it reads. A stream is a list of outputs of steps, each with the
// partitioning that its next step will see; so union and the partitioning calls need no step of their own.
import { callerLocation } from '../../base/source-location.ts'
import type { BroadcastDescriptors } from '../../model/broadcast-functions.ts'
import type { TimeWindow } from '../../model/functions.ts'
import type { GraphBuilder, VertexDraft, VertexInit } from '../../model/graph-builder.ts'
import type { JobHandle } from '../../model/job.ts'
import type { KeySelector } from '../../model/key.ts'
import type { Partitioning } from '../../model/partitioning.ts'
import type { WindowSpec } from '../../model/window-spec.ts'
import { optionInvalid } from './arguments.ts'
import type {
  BroadcastConnectedStreams,
  BroadcastStream,
  ConnectedStreams,
  DataStream,
  KeyedBroadcastConnectedStreams,
  KeyedConnectedStreams,
  KeyedStream,
  WindowedStream,
} from './streams.ts'

/** One output that a stream reads. */
export interface Upstream {
  readonly vertexId: number
  /** The side output; undefined: the main output. */
  readonly outputTag: string | undefined
  /** How the records reach the next step; undefined: forward or rebalance, as the parallelism asks. */
  readonly partitioning: Partitioning | undefined
}

/** What a stream is made of: outputs of one environment. */
export interface Flow {
  readonly job: JobContext
  readonly upstreams: readonly Upstream[]
}

/** A flow whose records are spread by key. */
export interface KeyedFlow extends Flow {
  readonly selector: KeySelector
}

/** A broadcast stream with what it reads: every record of it in every subtask. */
export interface BroadcastFlow<U, B extends BroadcastDescriptors> extends BroadcastStream<U, B> {
  readonly flow: Flow
}

/** The environment as its streams see it. */
export interface JobContext {
  readonly builder: GraphBuilder
  readonly streams: StreamFactory
  /** Runs the given graph, made of steps of this environment. */
  launch(part: GraphBuilder, name: string): JobHandle
}

/** A windowing that still lacks its function. */
export interface Windowing {
  /** For step names: `time-window(5000)`. */
  readonly label: string
  readonly spec: Omit<WindowSpec, 'function'>
  /** The number of subtasks, where the windowing asks for one. */
  readonly parallelism?: number
}

/** Makes the stream objects, so that none of their modules needs to know all the others. */
export interface StreamFactory {
  data<T>(flow: Flow): DataStream<T>
  keyed<T, K>(flow: KeyedFlow): KeyedStream<T, K>
  windowed<T, K, W extends TimeWindow>(flow: KeyedFlow, windowing: Windowing): WindowedStream<T, K, W>
  connected<A, B>(first: Flow, second: Flow): ConnectedStreams<A, B>
  keyedConnected<K, A, B>(first: KeyedFlow, second: KeyedFlow): KeyedConnectedStreams<K, A, B>
  broadcastConnected<T, U, B extends BroadcastDescriptors>(
    flow: Flow,
    other: BroadcastFlow<U, B>,
  ): BroadcastConnectedStreams<T, U, B>
  keyedBroadcastConnected<K, T, U, B extends BroadcastDescriptors>(
    flow: KeyedFlow,
    other: BroadcastFlow<U, B>,
  ): KeyedBroadcastConnectedStreams<K, T, U, B>
}

/** What is said of a new step; its place is where the user called. */
export type StepInit = Pick<
  VertexInit,
  'name' | 'operator' | 'placement' | 'keySelectors' | 'parallelism' | 'bootstrap'
>

/** Adds a step that reads the flows, one per input, and returns it. */
export function addStep(inputs: readonly [Flow, ...Flow[]], init: StepInit): VertexDraft {
  const { job } = inputs[0]
  const vertex = job.builder.addVertex({ ...init, location: callerLocation() })
  for (const [input, flow] of inputs.entries()) connect(flow, vertex, input)
  return vertex
}

/** The main output of a step. */
export function outputOf(job: JobContext, vertex: VertexDraft): Flow {
  return { job, upstreams: [{ vertexId: vertex.id, outputTag: undefined, partitioning: undefined }] }
}

/** The same outputs, spread another way. */
export function partitioned(flow: Flow, partitioning: Partitioning): Flow {
  const spread = Object.freeze(partitioning)
  return { job: flow.job, upstreams: flow.upstreams.map(upstream => ({ ...upstream, partitioning: spread })) }
}

/** Adds the edges of a flow to an input of a step; feedback edges close the loop of an iteration. */
export function connect(flow: Flow, vertex: VertexDraft, input: number, isFeedback = false): void {
  for (const { vertexId, outputTag, partitioning } of flow.upstreams) {
    flow.job.builder.addEdge({ from: vertexId, to: vertex.id, input, partitioning, outputTag, isFeedback })
  }
}

/** The step that made the stream. Throws OPTION_INVALID where there is not exactly one: after union, a partitioning call or keyBy. */
export function stepOf(flow: Flow, call: string): VertexDraft {
  const [upstream] = flow.upstreams
  if (upstream === undefined || flow.upstreams.length > 1) {
    throw optionInvalid(
      call,
      'a union is no step of its own; call it on the streams before union(), or on the step after it',
    )
  }
  if (upstream.partitioning !== undefined) {
    const { kind } = upstream.partitioning
    const made = kind === 'hash' ? 'keyBy()' : `the partitioning call (${kind})`
    throw optionInvalid(call, `${made} is no step of its own; call it on the stream before, or on the step after it`)
  }
  if (upstream.outputTag !== undefined) {
    throw optionInvalid(
      call,
      'a side output is no step of its own; call it on the stream that sideOutput() was called on',
    )
  }
  return flow.job.builder.vertices[upstream.vertexId] as VertexDraft
}

/** Throws OPTION_INVALID unless both flows belong to one environment. */
export function requireSameJob(call: string, first: Flow, second: Flow): void {
  if (first.job === second.job) return
  throw optionInvalid(call, 'the other stream belongs to another environment; build both with the same environment()')
}
