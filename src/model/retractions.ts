// Where in a graph records may take others back, and who may get them. Stateless functions keep the sign; whoever keeps something must
// say that it can take it back.
import type { Graph, Vertex } from './graph.ts'
import { edgesInto } from './graph.ts'
import type { OperatorSpec } from './operator-spec.ts'
import { emitsRetractions, type WindowSpec } from './window-spec.ts'

/** True when the vertex may emit records that take others back. */
export function carriesRetractions(graph: Graph, vertexId: number, visited: Set<number> = new Set()): boolean {
  if (visited.has(vertexId)) return false
  visited.add(vertexId)
  const { operator } = graph.vertices[vertexId] as Vertex
  if (operator.kind === 'window') return emitsRetractions(operator.window)
  if (operator.kind === 'source') return operator.source.hasRetractions === true
  return keepsSign(operator) && takesRetractions(graph, vertexId, visited)
}

/** True when a record that takes another back may reach the vertex. */
export function takesRetractions(graph: Graph, vertexId: number, visited: Set<number> = new Set()): boolean {
  return edgesInto(graph, vertexId).some(edge => carriesRetractions(graph, edge.from, visited))
}

/** Why the operator cannot have its input taken back, and what to do; undefined when it can. */
export function retractionProblem(operator: OperatorSpec): string | undefined {
  switch (operator.kind) {
    case 'sink':
      return operator.sink.acceptsRetractions === true
        ? undefined
        : 'its sink does not take retractions: turn them into data with changelog() before it, or let the windows accumulate'
    case 'rolling':
      return operator.aggregate.retract === undefined ? WITHOUT_RETRACT : undefined
    case 'window':
      return windowProblem(operator.window)
    case 'process':
    case 'keyed-process':
    case 'co-process':
    case 'keyed-co-process':
      return operator.function.acceptsRetractions === true
        ? undefined
        : 'its function does not say that it takes retractions: read ctx.isRetraction and declare acceptsRetractions: true, or use changelog() before it'
    default:
      return keepsSign(operator) || operator.kind === 'transform'
        ? undefined
        : 'it cannot take retractions: use changelog() before it, or let the windows accumulate'
  }
}

const WITHOUT_RETRACT =
  'its aggregate cannot take a record back: give it retract(), use one that has it (sum, count), or let the windows accumulate'

function windowProblem({ function: definition, evictor }: WindowSpec): string | undefined {
  if (definition.kind !== 'aggregate' || evictor !== undefined)
    return 'a window that keeps its elements cannot take one back: use an aggregate with retract(), or changelog() before it'
  return definition.aggregate.retract === undefined ? WITHOUT_RETRACT : undefined
}

function keepsSign(operator: OperatorSpec): boolean {
  switch (operator.kind) {
    case 'transform':
      return operator.shape !== 'changelog'
    case 'process':
      return operator.function.acceptsRetractions === true
    case 'timestamps':
    case 'feedback':
      return true
    // Unordered results may overtake each other, and so a retraction what it takes back.
    case 'async':
      return operator.async.order === 'ordered'
    default:
      return false
  }
}
