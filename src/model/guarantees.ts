// What a job with checkpoints promises of each of its sinks after a failure, end to end, and what limits it.
import type { SinkSpec, SourceSpec } from './connector.ts'
import type { Graph, Vertex } from './graph.ts'
import { edgesInto } from './graph.ts'

/** `at-most-once`: records that a source gave and no checkpoint holds are lost. With a write-ahead log, what holds counts from the log on. */
export type Guarantee = 'exactly-once' | 'at-least-once' | 'at-most-once'

/** The guarantee of one sink, with checkpoints in mode exactly-once. */
export interface SinkGuarantee {
  readonly vertex: Vertex
  readonly guarantee: Guarantee
  /** What keeps it from more, or what it rests on. */
  readonly reasons: readonly string[]
}

/** The guarantees of all sinks. */
export function sinkGuarantees(graph: Graph): readonly SinkGuarantee[] {
  return graph.vertices.flatMap(vertex => {
    const { operator } = vertex
    if (operator.kind !== 'sink') return []
    const sources = sourcesOf(graph, vertex.id, new Set())
    const lossy = sources.filter(source => source.isReplayable === false)
    const reasons = [...lossy.map(lossText), deliveryText(operator.sink)]
    const isLossy = lossy.some(source => source.isLogged !== true)
    return [{ vertex, guarantee: guaranteeOf(operator.sink, isLossy), reasons }]
  })
}

/** One line for each sink. */
export function guaranteeTexts(graph: Graph): readonly string[] {
  return sinkGuarantees(graph).map(
    ({ vertex, guarantee, reasons }) =>
      `with checkpoints, ${vertex.id} ${vertex.name} is ${guarantee}: ${reasons.join('; ')}`,
  )
}

function guaranteeOf({ delivery }: SinkSpec, isLossy: boolean): Guarantee {
  if (isLossy) return 'at-most-once'
  return delivery === 'transactional' || delivery === 'idempotent' ? 'exactly-once' : 'at-least-once'
}

function deliveryText({ delivery, description }: SinkSpec): string {
  switch (delivery) {
    case 'transactional':
      return `${description} shows records when their checkpoint is complete`
    case 'idempotent':
      return `${description} replaces what it writes again`
    default:
      return `${description} has no transactions, so what it wrote since the last checkpoint is written again after a failure`
  }
}

function lossText({ description, isLogged }: SourceSpec): string {
  if (isLogged === true)
    return `${description} counts from its write-ahead log on: what it gave and was not in the log yet is lost with a failure`
  return `${description} cannot go back, so what it gave since the last checkpoint is lost with a failure`
}

function sourcesOf(graph: Graph, vertexId: number, visited: Set<number>): readonly SourceSpec[] {
  if (visited.has(vertexId)) return []
  visited.add(vertexId)
  const { operator } = graph.vertices[vertexId] as Vertex
  if (operator.kind === 'source') return [operator.source]
  return edgesInto(graph, vertexId).flatMap(edge => sourcesOf(graph, edge.from, visited))
}
