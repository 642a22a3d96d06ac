// A plan for readers: text for people, plain data for programs and the dashboard. Golden tests hold both.
import { locationText } from '../base/source-location.ts'
import type { CheckpointMode } from '../model/checkpoint-options.ts'
import { operatorText } from '../model/describe.ts'
import type { BootstrapInput, Graph, Vertex } from '../model/graph.ts'
import { guaranteeTexts, sinkGuarantees } from '../model/guarantees.ts'
import type { Explanation } from '../model/job.ts'
import { keySelectorText } from '../model/key.ts'
import { isStateful } from '../model/operator-spec.ts'
import { partitioningText } from '../model/partitioning.ts'
import { graphWarnings } from '../model/warnings.ts'
import type { Chain, Exchange, PhysicalPlan } from './physical-plan.ts'
import { planGraph } from './plan.ts'

/** What a reader may choose. */
export interface ExplainOptions {
  /** Shows where each step was written; off for texts that are compared. */
  readonly showLocations: boolean
  readonly channelCapacityRecords: number
  /** What sinks guarantee depends on it; exactly-once unless given. */
  readonly checkpointMode?: CheckpointMode | undefined
}

/** The plan of a graph in words and as data. */
export function explainGraph(graph: Graph, options: ExplainOptions): Explanation {
  const plan = planGraph(graph)
  return { text: planText(plan, options), json: planJson(plan, options) }
}

function planText(plan: PhysicalPlan, options: ExplainOptions): string {
  const { graph, chains, exchanges } = plan
  const tasks = chains.reduce((sum, chain) => sum + chain.parallelism, 0)
  const heading = `job "${graph.name}" (graph ${plan.graphHash}): ${counted(chains.length, 'chain')}, ${counted(tasks, 'task')}`
  const blocks = chains.map(chain => chainText(plan, chain, exchanges, options))
  const notes = graphWarnings(graph).map(text => `warning: ${text}`)
  return [heading, ...blocks, ...guaranteeTexts(graph, options.checkpointMode), ...notes, ...warnings(graph)].join('\n')
}

function chainText(plan: PhysicalPlan, chain: Chain, exchanges: readonly Exchange[], options: ExplainOptions): string {
  const pinned = chain.placement === 'main-thread' ? ', on the main thread' : ''
  const lines = [`chain ${chain.id}, parallelism ${chain.parallelism}${pinned}`]
  for (const [index, id] of chain.vertices.entries()) {
    const origin = originText(plan.graph, chain, index)
    lines.push(`  ${vertexText(plan.graph.vertices[id] as Vertex, options)}${origin}`)
    for (const exchange of exchanges) {
      if (exchange.edge.from === id) lines.push(`    ${exchangeText(plan.graph, exchange, options)}`)
    }
  }
  return lines.join('\n')
}

// Inside a chain a step reads the line above it; where it does not, as after a branch, the text says what it reads.
function originText(graph: Graph, chain: Chain, index: number): string {
  const link = chain.links.find(edge => edge.to === chain.vertices[index])
  if (link === undefined || (link.outputTag === undefined && link.from === chain.vertices[index - 1])) return ''
  const tag = link.outputTag === undefined ? '' : `side output "${link.outputTag}" of `
  return `, reads ${tag}${link.from} ${graph.vertices[link.from]?.name}`
}

function vertexText(vertex: Vertex, options: ExplainOptions): string {
  const key = vertex.keySelectors.length === 0 ? '' : ` by ${vertex.keySelectors.map(keySelectorText).join(' and ')}`
  const what = operatorText(vertex.operator)
  const uid = isStateful(vertex.operator) ? ` [uid ${vertex.uid}${vertex.isUidDerived ? ', derived' : ''}]` : ''
  const place = options.showLocations ? locationText(vertex.location) : ''
  return `${vertex.id} ${vertex.name}${what === vertex.name ? '' : `: ${what}`}${key}${bootstrapText(vertex)}${uid}${place === '' ? '' : ` (${place})`}`
}

