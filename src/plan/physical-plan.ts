// How a graph will run, as frozen data: chains of vertices, their subtasks, and the exchanges between them.
import type { Placement } from '../model/connector.ts'
import type { Edge, Graph } from '../model/graph.ts'
import type { KeyGroupRange } from '../model/key-groups.ts'

/** A column that batches of an exchange carry; undeclared columns cost nothing. */
export type Column = 'value' | 'timestamp' | 'key' | 'change'

/** One parallel instance of a chain. */
export interface Subtask {
  readonly index: number
  /** The key groups it owns, for chains with keyed state. */
  readonly keyGroups: KeyGroupRange
}

/** Vertices that run as one task: a tree of plain calls, first its root. */
export interface Chain {
  readonly id: number
  /** The names of its vertices joined by arrows. */
  readonly name: string
  /** Vertex ids; every vertex comes after the one it reads from. */
  readonly vertices: readonly number[]
  /** The edges that became plain calls. */
  readonly links: readonly Edge[]
  readonly parallelism: number
  readonly placement: Placement
  readonly subtasks: readonly Subtask[]
}

/** An edge between two chains. */
export interface Exchange {
  readonly id: number
  readonly edge: Edge
  readonly fromChain: number
  readonly toChain: number
  readonly columns: readonly Column[]
}

/** A graph made ready to run. */
export interface PhysicalPlan {
  readonly graph: Graph
  readonly graphHash: string
  readonly chains: readonly Chain[]
  readonly exchanges: readonly Exchange[]
}
