// The operators of one subtask of a chain, composed from the leaves up: each gets a plain function as its output, so a record
// passes through the chain as nested calls.
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import type { Prng } from '../base/prng.ts'
import type { ConnectorResolver, Split } from '../model/connector.ts'
import type { Edge, Graph, Vertex } from '../model/graph.ts'
import { takesRetractions } from '../model/retractions.ts'
import { createOperator } from '../operators/create-operator.ts'
import {
  type Capacity,
  type CurrentRecord,
  type Emit,
  type Mailbox,
  newCounters,
  type Operator,
  type OperatorContext,
  type OperatorCounters,
} from '../operators/operator.ts'
import type { Chain } from '../plan/physical-plan.ts'
import type { AlignmentCoordinator } from '../time/alignment-coordinator.ts'
import type { Barrier, ControlElement } from './batch.ts'
import type { Channel } from './channel.ts'
import { keyReader, partitioner } from './partitioner.ts'
import { RestoredKeys } from './restored-keys.ts'

/** The channels of one edge out of one subtask. */
export interface OutputEdge {
  readonly edge: Edge
  readonly channels: readonly Channel[]
}

/** What the chain's operators get from outside. */
export interface ChainInit {
  readonly graph: Graph
  readonly chain: Chain
  readonly subtaskIndex: number
  readonly outputs: readonly OutputEdge[]
  readonly capacity: Capacity
  readonly mailbox: Mailbox
  readonly clock: Clock
  readonly logger: Logger
  readonly prng: Prng
  readonly connectors: ConnectorResolver
  readonly alignment: AlignmentCoordinator
  readonly splits: readonly Split[]
  readonly knownSplits: ReadonlySet<string>
  readonly resumedSplits?: OperatorContext['resumedSplits']
  readonly isAtMostOnce?: boolean
  readonly isCheckpointed: boolean
  readonly owner?: string | undefined
  readonly attempt: number
  readonly startedFromId: number | undefined
}

/** One operator in its place; time passes from parent to child. */
export interface ChainNode {
  readonly vertex: Vertex
  readonly operator: Operator
  readonly counters: OperatorCounters
  /** The position of the node it reads from; -1 for the root. */
  readonly parent: number
  readonly outputs: readonly OutputEdge[]
  inputWatermark: number
  outputWatermark: number
  /** How far the inputs were in the snapshot that the job started from; the step's time never goes back behind it. */
  restoredWatermark: number
  /** The keys of its state in that snapshot; undefined for steps without keys, and where there is none. */
  readonly restoredKeys: RestoredKeys | undefined
  isIdle: boolean
}

/** The operators of a subtask in the order of the chain, root first, and the record passing through them. */
export interface ChainInstance {
  readonly nodes: readonly ChainNode[]
  readonly record: CurrentRecord
}

/** Sends the barrier of a snapshot over all channels of the chain, feedback included: that is where it comes round. */
export function sendBarrier(nodes: readonly ChainNode[], barrier: Barrier): void {
  for (const { outputs } of nodes)
    for (const { channels } of outputs) for (const channel of channels) channel.control(barrier)
}

/** Makes and wires the operators of one subtask. */
export function instantiateChain(init: ChainInit): ChainInstance {
  const { chain, graph } = init
  const record: CurrentRecord = { timestamp: -Infinity, key: undefined, isRetraction: false }
  const made = new Map<number, ChainNode>()
  for (const vertexId of [...chain.vertices].reverse()) {
    made.set(vertexId, makeNode(init, graph.vertices[vertexId] as Vertex, record, made))
  }
  return { nodes: chain.vertices.map(vertexId => made.get(vertexId) as ChainNode), record }
}

/** Sends a control element over all channels of the node's edges, feedback left out. */
export function broadcast(node: ChainNode, element: ControlElement): void {
  for (const { edge, channels } of node.outputs) {
    if (!edge.isFeedback) for (const channel of channels) channel.control(element)
  }
}

function makeNode(
  init: ChainInit,
  vertex: Vertex,
  record: CurrentRecord,
  made: ReadonlyMap<number, ChainNode>,
): ChainNode {
  const { chain, graph } = init
  const counters = newCounters()
  const outputs = init.outputs.filter(output => output.edge.from === vertex.id)
  const parentLink = chain.links.find(edge => edge.to === vertex.id)
  const isRestored = init.startedFromId !== undefined && vertex.keySelectors.length > 0
  const restoredKeys = isRestored ? new RestoredKeys(vertex, init.logger) : undefined
  const context: OperatorContext = {
    vertex,
    subtaskIndex: init.subtaskIndex,
    record,
    output: emitTo(init, vertex, undefined, outputs, made, record) ?? ignore,
    sideOutput: tagId => emitTo(init, vertex, tagId, outputs, made, record),
    capacity: init.capacity,
    clock: init.clock,
    logger: init.logger,
    mailbox: init.mailbox,
    counters,
    connectors: init.connectors,
    alignment: init.alignment,
    splits: init.splits,
    knownSplits: init.knownSplits,
    resumedSplits: init.resumedSplits,
    isAtMostOnce: init.isAtMostOnce === true,
    isCheckpointed: init.isCheckpointed,
    takesRetractions: takesRetractions(graph, vertex.id),
    jobName: init.graph.name,
    owner: init.owner,
    attempt: init.attempt,
    startedFromId: init.startedFromId,
    keyOf: input => {
      const keyOf = keySource(vertex, input, parentLink !== undefined, record)
      return restoredKeys?.watch(keyOf) ?? keyOf
    },
  }
  return {
    vertex,
    operator: createOperator(vertex.operator, context),
    counters,
    parent: parentLink === undefined ? -1 : chain.vertices.indexOf(parentLink.from),
    outputs,
    inputWatermark: -Infinity,
    outputWatermark: -Infinity,
    restoredWatermark: -Infinity,
    restoredKeys,
    isIdle: false,
  }
}

/** Everything that reads the given output of a vertex as one function; undefined when nothing does. */
function emitTo(
  init: ChainInit,
  vertex: Vertex,
  tagId: string | undefined,
  outputs: readonly OutputEdge[],
  made: ReadonlyMap<number, ChainNode>,
  record: CurrentRecord,
): Emit | undefined {
  const readers: Emit[] = []
  for (const edge of init.graph.edges) {
    if (edge.from !== vertex.id || edge.outputTag !== tagId) continue
    const output = outputs.find(candidate => candidate.edge === edge)
    if (output !== undefined) {
      const target = init.graph.vertices[edge.to] as Vertex
      readers.push(
        partitioner({
          edge,
          target,
          channels: output.channels,
          subtaskIndex: init.subtaskIndex,
          record,
          prng: init.prng,
        }),
      )
    } else readers.push((made.get(edge.to) as ChainNode).operator.inputs[edge.input] as Emit)
  }
  return readers.length < 2
    ? readers[0]
    : value => {
        for (let i = 0; i < readers.length; i++) (readers[i] as Emit)(value)
      }
}

// Over a hash exchange the key came with the record; inside a chain it is taken here.
function keySource(
  vertex: Vertex,
  input: number,
  isChained: boolean,
  record: CurrentRecord,
): (record: never) => unknown {
  const selector = vertex.keySelectors[input]
  if (!isChained || selector === undefined) return () => record.key
  return keyReader(selector, vertex)
}

function ignore(): void {}
