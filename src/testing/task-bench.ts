// Tasks by themselves, stepped by hand: a small graph, each step of it in a task of its own, its channels within reach.
import { silentLogger } from '../base/logger.ts'
import { GraphBuilder, type VertexDraft } from '../model/graph-builder.ts'
import { functionSelector } from '../model/key.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import { planGraph } from '../plan/plan.ts'
import type { Element } from '../runtime/batch.ts'
import type { Channel } from '../runtime/channel.ts'
import { deploy } from '../runtime/deployment.ts'
import { VirtualClock } from '../runtime/simulated-scheduler.ts'
import type { Task } from '../runtime/task.ts'
import { collectingSink, customConnectors, valuesSource } from './collections.ts'

/** The tasks of a graph, opened and not yet stepped. */
export interface TaskBench {
  readonly tasks: readonly Task[]
  readonly clock: VirtualClock
  /** The channels of the graph's edges between tasks, in the order of the edges. */
  readonly channels: readonly Channel[]
}

/** Deploys a graph at parallelism 1. */
export async function taskBench(
  build: (graph: GraphBuilder) => void,
  channelCapacityRecords = 1_000_000,
  wake: () => void = () => {},
): Promise<TaskBench> {
  const graph = new GraphBuilder()
  build(graph)
  const clock = new VirtualClock(0)
  const deployment = await deploy({
    plan: planGraph(graph.build('bench', { parallelism: 1 })),
    connectors: customConnectors,
    clock,
    logger: silentLogger,
    seed: 1,
    channelCapacityRecords,
    wake,
  })
  for (const task of deployment.tasks) await task.open()
  const channels = deployment.exchanges.flatMap(exchange => exchange.channels.flat()) as Channel[]
  return { tasks: deployment.tasks, clock, channels }
}

/** Adds a step that is not chained to the one before it. */
export function addStep(graph: GraphBuilder, name: string, operator: OperatorSpec, from?: VertexDraft): VertexDraft {
  const isKeyed = operator.kind === 'keyed-process'
  const key = functionSelector((record: unknown) => record)
  const vertex = graph.addVertex({ name, operator, ...(isKeyed ? { keySelectors: [key] } : {}) })
  vertex.chaining = 'disabled'
  if (from !== undefined) {
    graph.addEdge({ from: from.id, to: vertex.id, partitioning: isKeyed ? { kind: 'hash', key } : undefined })
  }
  return vertex
}

/** A source, the operator, and a sink, each in a task of its own. */
export function around(operator: OperatorSpec): (graph: GraphBuilder) => void {
  return graph => {
    const source = addStep(graph, 'source', { kind: 'source', source: valuesSource([]) })
    const step = addStep(graph, 'step', operator, source)
    addStep(graph, 'sink', { kind: 'sink', sink: collectingSink().spec }, step)
  }
}

/** Takes all that a channel holds. */
export function drain(channel: Channel): Element[] {
  const elements: Element[] = []
  for (let element = channel.poll(); element !== undefined; element = channel.poll()) {
    elements.push(element)
    if (element.kind === 'batch') channel.consumed(element.values.length)
  }
  return elements
}
