// Record path. The inputs of one task: polls its channels in turn, merges their watermarks and statuses, and notes their ends.
import type { BootstrapInput } from '../model/graph.ts'
import { type InputTime, WatermarkMerger } from '../time/watermark-merger.ts'
import { BarrierAligner, type BarrierMode } from './barrier-aligner.ts'
import type { Barrier, ControlElement, LoopEnd } from './batch.ts'
import type { InputChannel, ReceivedBatch } from './input-channel.ts'
import type { Overtaking } from './overtaking.ts'

/**
 * What the gate gives next: records; a control element that concerns the task; or `merged`: see the gate's own watermark and end. A
 * `barrier` came over all ordinary channels; a `feedback-barrier` came round a loop, over one channel.
 */
export type Received =
  | { readonly kind: 'batch'; readonly received: ReceivedBatch }
  | { readonly kind: 'merged' }
  | { readonly kind: 'loop-end'; readonly element: LoopEnd; readonly from: InputChannel }
  | { readonly kind: 'barrier'; readonly barrier: Barrier }
  | { readonly kind: 'feedback-barrier'; readonly barrier: Barrier; readonly from: InputChannel }

/** How the time of one channel into a task stands. */
export interface ChannelTime extends InputTime {
  readonly from: InputChannel
  readonly isEnded: boolean
}

interface GateInput extends InputChannel {
  /** Position among the ordinary inputs; -1 for feedback. */
  readonly ordinary: number
  state: 'open' | 'ended'
  /** Of a feedback channel: a barrier that came round before this task took its own part of the snapshot. */
  heldBarrier: Barrier | undefined
  /** True while the others wait for it: it belongs to the bootstrap input and has not got as far as that must. */
  isAwaited: boolean
}

/**
 * Merges the channels of a task. Feedback is polled first, so that a loop drains before it is fed. With a bootstrap input the other
 * channels are left alone until that input has got far enough: they fill up, and hold their senders back.
 */
export class InputGate {
  private readonly inputs: readonly GateInput[]
  private readonly merger: WatermarkMerger
  private readonly bootstrap: BootstrapInput | undefined
  private readonly barriers: BarrierAligner
  /** Undefined where barriers never overtake. */
  private readonly overtaking: Overtaking | undefined
  private openCount: number
  /** How many channels of the bootstrap input the others still wait for. */
  private awaitedCount: number
  private next = 0
  /** How the input ended so far: one stopped channel makes the whole end a stop. */
  private mode: 'finish' | 'stop' = 'finish'

  constructor(
    channels: readonly InputChannel[],
    bootstrap?: BootstrapInput,
    mode: BarrierMode = 'exactly-once',
    overtaking?: Overtaking,
  ) {
    this.overtaking = overtaking
    let ordinary = 0
    const ordered = [...channels].sort((a, b) => Number(b.isFeedback) - Number(a.isFeedback))
    this.inputs = ordered.map(
      (channel): GateInput => ({
        ...channel,
        ordinary: channel.isFeedback ? -1 : ordinary++,
        state: 'open',
        heldBarrier: undefined,
        isAwaited: !channel.isFeedback && channel.input === bootstrap?.input,
      }),
    )
    this.bootstrap = bootstrap
    this.barriers = new BarrierAligner(ordinary, mode)
    this.awaitedCount = this.inputs.filter(input => input.isAwaited).length
    this.merger = new WatermarkMerger(ordinary)
    this.openCount = ordinary
  }

  get watermark(): number {
    return this.merger.watermark
  }

  get isIdle(): boolean {
    return this.merger.isIdle
  }

  /** How the ordinary channels stand; what holds the watermark is at `timeHolder`. */
  get times(): readonly ChannelTime[] {
    return this.inputs
      .filter(input => !input.isFeedback)
      .map(input => {
        const { watermark, isIdle } = this.merger.inputs[input.ordinary] as InputTime
        return { from: input, watermark, isIdle, isEnded: input.state === 'ended' }
      })
  }

  /** The position in `times` of the channel whose watermark is the smallest; -1 when all are idle or have ended. */
  get timeHolder(): number {
    return this.merger.holder
  }

  /** The input that the others wait for; undefined when they do not. */
  get awaitedInput(): number | undefined {
    return this.awaitedCount > 0 ? this.bootstrap?.input : undefined
  }

  /** Undefined while an ordinary channel is open. */
  get end(): 'finish' | 'stop' | undefined {
    return this.openCount === 0 ? this.mode : undefined
  }

  /** The channels that do not lead back to this task, ended ones too, as snapshots count them. */
  get ordinary(): readonly InputChannel[] {
    return this.inputs.filter(input => !input.isFeedback)
  }

  /** The channels that lead back to this task. */
  get feedback(): readonly InputChannel[] {
    return this.inputs.filter(input => input.isFeedback)
  }

  /** The ordinary channels that have not ended. */
  get open(): readonly InputChannel[] {
    return this.inputs.filter(input => !input.isFeedback && input.state === 'open')
  }

  /** All channels, for metrics. */
  get channels(): readonly InputChannel[] {
    return this.inputs
  }

