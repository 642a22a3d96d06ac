// What a job with checkpoints promises of each of its sinks after a failure, end to end, and what limits it.
import type { CheckpointMode } from './checkpoint-options.ts'
import type { SinkSpec, SourceSpec } from './connector.ts'
import type { Graph, Vertex } from './graph.ts'
import { edgesInto } from './graph.ts'

/** `at-most-once`: records that a source gave and no checkpoint holds are lost. With a write-ahead log, what holds counts from the log on. */
export type Guarantee = 'exactly-once' | 'at-least-once' | 'at-most-once'

/** The guarantee of one sink, with checkpoints. */
export interface SinkGuarantee {
  readonly vertex: Vertex
  readonly guarantee: Guarantee
  /** What keeps it from more, or what it rests on. */
  readonly reasons: readonly string[]
}

/** The guarantees of all sinks. With at-most-once they are those of failures that the process survives. */
export function sinkGuarantees(graph: Graph, mode: CheckpointMode = 'exactly-once'): readonly SinkGuarantee[] {
  return graph.vertices.flatMap((vertex): readonly SinkGuarantee[] => {
    const { operator } = vertex
    if (operator.kind !== 'sink') return []
    const sources = sourcesOf(graph, vertex.id, new Set())
    if (mode === 'at-most-once') return [{ vertex, guarantee: mode, reasons: atMostOnceTexts(operator.sink) }]
    const lossy = sources.filter(source => source.isReplayable === false)
    const isLossy = lossy.some(source => source.isLogged !== true)
    const guarantee = guaranteeOf(operator.sink, isLossy, mode)
    const reasons = [...lossy.map(lossText), ...modeTexts(mode), deliveryText(operator.sink)]
    return [{ vertex, guarantee, reasons }]
  })
}

/** One line for each sink. */
export function guaranteeTexts(graph: Graph, mode?: CheckpointMode): readonly string[] {
  return sinkGuarantees(graph, mode).map(
    ({ vertex, guarantee, reasons }) =>
      `with checkpoints, ${vertex.id} ${vertex.name} is ${guarantee}: ${reasons.join('; ')}`,
  )
}

function guaranteeOf({ delivery }: SinkSpec, isLossy: boolean, mode: CheckpointMode): Guarantee {
  if (isLossy) return 'at-most-once'
  if (mode === 'at-least-once') return mode
  return delivery === 'transactional' || delivery === 'idempotent' ? 'exactly-once' : 'at-least-once'
}

function modeTexts(mode: CheckpointMode): readonly string[] {
  return mode === 'exactly-once' ? [] : ['in this mode a record may count twice in state after a failure']
}

function atMostOnceTexts({ delivery, description }: SinkSpec): readonly string[] {
  const lost =
    delivery === 'transactional'
      ? `${description} shows records when their checkpoint is complete, and loses those behind it with a failure`
      : `records that were under way to ${description} are lost with a failure`
  const otherwise =
    delivery === 'transactional' || delivery === 'idempotent'
      ? 'a new process reads again from the checkpoint'
      : 'a new process reads again from the checkpoint, so what was written since is written again'
  return ['sources go on behind what they had read', lost, otherwise]
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
