// A task's part in loops: the end markers that go round, and at the head of a loop the log of what a snapshot finds under way in it.
import type { FeedbackOperator } from '../operators/feedback.ts'
import { NO_TIMESTAMP } from '../operators/operator.ts'
import type { Barrier, LoopEnd } from './batch.ts'
import type { ChainNode } from './chain-instance.ts'
import type { InputChannel, ReceivedBatch } from './input-channel.ts'
import type { InputGate } from './input-gate.ts'
import { LoopHead, LoopMarkers } from './loop-end.ts'

/** The loops that lead through one task, which may be the head of one. */
export class TaskLoop {
  /** Counts the markers that were sent on. */
  markersSent = 0
  private readonly nodes: readonly ChainNode[]
  private readonly gate: InputGate
  private readonly head: LoopHead | undefined
  private readonly operator: FeedbackOperator | undefined
  private readonly markers = new LoopMarkers()
  /** The feedback channels that the barrier of a snapshot came round over, and the snapshot: that of one that was given up may be missing for good. */
  private readonly barriers = new Set<InputChannel>()
  private barriersId = 0

  constructor(nodes: readonly ChainNode[], gate: InputGate) {
    this.nodes = nodes
    this.gate = gate
    const { vertex, operator } = nodes[0] as ChainNode
    if (vertex.operator.kind !== 'feedback') return
    this.operator = operator as FeedbackOperator
    this.head = new LoopHead(vertex.id, marker => this.send(marker))
  }

  /** True when the task heads no loop, or one that is empty for good. */
  get isEmpty(): boolean {
    return this.head === undefined || this.head.isEmpty
  }

  /** Puts the records that a snapshot found under way back into the loop. */
  start(): void {
    const [feedback] = this.gate.feedback
    for (const { value, timestamp, isRetraction } of this.operator?.log.restored.splice(0) ?? []) {
      feedback?.channel.append(value, timestamp, undefined, isRetraction)
    }
  }

  /** Records came back to the head. */
  noteRecords({ batch, from }: ReceivedBatch): void {
    const { values, timestamps, retractions } = batch
    this.head?.onFeedbackRecords(values.length)
    const log = this.operator?.log
    // What comes over a channel behind the barrier belongs to the next snapshot, though other channels are still behind.
    if (log?.isLogging !== true || (this.barriersId === log.loggedId && this.barriers.has(from))) return
    for (let index = 0; index < values.length; index++) {
      const timestamp = timestamps?.[index] ?? NO_TIMESTAMP
      log.note({ value: values[index], timestamp, isRetraction: retractions?.[index] ?? false })
    }
  }

  /** The barrier of a snapshot came back to the head over one channel. */
  noteBarrier(barrier: Barrier, from: InputChannel): void {
    const log = this.operator?.log
    if (log?.isLogging !== true || log.loggedId !== barrier.snapshotId) return
    if (this.barriersId !== barrier.snapshotId) this.barriers.clear()
    this.barriersId = barrier.snapshotId
    this.barriers.add(from)
    if (!this.gate.feedback.every(channel => this.barriers.has(channel))) return
    log.complete()
  }

  /** Nothing comes back any more. */
  endLog(): void {
    this.operator?.log.end()
  }

  // A marker goes over every edge, so that of a nested loop also reaches the head around it, and the other way round: it is no news there.
  noteEnd(marker: LoopEnd, from: InputChannel): void {
    if (this.isOwn(marker.loop) === from.isFeedback) this.markers.note(marker, from)
  }

  /** Sends on the markers that came over all channels; true when the own loop has settled by it. */
  passEnds(): boolean {
    const { head, gate } = this
    if (head !== undefined && gate.end !== undefined) head.drain()
    const wasSettled = head?.isSettled
    for (const loop of this.markers.loops()) this.passLoop(loop)
    if (head?.isSettled === wasSettled) return false
    this.operator?.release()
    return true
  }

  private passLoop(loop: number): void {
    const { head, gate } = this
    const isOwn = this.isOwn(loop)
    const expected = isOwn ? gate.feedback : gate.open
    for (;;) {
      const marker = this.markers.takeIfComplete(loop, expected)
      if (marker === undefined) return
      if (isOwn) head?.onReturn(marker, gate.end !== undefined)
      else if (head !== undefined) head.drainFor(marker)
      else this.send(marker)
    }
  }

  private isOwn(loop: number): boolean {
    return this.head !== undefined && loop === this.nodes[0]?.vertex.id
  }

  /** Sends a marker over every edge, feedback included: that is where it comes round. */
  private send(marker: LoopEnd): void {
    this.markersSent++
    for (const node of this.nodes) {
      for (const { channels } of node.outputs) for (const channel of channels) channel.control(marker)
    }
  }
}
