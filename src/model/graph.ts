// The dataflow graph: what was asked for, as frozen, printable data. Nothing in it runs.
import type { SourceLocation } from '../base/source-location.ts'
import type { Placement } from './connector.ts'
import type { KeySelector } from './key.ts'
import type { OperatorSpec } from './operator-spec.ts'
import type { Partitioning } from './partitioning.ts'

/** The number of key groups where nothing else is said; fixed for the life of the state. */
export const MAX_PARALLELISM_DEFAULT = 128

/** The largest number of key groups. */
export const MAX_PARALLELISM_LIMIT = 32768

/** Whether the plan may run a vertex in one chain with its neighbours. */
export type Chaining = 'allowed' | 'disabled'

/** An input that a step reads before its others: until each of its channels has ended, is idle, or its watermark has reached a time. */
export interface BootstrapInput {
  /** The input's ordinal, from 0. */
  readonly input: number
  /** Epoch ms; Infinity: to its end, even if the graph does not say that it has one. Without it: to an end that the graph knows of. */
  readonly untilMs?: number
}

/** One step of the job. */
export interface Vertex {
  /** Position in the graph, from 0; sources come before what reads them, feedback edges aside. */
  readonly id: number
  /** The identity of the step's state across versions of the job. */
  readonly uid: string
  readonly isUidDerived: boolean
  readonly name: string
  readonly operator: OperatorSpec
  readonly parallelism: number
  /** The number of key groups of its keyed state. */
  readonly maxParallelism: number
  readonly placement: Placement
  readonly chaining: Chaining
  /** The key selector of each input of a keyed vertex, by ordinal. */
  readonly keySelectors: readonly KeySelector[]
  readonly bootstrap?: BootstrapInput
  readonly location: SourceLocation | undefined
}

/** Records flow from one vertex to an input of another. */
export interface Edge {
  readonly from: number
  readonly to: number
  /** The input of the target, from 0. */
  readonly input: number
  readonly partitioning: Partitioning
  /** The side output it reads; undefined: the main output. */
  readonly outputTag: string | undefined
  /** A feedback edge closes a loop; only such an edge may. */
  readonly isFeedback: boolean
}

/** A job as data. */
export interface Graph {
  readonly name: string
  readonly vertices: readonly Vertex[]
  readonly edges: readonly Edge[]
}

/** The edges into a vertex. */
export function edgesInto(graph: Graph, vertexId: number): readonly Edge[] {
  return graph.edges.filter(edge => edge.to === vertexId)
}

/** The edges out of a vertex. */
export function edgesOutOf(graph: Graph, vertexId: number): readonly Edge[] {
  return graph.edges.filter(edge => edge.from === vertexId)
}
