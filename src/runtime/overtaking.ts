// Unaligned snapshots (as Flink's FLIP-76): the barrier overtakes what is queued before it, which becomes part of the snapshot, so that a
// checkpoint does not wait for records that nobody takes.
import { edgesInto, type Graph } from '../model/graph.ts'
import { isStateful } from '../model/operator-spec.ts'
import type { Chain } from '../plan/physical-plan.ts'
import type { BarrierMode } from './barrier-aligner.ts'
import type { Barrier, Element } from './batch.ts'
import type { InFlightLog } from './in-flight-log.ts'
import type { InputChannel, ReceivedBatch } from './input-channel.ts'

/** A channel of the gate: its position among the ordinary ones. */
export interface OvertakableChannel extends InputChannel {
  readonly ordinary: number
}

/** The overtaking at one gate. */
export class Overtaking {
  private readonly log: InFlightLog
  /** After so long (ms) of waiting for the barrier of an aligned snapshot it overtakes; Infinity for never. */
  private readonly alignmentTimeoutMs: number
  private alignedSinceMs = Infinity
  private alignedId = 0
  /** The channels whose barrier is still to come, of the snapshot that overtook. */
  private awaited = new Set<OvertakableChannel>()
  private snapshotId = 0

  constructor(log: InFlightLog, alignmentTimeoutMs: number) {
    this.log = log
    this.alignmentTimeoutMs = alignmentTimeoutMs
  }

  /** When an alignment under way has lasted long enough. */
  get deadlineMs(): number {
    return this.alignedSinceMs + this.alignmentTimeoutMs
  }

  /** The barrier that is to overtake now; `aligning` is the one that some channels wait for. */
  due(channels: readonly OvertakableChannel[], aligning: Barrier | undefined, nowMs: number): Barrier | undefined {
    if (aligning === undefined) this.alignedSinceMs = Infinity
    else {
      if (aligning.isUnaligned) return aligning
      if (aligning.snapshotId !== this.alignedId) {
        this.alignedId = aligning.snapshotId
        this.alignedSinceMs = nowMs
      }
      if (nowMs >= this.deadlineMs) return aligning
    }
    for (const { channel } of channels) {
      const queued = channel.queuedBarrier
      if (queued?.isUnaligned === true) return queued
    }
    return undefined
  }

  /** Takes note of what the barrier overtakes in the channels that it has not come over: first what is left of the batch at hand. */
  overtake(
    barrier: Barrier,
    channels: readonly OvertakableChannel[],
    left: { readonly received: ReceivedBatch; readonly channel: number; readonly from: number } | undefined,
    channelCount: number,
  ): void {
    const { log } = this
    log.arm(channelCount)
    this.alignedSinceMs = Infinity
    this.snapshotId = barrier.snapshotId
    if (left !== undefined) log.note(left.channel, left.received.from.input, left.received.batch, left.from)
    this.awaited = new Set(channels.filter(channel => !this.takeBarrier(channel, barrier)))
    if (this.awaited.size === 0) log.complete()
  }

  /** An element of a channel, before the task sees it; true when it was the barrier awaited. */
  note(channel: OvertakableChannel, element: Element): boolean {
    if (!this.awaited.has(channel)) return false
    const isBarrier = element.kind === 'barrier' && element.snapshotId >= this.snapshotId
    if (!isBarrier && element.kind !== 'end') {
      this.log.note(channel.ordinary, channel.input, element)
      return false
    }
    this.awaited.delete(channel)
    if (this.awaited.size === 0) this.log.complete()
    return isBarrier
  }

  /** The snapshot will never be complete. */
  abort(snapshotId: number): void {
    if (snapshotId >= this.snapshotId) this.awaited.clear()
  }

  private takeBarrier(channel: OvertakableChannel, { snapshotId }: Barrier): boolean {
    const before = channel.channel.takeBarrier(snapshotId)
    for (const element of before ?? []) this.log.note(channel.ordinary, channel.input, element)
    return before !== undefined
  }
}

/** What of a task says whether barriers may overtake in front of it. */
export interface OvertakableTask {
  readonly graph: Graph
  readonly chain: Chain
  readonly inputs: readonly unknown[]
  /** Undefined when the job takes no snapshots. */
  readonly snapshots: unknown
  readonly barrierMode: BarrierMode
}

/**
 * True where barriers may overtake records: these find their way again by their key, or may go to any subtask. In front of a loop, or behind
 * edges that say where a record goes, barriers stay in line.
 */
export function mayOvertake({ graph, chain, inputs, snapshots, barrierMode }: OvertakableTask): boolean {
  const root = graph.vertices[chain.vertices[0] as number]
  if (root === undefined || snapshots === undefined || barrierMode !== 'exactly-once') return false
  if (!isStateful(root.operator) || root.operator.kind === 'feedback' || root.bootstrap !== undefined) return false
  const edges = edgesInto(graph, root.id)
  return inputs.length > 0 && edges.every(({ partitioning }) => OVERTAKABLE.includes(partitioning.kind))
}

const OVERTAKABLE: readonly string[] = ['hash', 'rebalance', 'shuffle']
