// Why nothing comes out of a step: what its windows and timers wait for, who holds its watermark, and what would let it go on.
import type { NoOutput, WatermarkHold } from '../model/job.ts'
import type { PendingWork } from '../operators/operator.ts'
import type { ChainNode } from './chain-instance.ts'
import type { Deployment } from './deployment.ts'
import type { Task } from './task.ts'
import { traceWatermark } from './watermark-trace.ts'

/** What each step with windows or timers waits for, subtask by subtask. */
export function explainNoOutput(deployment: Deployment, nowMs: number): readonly NoOutput[] {
  return deployment.tasks.flatMap(task =>
    task.nodes.flatMap((node, position): NoOutput[] => {
      const pending = node.operator.pending?.()
      if (pending === undefined || pending.count === 0) return []
      const facts = { ...factsOf(task, node, pending), hold: holdOf(deployment, task, position, pending) }
      return [{ ...facts, text: textOf(facts, nowMs) }]
    }),
  )
}

function factsOf(task: Task, node: ChainNode, pending: PendingWork) {
  const isProcessing = pending.timeDomain === 'processing-time'
  // A window of processing time fires when its last millisecond is over.
  const clockMs = isProcessing
    ? Math.min(pending.nextTimeMs + 1, pending.nextProcessingTimeMs)
    : pending.nextProcessingTimeMs
  return {
    step: node.vertex.name,
    uid: node.vertex.uid,
    subtaskIndex: task.subtaskIndex,
    waiting: pending.kind,
    count: pending.count,
    timeDomain: pending.timeDomain,
    watermark: node.inputWatermark,
    nextTimeMs: isProcessing ? undefined : finite(pending.nextTimeMs),
    nextProcessingTimeMs: finite(clockMs),
  }
}

// Where nothing waits for the watermark it is nobody's fault.
function holdOf(deployment: Deployment, task: Task, position: number, pending: PendingWork): WatermarkHold | undefined {
  if (pending.timeDomain !== 'event-time' || !Number.isFinite(pending.nextTimeMs)) return undefined
  return traceWatermark(deployment, task, position)
}

function textOf(facts: Omit<NoOutput, 'text'>, nowMs: number): string {
  const { step, subtaskIndex, waiting, count, timeDomain, watermark, nextTimeMs, nextProcessingTimeMs, hold } = facts
  const noun = waiting === 'windows' ? 'window' : 'timer'
  const lines = [`step "${step}" (subtask ${subtaskIndex}): ${count} ${noun}${count === 1 ? ' is' : 's are'} waiting`]
  if (nextTimeMs !== undefined && timeDomain === 'event-time') {
    const now = watermark === -Infinity ? 'there is none yet' : `it is at ${watermark}`
    lines.push(`the next fires when the watermark reaches ${nextTimeMs}; ${now}`)
  }
  if (nextTimeMs !== undefined && timeDomain === 'stream-time')
    lines.push(`the next fires when a record comes with a timestamp above ${nextTimeMs}`)
  if (nextProcessingTimeMs !== undefined) {
    const inMs = Math.max(0, nextProcessingTimeMs - nowMs)
    lines.push(`the next fires at ${nextProcessingTimeMs} of processing time, in ${inMs} ms`)
  }
  if (lines.length === 1)
    lines.push('nothing fires by time: records do, or the end of the input where a final pane is due')
  if (hold !== undefined) lines.push(holdText(hold, nowMs))
  return lines.join('; ')
}

function holdText(hold: WatermarkHold, nowMs: number): string {
  const step = `step "${hold.step}" (subtask ${hold.subtaskIndex})`
  switch (hold.kind) {
    case 'split':
      return splitText(hold, step, nowMs)
    case 'idle': {
      const what =
        hold.splits.length === 0 ? `all that ${step} reads` : `each split of ${step} (${hold.splits.join(', ')})`
      return `${what} is idle or has ended: time stands still until something of it goes on`
    }
    case 'back-pressure':
      return `${step} has no room for its output: what reads it is slower and holds it back`
    case 'under-way':
      return `the watermark is further already, and ${step} is about to take it up`
    case 'bootstrap':
      return `${step} reads its bootstrap input first and leaves the others alone until that has got far enough`
    case 'async':
      return `${step} waits for asynchronous calls under way`
    case 'loop':
      return `${step} waits for records that still go round its loop`
    case 'results':
      return `${step} holds it back for results with earlier timestamps that it has not emitted yet`
    case 'elsewhere':
      return `${step}, which runs in another thread, has sent no later watermark: run the job with one thread to see what that waits for`
    case 'none':
      return `${step} makes no watermarks: call assignTimestampsAndWatermarks() behind it, or give the source a strategy`
  }
}

function splitText(hold: Extract<WatermarkHold, { readonly kind: 'split' }>, step: string, nowMs: number): string {
  const { split, watermark, sinceMs, mayBeIdle, alignmentGroup } = hold
  const at = watermark === -Infinity ? 'has given no watermark' : `holds the watermark at ${watermark}`
  const since = `split "${split}" of ${step} ${at}, since ${sinceMs} of processing time (${nowMs - sinceMs} ms ago)`
  if (alignmentGroup !== undefined)
    return `${since}: it is not read until the others of alignment group "${alignmentGroup}" have caught up`
  const idleness = mayBeIdle ? 'being without records for its idleTimeoutMs' : 'an idleTimeoutMs in its strategy'
  return `${since}: a later record of it, its end, or ${idleness} lets it go on`
}

function finite(timeMs: number): number | undefined {
  return Number.isFinite(timeMs) ? timeMs : undefined
}
