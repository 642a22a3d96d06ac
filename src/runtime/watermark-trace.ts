// Who keeps a watermark where it is: follows it upstream, from task to task, to the split or the step that it waits for. Reads a running job
// and changes nothing.
import type { WatermarkHold } from '../model/job.ts'
import { strategyOf } from '../model/operator-spec.ts'
import type { TimePlace } from '../operators/operator.ts'
import type { ChainNode } from './chain-instance.ts'
import type { Deployment } from './deployment.ts'
import type { Task } from './task.ts'

type Place = Pick<WatermarkHold, 'step' | 'subtaskIndex'>

/** The holder of the watermark that enters the node at a position of a task's chain. */
export function traceWatermark(deployment: Deployment, task: Task, position: number): WatermarkHold {
  return new Trace(deployment).before(task, position)
}

class Trace {
  private readonly deployment: Deployment
  private readonly visited = new Set<ChainNode>()

  constructor(deployment: Deployment) {
    this.deployment = deployment
  }

  before(task: Task, position: number): WatermarkHold {
    const node = task.nodes[position] as ChainNode
    const parent = task.nodes[node.parent]
    if (parent === undefined) return this.outside(task, node)
    // What the step before has is not taken up yet: the task is in the middle of something, or has no room for what that emits.
    if (parent.outputWatermark > node.inputWatermark) return underWay(task, node)
    return this.after(task, node.parent)
  }

  private outside(task: Task, root: ChainNode): WatermarkHold {
    const { gate } = task
    const place = placeOf(task, root)
    if (gate.awaitedInput !== undefined) return { kind: 'bootstrap', ...place }
    if (gate.watermark > root.inputWatermark) return underWay(task, root)
    const held = gate.times[gate.timeHolder]
    if (held === undefined) return { kind: 'idle', ...place, splits: [] }
    const sender = this.senderOf(held.from.channel)
    if (sender === undefined) return this.elsewhere(held.from.channel) ?? { kind: 'none', ...place }
    const from = sender.task.nodes[sender.position] as ChainNode
    if (from.outputWatermark > held.watermark) return underWay(task, root)
    return this.after(sender.task, sender.position)
  }

  private after(task: Task, position: number): WatermarkHold {
    const node = task.nodes[position] as ChainNode
    const { operator } = node.vertex
    const place = placeOf(task, node)
    if (this.visited.has(node)) return { kind: 'loop', ...place }
    this.visited.add(node)
    const splits = node.operator.timeHolder?.().splits
    if (splits !== undefined) return splitHold(splits, place, strategyOf(operator)?.idleTimeoutMs !== undefined, task)
    if (operator.kind === 'source') return { kind: 'none', ...place }
    if (node.outputWatermark < node.inputWatermark) {
      if (operator.kind === 'async') return { kind: 'async', ...place }
      if (operator.kind === 'feedback') return { kind: 'loop', ...place }
      if (operator.kind === 'window' || operator.kind === 'per-record-window') return { kind: 'results', ...place }
      // A step that stays behind by a fixed time is not what it waits for.
    }
    return this.before(task, position)
  }

  /** The sender of a channel from another thread. */
  private elsewhere(channel: unknown): WatermarkHold | undefined {
    const { plan, crossings } = this.deployment
    const crossing = crossings.find(candidate => candidate.channel === channel)
    if (crossing === undefined) return undefined
    const step = plan.graph.vertices[crossing.exchange.edge.from]?.name ?? ''
    return { kind: 'elsewhere', step, subtaskIndex: crossing.sender }
  }

  private senderOf(channel: unknown): { readonly task: Task; readonly position: number } | undefined {
    for (const { exchange, channels } of this.deployment.exchanges) {
      const sender = channels.findIndex(row => row.some(candidate => candidate === channel))
      if (sender < 0) continue
      const { fromChain, edge } = exchange
      const task = this.deployment.tasks.find(
        ({ chain, subtaskIndex }) => chain.id === fromChain && subtaskIndex === sender,
      )
      const position = task?.nodes.findIndex(({ vertex }) => vertex.id === edge.from) ?? -1
      return task === undefined || position < 0 ? undefined : { task, position }
    }
    return undefined
  }
}

function placeOf(task: Task, node: ChainNode): Place {
  return { step: node.vertex.name, subtaskIndex: task.subtaskIndex }
}

function underWay(task: Task, node: ChainNode): WatermarkHold {
  return { kind: task.status === 'backpressured' ? 'back-pressure' : 'under-way', ...placeOf(task, node) }
}

function splitHold(splits: readonly TimePlace[], place: Place, mayBeIdle: boolean, task: Task): WatermarkHold {
  const active = splits.filter(({ isIdle, watermark }) => !isIdle && watermark !== Infinity)
  const [first, ...rest] = active
  const idle = splits.filter(({ isIdle }) => isIdle).map(({ id }) => id)
  if (first === undefined) return { kind: 'idle', ...place, splits: idle }
  if (task.status === 'backpressured') return { kind: 'back-pressure', ...place }
  const { id, watermark, advancedAtMs, alignmentGroup } = rest.reduce(
    (least, split) => (split.watermark < least.watermark ? split : least),
    first,
  )
  const group = alignmentGroup === undefined ? {} : { alignmentGroup }
  return { kind: 'split', ...place, split: id, watermark, sinceMs: advancedAtMs, mayBeIdle, ...group }
}
