// What is allowed in a graph and yet hardly meant. The plan shows it, and a runner logs it when the job starts.
import type { Graph, Vertex } from './graph.ts'
import { edgesInto } from './graph.ts'
import { stepText } from './step-text.ts'
import { firesAtEndOnly } from './window-problems.ts'

/** The warnings of a graph, each naming its step and the mend. */
export function graphWarnings(graph: Graph): string[] {
  return graph.vertices.flatMap(vertex => {
    const { operator } = vertex
    if (operator.kind !== 'window' || !firesAtEndOnly(operator.window) || !isEndless(graph, vertex.id)) return []
    return [
      `${stepText(vertex)} emits only at the end of its input, which has none: its trigger never fires; give it one that does, such as repeatedly(afterCount(100)), or windows of time`,
    ]
  })
}

/** True when a source upstream has no end. */
export function isEndless(graph: Graph, vertexId: number, visited: Set<number> = new Set()): boolean {
  if (visited.has(vertexId)) return false
  visited.add(vertexId)
  const { operator } = graph.vertices[vertexId] as Vertex
  if (operator.kind === 'source') return !operator.source.isBounded
  return edgesInto(graph, vertexId).some(edge => isEndless(graph, edge.from, visited))
}
