// Turns a graph into a physical plan: what is chained, what is exchanged, and which columns an exchange carries.
import { describeGraph, graphHash } from '../model/describe.ts'
import type { Edge, Graph, Vertex } from '../model/graph.ts'
import { edgesInto } from '../model/graph.ts'
import { keyGroupRange } from '../model/key-groups.ts'
import { givesTimestamps, isChainHead, isKeyed, strategyOf } from '../model/operator-spec.ts'
import { carriesRetractions } from '../model/retractions.ts'
import type { Chain, Column, Exchange, PhysicalPlan } from './physical-plan.ts'

/** The plan of a valid graph. Equal graphs give equal plans. */
export function planGraph(graph: Graph): PhysicalPlan {
  const links = graph.edges.filter(edge => isChainable(graph, edge))
  const chainOf = new Map<number, number>()
  const chains = chainRoots(graph, links).map((root, id) => buildChain(graph, links, root, id, chainOf))
  const exchanges = graph.edges
    .filter(edge => !links.includes(edge))
    .map((edge, id): Exchange => {
      const fromChain = chainOf.get(edge.from) as number
      const toChain = chainOf.get(edge.to) as number
      return Object.freeze({ id, edge, fromChain, toChain, columns: columnsOf(graph, edge) })
    })
  return Object.freeze({
    graph,
    graphHash: graphHash(graph),
    chains: Object.freeze(chains),
    exchanges: Object.freeze(exchanges),
  })
}

/** The stable text by which two processes compare what they are about to run. */
export function planIdentity(plan: PhysicalPlan): string {
  return describeGraph(plan.graph)
}

/**
 * True when the edge can be a plain call: its target reads nothing else and may be chained, both ends run with the same parallelism, and every record
 * would go to the subtask of the same index. Between single subtasks that holds for every partitioning.
 */
function isChainable(graph: Graph, edge: Edge): boolean {
  const from = graph.vertices[edge.from] as Vertex
  const to = graph.vertices[edge.to] as Vertex
  if (edge.isFeedback || edgesInto(graph, edge.to).length !== 1 || isChainHead(to.operator)) return false
  if (from.chaining === 'disabled' || to.chaining === 'disabled') return false
  if (from.parallelism !== to.parallelism) return false
  if (strategyOf(to.operator)?.emit === 'per-record' && !isOneToOne(graph, from)) return false
  return edge.partitioning.kind === 'forward' || (to.parallelism === 1 && isPlacementFree(edge))
}

/**
 * True when a task never has more than one record of the vertex's output in hand: between two of them it can pass a watermark on. Behind a
 * step that emits several records at once there is no such place, unless they cross to another task first.
 */
function isOneToOne(graph: Graph, vertex: Vertex): boolean {
  const { operator } = vertex
  const isPlain = operator.kind === 'transform' && operator.shape !== 'flat-map'
  if (operator.kind !== 'source' && operator.kind !== 'timestamps' && !isPlain) return false
  return edgesInto(graph, vertex.id).every(
    edge => !isChainable(graph, edge) || isOneToOne(graph, graph.vertices[edge.from] as Vertex),
  )
}

// Partitionings with a user function are kept, so that its mistakes (an index out of range) show at every parallelism.
function isPlacementFree(edge: Edge): boolean {
  return edge.partitioning.kind !== 'direct' && edge.partitioning.kind !== 'custom'
}

function chainRoots(graph: Graph, links: readonly Edge[]): readonly Vertex[] {
  const linked = new Set(links.map(edge => edge.to))
  return graph.vertices.filter(vertex => !linked.has(vertex.id))
}

function buildChain(
  graph: Graph,
  links: readonly Edge[],
  root: Vertex,
  id: number,
  chainOf: Map<number, number>,
): Chain {
  const vertices: number[] = []
  const visit = (vertexId: number): void => {
    vertices.push(vertexId)
    chainOf.set(vertexId, id)
    for (const edge of links) if (edge.from === vertexId) visit(edge.to)
  }
  visit(root.id)
  const members = vertices.map(vertexId => graph.vertices[vertexId] as Vertex)
  const keyed = members.find(vertex => isKeyed(vertex.operator)) ?? root
  return Object.freeze({
    id,
    name: members.map(vertex => vertex.name).join(' -> '),
    vertices: Object.freeze(vertices),
    links: Object.freeze(links.filter(edge => vertices.includes(edge.from) && vertices.includes(edge.to))),
    parallelism: root.parallelism,
    placement: members.some(vertex => vertex.placement === 'main-thread') ? 'main-thread' : 'any',
    subtasks: Object.freeze(subtasksOf(root.parallelism, keyed.maxParallelism)),
  })
}

function subtasksOf(parallelism: number, maxParallelism: number): Chain['subtasks'] {
  return Array.from({ length: parallelism }, (_, index) =>
    Object.freeze({ index, keyGroups: Object.freeze(keyGroupRange(index, parallelism, maxParallelism)) }),
  )
}

function columnsOf(graph: Graph, edge: Edge): readonly Column[] {
  const columns: Column[] = ['value']
  if (hasTimestamps(graph, edge.from, new Set())) columns.push('timestamp')
  if (edge.partitioning.kind === 'hash') columns.push('key')
  if (carriesRetractions(graph, edge.from)) columns.push('change')
  return Object.freeze(columns)
}

function hasTimestamps(graph: Graph, vertexId: number, visited: Set<number>): boolean {
  if (visited.has(vertexId)) return false
  visited.add(vertexId)
  const { operator } = graph.vertices[vertexId] as Vertex
  if (givesTimestamps(operator)) return true
  switch (operator.kind) {
    case 'window':
      return true
    case 'keyed-process':
    case 'keyed-co-process':
    case 'keyed-broadcast-process':
      // A timer gives what it emits its own time.
      if (operator.function.onTimer !== undefined) return true
  }
  return edgesInto(graph, vertexId).some(edge => hasTimestamps(graph, edge.from, visited))
}
