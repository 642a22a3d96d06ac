// Reads the counters of a deployment; nothing here is on the record path.
import type { EdgeMetrics, JobMetrics, VertexMetrics } from '../model/job.ts'
import type { ChainNode } from './chain-instance.ts'
import type { DeployedExchange, Deployment } from './deployment.ts'

/** A reading of all counters. */
export function readMetrics(deployment: Deployment): JobMetrics {
  const { tasks, exchanges, plan } = deployment
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
      return vertexMetrics(mine, roots.length === 0 ? undefined : total(roots, task => task.recordsIn))
    }),
    edges: exchanges.map(exchange => edgeMetrics(exchange, deployment)),
  }
}

function vertexMetrics(nodes: readonly ChainNode[], rootRecordsIn: number | undefined): VertexMetrics {
  const { vertex } = nodes[0] as ChainNode
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

function edgeMetrics({ exchange, channels }: DeployedExchange, deployment: Deployment): EdgeMetrics {
  const { vertices } = deployment.plan.graph
  const used = channels.flat().filter(channel => channel !== undefined)
  return {
    from: vertices[exchange.edge.from]?.name ?? '',
    to: vertices[exchange.edge.to]?.name ?? '',
    capacityRecords: used[0]?.capacityRecords ?? 0,
    channels: used.length,
    queuedRecords: total(used, channel => channel.heldRecords),
    queuedRecordsPeak: used.reduce((peak, channel) => Math.max(peak, channel.heldRecordsPeak), 0),
  }
}

function total<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((sum, item) => sum + count(item), 0)
}
