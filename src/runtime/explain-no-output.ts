// Why nothing comes out of a window: what it waits for, who holds its watermark, and what would let it go on. Reads a running job and changes nothing.
import type { NoOutput, WatermarkHold } from '../model/job.ts'
import type { TimePlace } from '../operators/operator.ts'
import type { ChainNode } from './chain-instance.ts'
import type { Deployment } from './deployment.ts'
import type { Task } from './task.ts'

/** What each step with open windows waits for, subtask by subtask. */
export function explainNoOutput(deployment: Deployment, nowMs: number): readonly NoOutput[] {
  return deployment.tasks.flatMap(task =>
    task.nodes.flatMap((node, position): NoOutput[] => {
      const pending = node.operator.pending?.()
      if (pending === undefined || pending.openWindows === 0) return []
      const { openWindows, timeDomain, nextTimeMs, nextProcessingTimeMs } = pending
      const isOfEventTime = timeDomain === 'event-time'
      const hold = isOfEventTime ? holderBefore(deployment, task, position, new Set()) : undefined
      const facts = {
        step: node.vertex.name,
        uid: node.vertex.uid,
        subtaskIndex: task.subtaskIndex,
        openWindows,
        timeDomain,
        watermark: node.inputWatermark,
        nextTimeMs: finite(nextTimeMs),
        nextProcessingTimeMs: finite(nextProcessingTimeMs),
        hold,
      }
      return [{ ...facts, text: textOf(facts, nowMs) }]
    }),
  )
}

/** Who keeps the watermark that enters the node where it is. */
function holderBefore(deployment: Deployment, task: Task, position: number, visited: Set<ChainNode>): WatermarkHold {
  const node = task.nodes[position] as ChainNode
  if (node.parent >= 0) return holderAt(deployment, task, node.parent, visited)
  const { gate } = task
  const channel = gate.times[gate.timeHolder]?.from.channel
  if (channel === undefined) return { kind: 'idle', step: node.vertex.name, subtaskIndex: task.subtaskIndex }
  for (const { exchange, channels } of deployment.exchanges) {
    const sender = channels.findIndex(row => row.includes(channel))
    if (sender < 0) continue
    const from = deployment.tasks.find(
      other => other.chain.id === exchange.fromChain && other.subtaskIndex === sender,
    ) as Task
    const at = from.nodes.findIndex(({ vertex }) => vertex.id === exchange.edge.from)
    return holderAt(deployment, from, at, visited)
  }
  return { kind: 'none', step: node.vertex.name, subtaskIndex: task.subtaskIndex }
}

/** Who keeps the watermark that leaves the node where it is. */
function holderAt(deployment: Deployment, task: Task, position: number, visited: Set<ChainNode>): WatermarkHold {
  const node = task.nodes[position] as ChainNode
  const place = { step: node.vertex.name, subtaskIndex: task.subtaskIndex }
  if (visited.has(node)) return { kind: 'step', ...place }
  visited.add(node)
  const splits = node.operator.timeHolder?.().splits
  if (splits !== undefined) return splitHold(splits, place)
  if (node.vertex.operator.kind === 'source') return { kind: 'none', ...place }
  if (node.outputWatermark < node.inputWatermark) return { kind: 'step', ...place }
  return holderBefore(deployment, task, position, visited)
}

function splitHold(
  splits: readonly TimePlace[],
  place: { readonly step: string; readonly subtaskIndex: number },
): WatermarkHold {
  const active = splits.filter(({ isIdle, watermark }) => !isIdle && watermark !== Infinity)
  const [first, ...rest] = active
  if (first === undefined) return { kind: 'idle', ...place }
  const slowest = rest.reduce((least, split) => (split.watermark < least.watermark ? split : least), first)
  return { kind: 'split', ...place, split: slowest.id, watermark: slowest.watermark, sinceMs: slowest.advancedAtMs }
}

function textOf(facts: Omit<NoOutput, 'text'>, nowMs: number): string {
  const { step, subtaskIndex, openWindows, timeDomain, watermark, nextTimeMs, nextProcessingTimeMs, hold } = facts
  const windows = openWindows === 1 ? '1 window is open' : `${openWindows} windows are open`
  const lines = [`step "${step}" (subtask ${subtaskIndex}): ${windows}`]
  if (nextTimeMs !== undefined && timeDomain === 'event-time')
    lines.push(`the next fires when the watermark reaches ${nextTimeMs}; it is at ${watermark}`)
  if (nextTimeMs !== undefined && timeDomain === 'stream-time')
    lines.push(`the next fires when a record comes with a timestamp above ${nextTimeMs}`)
  const clockMs = timeDomain === 'processing-time' ? (nextTimeMs ?? Infinity) + 1 : Infinity
  const nextClockMs = Math.min(clockMs, nextProcessingTimeMs ?? Infinity)
  if (nextClockMs !== Infinity)
    lines.push(`the next fires at ${nextClockMs} of processing time, in ${Math.max(0, nextClockMs - nowMs)} ms`)
  if (lines.length === 1) lines.push('its trigger waits for no time: it fires by records, or at the end of the input')
  else if (hold !== undefined && nextTimeMs !== undefined) lines.push(holdText(hold, nowMs))
  return lines.join('; ')
}

function holdText(hold: WatermarkHold, nowMs: number): string {
  const step = `step "${hold.step}" (subtask ${hold.subtaskIndex})`
  switch (hold.kind) {
    case 'split':
      return `split "${hold.split}" of ${step} holds the watermark at ${hold.watermark}, since ${hold.sinceMs} of processing time (${nowMs - hold.sinceMs} ms ago): a later record of it, its end, or idleTimeoutMs of its strategy lets it go on`
    case 'idle':
      return `all that ${step} reads is idle or has ended: time stands still until something of it goes on`
    case 'step':
      return `${step} keeps the watermark back for what it still has to emit`
    case 'none':
      return `${step} makes no watermarks: call assignTimestampsAndWatermarks() behind it, or give the source a strategy`
  }
}

function finite(timeMs: number): number | undefined {
  return Number.isFinite(timeMs) ? timeMs : undefined
}
