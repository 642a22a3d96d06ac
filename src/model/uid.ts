// The identity of a step across versions of a job. A derived uid of a stateful vertex is made of its kind, its key, the uids of its
// nearest stateful ancestors and its ordinal among equals: stateless vertices never enter, so adding a filter loses no state.
import { hashText } from '../base/hash.ts'
import type { Edge, Vertex } from './graph.ts'
import { keySelectorText } from './key.ts'
import { isStateful } from './operator-spec.ts'

/** The vertices with every missing uid derived. */
export function deriveUids(vertices: readonly Vertex[], edges: readonly Edge[]): readonly Vertex[] {
  const uids = new Map<number, string>()
  const seen = new Map<string, number>()
  return vertices.map(vertex => {
    const uid = vertex.isUidDerived ? derivedUid(vertex, ancestorUids(vertex, vertices, edges, uids), seen) : vertex.uid
    uids.set(vertex.id, uid)
    return { ...vertex, uid }
  })
}

function derivedUid(vertex: Vertex, ancestors: readonly string[], seen: Map<string, number>): string {
  const kind = vertex.operator.kind
  const what = identityOf(vertex)
  const isRoot = ancestors.length === 0
  const base = isRoot
    ? `${kind}-${what}`
    : `${kind}-${what}-${hashText(ancestors.join('|')).toString(16).padStart(8, '0')}`
  const ordinal = seen.get(base) ?? 0
  seen.set(base, ordinal + 1)
  return `${base}-${ordinal}`
}

function identityOf(vertex: Vertex): string {
  const { operator } = vertex
  if (operator.kind === 'source') return operator.source.connector
  if (operator.kind === 'sink') return operator.sink.connector
  if (operator.kind === 'transform') return operator.shape
  return vertex.keySelectors.map(keySelectorText).join(',') || 'unkeyed'
}

// The nearest stateful vertices upstream in edge order; feedback edges do not count, so the walk ends.
function ancestorUids(
  vertex: Vertex,
  vertices: readonly Vertex[],
  edges: readonly Edge[],
  uids: ReadonlyMap<number, string>,
): string[] {
  const found: string[] = []
  const visited = new Set<number>()
  const visit = (id: number): void => {
    for (const edge of edges) {
      if (edge.to !== id || edge.isFeedback || visited.has(edge.from)) continue
      visited.add(edge.from)
      const from = vertices[edge.from]
      if (from === undefined) continue
      if (isStateful(from.operator)) found.push(uids.get(from.id) ?? '')
      else visit(from.id)
    }
  }
  visit(vertex.id)
  return found
}