  /** The snapshot whose barrier came over some channels, and the channels that it did not come over; undefined when there is none. */
  get awaitedBarrier(): { readonly snapshotId: number; readonly channels: readonly InputChannel[] } | undefined {
    const { snapshotId } = this.barriers
    if (snapshotId === undefined) return undefined
    return { snapshotId, channels: this.open.filter(input => !this.barriers.hasArrived((input as GateInput).ordinary)) }
  }

  /** The snapshot will never be complete: its barrier holds no channel back any more. */
  abortBarrier(snapshotId: number): void {
    this.barriers.abort(snapshotId)
    this.overtaking?.abort(snapshotId)
  }

  /** When a barrier that waits for some channels will overtake what is in them; Infinity for never. */
  get overtakesAtMs(): number {
    return this.overtaking?.deadlineMs ?? Infinity
  }

  /** The barrier that overtakes what is queued, if one is to; `left` is where the batch at hand goes on. */
  pollOvertaking(
    nowMs: number,
    left: { readonly received: ReceivedBatch; readonly from: number } | undefined,
  ): Barrier | undefined {
    const { overtaking, barriers } = this
    if (overtaking === undefined) return undefined
    const open = this.inputs.filter(input => !input.isFeedback && input.state === 'open')
    const barrier = overtaking.due(open, barriers.aligning, nowMs)
    if (barrier === undefined || barriers.isSettled(barrier.snapshotId)) return undefined
    const isAligning = barriers.snapshotId === barrier.snapshotId
    const behind = open.filter(input => !(isAligning && barriers.hasArrived(input.ordinary)))
    const at = left === undefined ? undefined : { ...left, channel: (left.received.from as GateInput).ordinary }
    overtaking.overtake(barrier, behind, at, this.ordinary.length)
    barriers.abort(barrier.snapshotId)
    return barrier
  }

  /** The next thing that arrived; undefined when nothing is there. */
  poll(): Received | undefined {
    const aligned = this.barriers.takeAligned()
    if (aligned !== undefined) return { kind: 'barrier', barrier: aligned }
    for (const input of this.inputs) {
      if (!input.isFeedback) break
      const received = input.heldBarrier === undefined ? this.pollInput(input) : this.pollHeld(input, input.heldBarrier)
      if (received !== undefined) return received
    }
    for (let looked = 0; looked < this.inputs.length; looked++) {
      const input = this.inputs[this.next] as GateInput
      this.next = this.next + 1 === this.inputs.length ? 0 : this.next + 1
      if (input.isFeedback || input.state === 'ended' || this.barriers.isBlocked(input.ordinary)) continue
      if (this.awaitedCount > 0 && input.input !== this.bootstrap?.input) continue
      const received = this.pollInput(input)
      if (received !== undefined) return received
    }
    return undefined
  }

  // What comes round behind a barrier belongs behind the snapshot, so it waits until this task has taken its part, or never will. Where all
  // ordinary channels have ended nothing else brings the barrier: the task takes its part now.
  private pollHeld(input: GateInput, barrier: Barrier): Received | undefined {
    if (!this.barriers.isSettled(barrier.snapshotId)) {
      if (this.openCount > 0) return undefined
      this.barriers.abort(barrier.snapshotId)
      return { kind: 'barrier', barrier }
    }
    input.heldBarrier = undefined
    return { kind: 'feedback-barrier', barrier, from: input }
  }

  private pollInput(input: GateInput): Received | undefined {
    const element = input.channel.poll()
    if (element === undefined) return undefined
    if (this.overtaking !== undefined && !input.isFeedback && this.overtaking.note(input, element))
      return { kind: 'merged' }
    // Records from an idle sender make it active again, before its next watermark does.
    if (element.kind === 'batch' && !input.isFeedback) this.merger.setIdle(input.ordinary, false)
    if (element.kind === 'batch') return { kind: 'batch', received: { batch: element, from: input } }
    if (element.kind === 'loop-end') return { kind: 'loop-end', element, from: input }
    if (element.kind === 'barrier') {
      if (input.isFeedback) {
        input.heldBarrier = element
        return this.pollHeld(input, element)
      }
      this.barriers.arrived(input.ordinary, element)
      const aligned = this.barriers.takeAligned()
      return aligned === undefined ? { kind: 'merged' } : { kind: 'barrier', barrier: aligned }
    }
    if (!input.isFeedback) this.merge(input, element)
    return { kind: 'merged' }
  }

  private merge(input: GateInput, element: Exclude<ControlElement, LoopEnd | Barrier>): void {
    switch (element.kind) {
      case 'watermark':
        this.merger.advance(input.ordinary, element.watermark)
        if (input.isAwaited && element.watermark >= (this.bootstrap?.untilMs ?? Infinity)) this.awaitNoMore(input)
        return
      case 'status':
        this.merger.setIdle(input.ordinary, element.isIdle)
        if (element.isIdle) this.awaitNoMore(input)
        return
      case 'end':
        input.state = 'ended'
        this.barriers.ended(input.ordinary)
        this.openCount--
        this.awaitNoMore(input)
        // After the last record of an input no record of any time follows; a stopped input only paused.
        if (element.mode === 'finish') this.merger.advance(input.ordinary, Infinity)
        else this.mode = 'stop'
    }
  }

  // For good: that an idle input has records again does not hold the others back once more.
  private awaitNoMore(input: GateInput): void {
    if (!input.isAwaited) return
    input.isAwaited = false
    this.awaitedCount--
  }
}