function bootstrapText({ bootstrap }: Vertex): string {
  if (bootstrap === undefined) return ''
  const { input, untilMs = Infinity } = bootstrap
  const reached = untilMs === Infinity ? '' : `its watermark is ${untilMs}, or `
  return `, reads input ${input} first, until ${reached}it has ended or is idle`
}

function exchangeText(graph: Graph, exchange: Exchange, options: ExplainOptions): string {
  const { edge } = exchange
  const target = graph.vertices[edge.to] as Vertex
  const tag = edge.outputTag === undefined ? '' : ` side output "${edge.outputTag}"`
  const input = edge.input === 0 ? '' : ` input ${edge.input}`
  if (edge.isFeedback) return `=>${tag} back to chain ${exchange.toChain} (${target.id} ${target.name}) as feedback`
  return `=>${tag} chain ${exchange.toChain} (${target.id} ${target.name}${input}) by ${partitioningText(edge.partitioning)}; columns ${exchange.columns.join(', ')}; ${options.channelCapacityRecords} records a channel`
}

function warnings(graph: Graph): string[] {
  const derived = graph.vertices.filter(
    vertex =>
      isStateful(vertex.operator) &&
      vertex.isUidDerived &&
      vertex.operator.kind !== 'source' &&
      vertex.operator.kind !== 'sink',
  )
  if (derived.length === 0) return []
  const names = derived.map(vertex => `"${vertex.name}"`).join(', ')
  return [
    `note: the uid of ${names} is derived from the graph; give it with uid() so that its state survives changes of the job`,
  ]
}

function planJson(plan: PhysicalPlan, options: ExplainOptions): unknown {
  return {
    name: plan.graph.name,
    graphHash: plan.graphHash,
    channelCapacityRecords: options.channelCapacityRecords,
    vertices: plan.graph.vertices.map(vertex => ({
      id: vertex.id,
      uid: vertex.uid,
      isUidDerived: vertex.isUidDerived,
      name: vertex.name,
      kind: vertex.operator.kind,
      operator: operatorText(vertex.operator),
      keys: vertex.keySelectors.map(keySelectorText),
      parallelism: vertex.parallelism,
      maxParallelism: vertex.maxParallelism,
      placement: vertex.placement,
      ...(vertex.bootstrap === undefined ? {} : { bootstrap: bootstrapJson(vertex.bootstrap) }),
      ...(options.showLocations && vertex.location !== undefined ? { location: locationText(vertex.location) } : {}),
    })),
    edges: plan.graph.edges.map(edge => ({
      from: edge.from,
      to: edge.to,
      input: edge.input,
      partitioning: partitioningText(edge.partitioning),
      ...(edge.outputTag === undefined ? {} : { outputTag: edge.outputTag }),
      isFeedback: edge.isFeedback,
      isChained: plan.exchanges.every(exchange => exchange.edge !== edge),
    })),
    chains: plan.chains.map(chain => ({
      id: chain.id,
      name: chain.name,
      vertices: chain.vertices,
      parallelism: chain.parallelism,
      placement: chain.placement,
      keyGroups: chain.subtasks.map(subtask => [subtask.keyGroups.from, subtask.keyGroups.to]),
    })),
    guarantees: sinkGuarantees(plan.graph, options.checkpointMode).map(({ vertex, guarantee, reasons }) => ({
      sink: vertex.id,
      guarantee,
      reasons,
    })),
    exchanges: plan.exchanges.map(exchange => ({
      fromChain: exchange.fromChain,
      toChain: exchange.toChain,
      from: exchange.edge.from,
      to: exchange.edge.to,
      columns: exchange.columns,
    })),
  }
}

// JSON has no infinity: without a time the input is read to its end.
function bootstrapJson({ input, untilMs = Infinity }: BootstrapInput): unknown {
  return untilMs === Infinity ? { input } : { input, untilMs }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
