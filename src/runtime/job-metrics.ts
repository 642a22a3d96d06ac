// Reads the counters of a deployment; nothing here is on the record path.
import type { Vertex } from '../model/graph.ts'
import type { EdgeMetrics, JobMetrics, VertexMetrics } from '../model/job.ts'
import type { Exchange } from '../plan/physical-plan.ts'
import type { ChainNode } from './chain-instance.ts'
import type { Deployment } from './deployment.ts'

/** A reading of all counters; of the tasks of this thread, where there are others. */
export function readMetrics(deployment: Deployment): JobMetrics {
  const { tasks, plan } = deployment
  const nodes = tasks.flatMap(task => task.nodes)
  const sinks = nodes.filter(node => node.vertex.operator.kind === 'sink')
  const sources = nodes.filter(node => node.vertex.operator.kind === 'source')
  return {
    recordsIn: total(sources, node => node.counters.recordsOut),
    recordsOut: total(sinks, node => node.counters.recordsIn),
    watermark: sinks.reduce((smallest, node) => Math.min(smallest, node.outputWatermark), Infinity),
    backpressuredShare:
      tasks.length === 0 ? 0 : tasks.filter(task => task.status === 'backpressured').length / tasks.length,
    vertices: plan.graph.vertices.map(vertex => {
      const mine = nodes.filter(node => node.vertex.id === vertex.id)
      const roots = tasks.filter(task => task.nodes[0]?.vertex.id === vertex.id)
      return vertexMetrics(vertex, mine, roots.length === 0 ? undefined : total(roots, task => task.recordsIn))
    }),
    edges: plan.exchanges.map(exchange => edgeMetrics(exchange, deployment)),
  }
}

function vertexMetrics(vertex: Vertex, nodes: readonly ChainNode[], rootRecordsIn: number | undefined): VertexMetrics {
  const { kind } = vertex.operator
  return {
    uid: vertex.uid,
    name: vertex.name,
    parallelism: vertex.parallelism,
    recordsIn: kind === 'source' ? 0 : kind === 'sink' ? total(nodes, node => node.counters.recordsIn) : rootRecordsIn,
    recordsOut: kind === 'source' ? total(nodes, node => node.counters.recordsOut) : kind === 'sink' ? 0 : undefined,
    watermark: nodes.reduce((smallest, node) => Math.min(smallest, node.outputWatermark), Infinity),
    lateRecordsDropped: total(nodes, node => node.counters.lateRecordsDropped),
    lateRecords: total(nodes, node => node.counters.lateRecords),
    closedWindowRecordsDropped: total(nodes, node => node.counters.closedWindowRecordsDropped),
    unfiredRecordsDropped: total(nodes, node => node.counters.unfiredRecordsDropped),
    futureTimestamps: total(nodes, node => node.counters.futureTimestamps),
    duplicatesDropped: total(nodes, node => node.counters.duplicatesDropped),
    keysHeld:
      nodes[0]?.operator.keysHeld === undefined ? undefined : total(nodes, node => node.operator.keysHeld?.() ?? 0),
  }
}

function edgeMetrics(exchange: Exchange, { plan, exchanges, crossings }: Deployment): EdgeMetrics {
  const { vertices } = plan.graph
  const channels = exchanges.find(deployed => deployed.exchange.id === exchange.id)?.channels ?? []
  const used = channels.flat().filter(channel => channel !== undefined)
  // What crosses threads is counted by its sender's.
  const arriving = crossings.filter(({ exchange: { id }, side }) => id === exchange.id && side === 'in')
  return {
    from: vertices[exchange.edge.from]?.name ?? '',
    to: vertices[exchange.edge.to]?.name ?? '',
    capacityRecords: used[0]?.capacityRecords ?? 0,
    channels: used.length - arriving.length,
    queuedRecords: total(used, channel => channel.heldRecords),
    queuedRecordsPeak: used.reduce((peak, channel) => Math.max(peak, channel.heldRecordsPeak), 0),
  }
}

function addVertices(a: VertexMetrics, b: VertexMetrics): VertexMetrics {
  return {
    ...a,
    recordsIn: addKnown(a.recordsIn, b.recordsIn),
    recordsOut: addKnown(a.recordsOut, b.recordsOut),
    watermark: Math.min(a.watermark, b.watermark),
    lateRecordsDropped: a.lateRecordsDropped + b.lateRecordsDropped,
    lateRecords: a.lateRecords + b.lateRecords,
    closedWindowRecordsDropped: a.closedWindowRecordsDropped + b.closedWindowRecordsDropped,
    unfiredRecordsDropped: a.unfiredRecordsDropped + b.unfiredRecordsDropped,
    futureTimestamps: a.futureTimestamps + b.futureTimestamps,
    duplicatesDropped: a.duplicatesDropped + b.duplicatesDropped,
    keysHeld: addKnown(a.keysHeld, b.keysHeld),
  }
}

function addEdges(a: EdgeMetrics, b: EdgeMetrics): EdgeMetrics {
  return {
    ...a,
    capacityRecords: Math.max(a.capacityRecords, b.capacityRecords),
    channels: a.channels + b.channels,
    queuedRecords: a.queuedRecords + b.queuedRecords,
    queuedRecordsPeak: Math.max(a.queuedRecordsPeak, b.queuedRecordsPeak),
  }
}

/** A thread without tasks of a step knows nothing of it. */
function addKnown(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return a + b
}

function total<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((sum, item) => sum + count(item), 0)
}

/** What several threads read, each of its own tasks, as one. */
export function addMetrics(parts: readonly JobMetrics[]): JobMetrics {
  const [first, ...others] = parts
  return others.reduce(addTwo, first as JobMetrics)
}

function addTwo(a: JobMetrics, b: JobMetrics): JobMetrics {
  return {
    recordsIn: a.recordsIn + b.recordsIn,
    recordsOut: a.recordsOut + b.recordsOut,
    watermark: Math.min(a.watermark, b.watermark),
    backpressuredShare: Math.max(a.backpressuredShare, b.backpressuredShare),
    vertices: a.vertices.map((vertex, index) => addVertices(vertex, b.vertices[index] as VertexMetrics)),
    edges: a.edges.map((edge, index) => addEdges(edge, b.edges[index] as EdgeMetrics)),
  }
}
