// Record path (bench/micro/chain.ts). One subtask of one chain. `step` does a bounded amount of work and returns; records, timers,
// watermarks and asynchronous results are handled one at a time inside it.
import type { Clock } from '../base/clock.ts'
import { errorText, StreamError } from '../base/errors.ts'
import { stepText } from '../model/step-text.ts'
import type { FeedbackOperator } from '../operators/feedback.ts'
import {
  type AsyncOperator,
  type Capacity,
  type Emit,
  type EndMode,
  NO_TIMESTAMP,
  type SourceOperator,
  spend,
} from '../operators/operator.ts'
import { StepFailure, stepError } from '../operators/user-failure.ts'
import type { Chain } from '../plan/physical-plan.ts'
import type { ControlElement, LoopEnd } from './batch.ts'
import { broadcast, type ChainInit, type ChainInstance, type ChainNode, instantiateChain } from './chain-instance.ts'
import { type InputChannel, InputGate, type ReceivedBatch } from './input-gate.ts'
import { LoopHead, LoopMarkers } from './loop-end.ts'
import type { TaskMailbox } from './mailbox.ts'

/**
 * What a step left: `busy`: more to do now; `idle`: no input; `waiting`: for an asynchronous result or a time;
 * `backpressured`: no room downstream; `finished`: nothing will ever be left to do.
 */
export type TaskStatus = 'busy' | 'idle' | 'waiting' | 'backpressured' | 'finished'

/** How much one step may do: records (and timers), and until when on the monotonic clock. */
export interface StepLimit {
  readonly records: number
  readonly untilMonotonicMs: number
}

/** What a task is made of. */
export interface TaskInit extends Omit<ChainInit, 'mailbox'> {
  readonly mailbox: TaskMailbox
  readonly inputs: readonly InputChannel[]
}

/**
 * The phases of a task, each left for good but for `processing` and `advancing`, which alternate:
 * `processing` input; `advancing` the watermark through its operators (timers fire); `finishing`: the input has ended and operators
 * flush; `finished`: the end was sent on.
 */
type Phase = 'processing' | 'advancing' | 'finishing' | 'finished'

/** A running subtask. */
export class Task {
  readonly chain: Chain
  readonly subtaskIndex: number
  readonly gate: InputGate
  status: TaskStatus = 'busy'
  /** True when the last step did anything that another task may notice. */
  didWork = false
  private readonly clock: Clock
  private readonly mailbox: TaskMailbox
  private readonly capacity: Capacity
  private readonly instance: ChainInstance
  private readonly source: SourceOperator | undefined
  private readonly asyncHead: AsyncOperator | undefined
  private readonly loopHead: LoopHead | undefined
  private readonly loopMarkers = new LoopMarkers()
  private phase: Phase = 'processing'
  /** The operator at which `advancing` or `finishing` goes on. */
  private cursor = 0
  private received: ReceivedBatch | undefined
  private position = 0
  private recordsTaken = 0
  private sourceEnd: EndMode | undefined
  private controlWork = 0
  private readonly hasTime: boolean
  /** The status of the inputs that was last passed on; the root may be idle of its own accord. */
  private wasGateIdle = false
  /** Processing time when the present step began to look for work, and when the task last looked at its input. */
  private nowMs = -Infinity
  private lookedAtMs = -Infinity
  /** The nodes whose opening began; only these are closed. */
  private readonly opened: ChainNode[] = []
  private isClosed = false

  constructor(init: TaskInit) {
    this.chain = init.chain
    this.subtaskIndex = init.subtaskIndex
    this.clock = init.clock
    this.mailbox = init.mailbox
    this.capacity = init.capacity
    this.gate = new InputGate(init.inputs, init.graph.vertices[init.chain.vertices[0] as number]?.bootstrap)
    this.instance = instantiateChain(init)
    const root = this.nodes[0] as ChainNode
    this.source = root.vertex.operator.kind === 'source' ? (root.operator as SourceOperator) : undefined
    this.asyncHead = root.vertex.operator.kind === 'async' ? (root.operator as AsyncOperator) : undefined
    this.loopHead =
      root.vertex.operator.kind === 'feedback'
        ? new LoopHead(root.vertex.id, marker => this.sendLoopEnd(marker))
        : undefined
    this.hasTime = this.nodes.some(node => node.operator.outputWatermark !== undefined)
  }

  get nodes(): readonly ChainNode[] {
    return this.instance.nodes
  }

  /** Records that entered the chain's root so far. */
  get recordsIn(): number {
    if (this.source !== undefined) return (this.nodes[0] as ChainNode).counters.recordsOut
    return this.recordsTaken + this.position
  }

  /** The records and timers that the last step could still have worked off; below 0 it did more than it was given. */
  get budgetLeft(): number {
    return this.capacity.budget
  }

  /** Opens readers and writers, leaves first, so that nothing is read before it can be written. */
  async open(): Promise<void> {
    for (const node of [...this.nodes].reverse()) {
      try {
        this.opened.push(node)
        await node.operator.open?.()
      } catch (error) {
        throw this.failure(error, node)
      }
    }
  }

  /** Lets go of everything; every operator is closed, then the first failure is thrown. */
  async close(): Promise<void> {
    if (this.isClosed) return
    this.isClosed = true
    let failure: unknown
    for (const node of this.opened) {
      try {
        await node.operator.close?.()
      } catch (error) {
        failure ??= this.failure(error, node)
      }
    }
    if (failure !== undefined) throw failure
  }

  /** Ends the input of a source task; others end when their inputs do. */
  stop(): void {
    if (this.source === undefined || this.sourceEnd !== undefined) return
    this.source.stopReading()
    this.endSource('stop')
  }

  /** Does some work. Throws what made it fail, as a StreamError that names step and record. */
  step(limit: StepLimit): TaskStatus {
    const controlWorkBefore = this.controlWork
    try {
      this.status = this.advancePhases(limit)
      this.didWork = this.controlWork !== controlWorkBefore || this.capacity.budget !== limit.records
    } catch (error) {
      throw this.failure(error, this.nodes[0] as ChainNode)
    }
    return this.status
  }

  /** The processing time at which it wants to be stepped even if nothing else happens; Infinity for never. */
  deadlineMs(): number {
    // Without room downstream, and at the end, no timer fires, however long it is due: waiting for it would be spinning. But the time
    // of a call is over, or the next one due, whatever the room is.
    if (this.phase === 'finishing' || this.phase === 'finished') return Infinity
    if (this.capacity.blocked > 0) {
      return this.phase === 'processing' ? (this.asyncHead?.nextTimerMs?.() ?? Infinity) : Infinity
    }
    let earliest = Infinity
    for (const { operator } of this.nodes) {
      const timeMs = operator.nextTimerMs?.() ?? Infinity
      if (timeMs < earliest) earliest = timeMs
    }
    return earliest
  }

  private advancePhases(limit: StepLimit): TaskStatus {
    const { capacity } = this
    capacity.budget = limit.records
    capacity.untilMonotonicMs = limit.untilMonotonicMs
    this.controlWork += this.mailbox.deliver()
    for (;;) {
      switch (this.phase) {
        case 'processing': {
          const status = this.process()
          if (status !== undefined) return status
          break
        }
        case 'advancing':
          capacity.isTimeNews = false
          if (!this.advanceWatermarks()) return this.interrupted()
          this.enter(this.end() === undefined ? 'processing' : 'finishing')
          if (capacity.budget <= 0 || capacity.blocked > 0) return this.interrupted()
          break
        case 'finishing':
          if (!this.finishOperators()) return this.interrupted()
          this.enter('finished')
          break
        case 'finished':
          return 'finished'
      }
    }
  }

  /** Works off timers and input; undefined when the phase changed. */
  private process(): TaskStatus | undefined {
    const { capacity } = this
    if (!this.fireProcessingTime()) return this.interrupted()
    if (this.phase !== 'processing') return undefined
    while (capacity.blocked === 0) {
      if (capacity.budget <= 0) return 'busy'
      // Results go on before records come in, also in the middle of a batch: they make room for the rest of it.
      if (this.asyncHead?.emitReady() === true) return this.enter('advancing')
      if (this.received !== undefined) {
        if (this.asyncHead?.isFull === true) return 'waiting'
        const isDone = this.workBatch(this.received)
        this.lookedAtMs = this.nowMs
        // A watermark that a record made overtakes nothing: the rest of the batch waits until it has gone through the chain.
        if (capacity.isTimeNews || (isDone && this.hasTime)) return this.enter('advancing')
        if (!isDone) return this.interrupted()
      } else if (this.source !== undefined) return this.readSource(this.source)
      else {
        const status = this.receive()
        if (status !== 'busy') return status
      }
    }
    return 'backpressured'
  }

  private readSource(source: SourceOperator): TaskStatus | undefined {
    const outcome = source.read()
    this.lookedAtMs = this.nowMs
    if (outcome === 'end') this.endSource('finish')
    if (outcome === 'end' || this.hasTime) this.enter('advancing')
    if (outcome === 'end' || (outcome === 'busy' && this.capacity.isTimeNews)) return undefined
    if (this.capacity.blocked > 0) return this.hasTime ? undefined : 'backpressured'
    if (outcome === 'waiting') this.drained()
    return this.phase === 'advancing' ? this.settle(outcome) : outcome
  }

  /** A source that waits still moves its watermark on; the step then ends as the source said. */
  private settle(outcome: 'busy' | 'waiting'): TaskStatus {
    this.capacity.isTimeNews = false
    if (!this.advanceWatermarks()) return this.interrupted()
    this.enter('processing')
    return outcome
  }

  private receive(): TaskStatus | undefined {
    const received = this.gate.poll()
    this.lookedAtMs = this.nowMs
    if (received === undefined) {
      this.drained()
      if (this.afterControl()) return undefined
      return this.asyncHead?.isEmpty === false ? 'waiting' : 'idle'
    }
    this.controlWork++
    if (received.kind === 'batch') {
      this.received = received.received
      if (received.received.from.isFeedback) this.loopHead?.onFeedbackRecords(received.received.batch.values.length)
      return 'busy'
    }
    if (received.kind === 'loop-end') this.noteLoopEnd(received.element, received.from)
    return this.afterControl() ? undefined : 'busy'
  }

  /** Takes up what changed at the gate; true when the phase changed. */
  private afterControl(): boolean {
    const { gate, loopHead } = this
    const root = this.nodes[0] as ChainNode
    if (loopHead !== undefined && gate.end !== undefined) loopHead.drain()
    const wasSettled = loopHead?.isSettled
    this.passLoopEnds()
    const isSettledNow = loopHead?.isSettled !== wasSettled
    if (isSettledNow) (root.operator as FeedbackOperator).release()
    const isTimeNews = gate.watermark > root.inputWatermark || gate.isIdle !== this.wasGateIdle
    this.wasGateIdle = gate.isIdle
    if (!isSettledNow && !isTimeNews && this.end() === undefined) return false
    this.enter('advancing')
    return true
  }

  // A marker goes over every edge, so that of a nested loop also reaches the head around it, and the other way round: it is no news there.
  private noteLoopEnd(marker: LoopEnd, from: InputChannel): void {
    if (this.isOwnLoop(marker.loop) === from.isFeedback) this.loopMarkers.note(marker, from)
  }

  private isOwnLoop(loop: number): boolean {
    return this.loopHead !== undefined && loop === (this.nodes[0] as ChainNode).vertex.id
  }

  private passLoopEnds(): void {
    const { loopHead, gate } = this
    // A marker says that no record is before it any more, so it waits for the results under way.
    if (this.asyncHead?.isEmpty === false) return
    for (const loop of this.loopMarkers.loops()) {
      const isOwn = this.isOwnLoop(loop)
      const expected = isOwn ? gate.feedback : gate.open
      for (;;) {
        const marker = this.loopMarkers.takeIfComplete(loop, expected)
        if (marker === undefined) break
        if (isOwn) loopHead?.onReturn(marker, gate.end !== undefined)
        else if (loopHead !== undefined) loopHead.drainFor(marker)
        else this.sendLoopEnd(marker)
      }
    }
  }

  /** Sends a marker over every edge, feedback included: that is where it comes round. */
  private sendLoopEnd(marker: LoopEnd): void {
    this.controlWork++
    for (const node of this.nodes) {
      for (const { channels } of node.outputs) for (const channel of channels) channel.control(marker)
    }
  }

  /** True when the batch is worked off. */
  private workBatch(received: ReceivedBatch): boolean {
    const { batch, from } = received
    const { record } = this.instance
    const { capacity, clock, asyncHead } = this
    const { values, timestamps, keys, retractions } = batch
    const head = (this.nodes[0] as ChainNode).operator.inputs[from.input] as Emit
    const before = this.position
    // Another input may have timestamps where this one has none: what its last record left does not count here.
    if (timestamps === undefined) record.timestamp = NO_TIMESTAMP
    while (this.position < values.length) {
      const index = this.position++
      if (timestamps !== undefined) record.timestamp = timestamps[index] as number
      if (keys !== undefined) record.key = keys[index]
      if (retractions !== undefined) record.isRetraction = retractions[index] as boolean
      head(values[index])
      if (!spend(capacity, clock) || asyncHead?.isFull === true) break
    }
    // What comes next, a timer or a record of another input, takes nothing back.
    record.isRetraction = false
    from.channel.consumed(this.position - before)
    if (this.position < values.length) return false
    this.recordsTaken += values.length
    this.position = 0
    this.received = undefined
    return true
  }

  private fireProcessingTime(): boolean {
    const nowMs = this.clock.now()
    this.nowMs = nowMs
    for (const { operator } of this.nodes) {
      if (operator.onProcessingTime === undefined || (operator.nextTimerMs?.() ?? Infinity) > nowMs) continue
      if (!operator.onProcessingTime(nowMs)) return false
      if (this.hasTime && this.received === undefined) this.enter('advancing')
    }
    return true
  }

  /** Moves the watermark and the idle status through the operators; false when it has to go on later. */
  private advanceWatermarks(): boolean {
    for (; this.cursor < this.nodes.length; this.cursor++) {
      const node = this.nodes[this.cursor] as ChainNode
      const { operator } = node
      const parent = this.nodes[node.parent]
      const input = parent === undefined ? this.inputWatermark() : parent.outputWatermark
      if (input > node.inputWatermark) {
        if (operator.onWatermark !== undefined && !operator.onWatermark(input)) return false
        node.inputWatermark = input
      }
      const output = operator.outputWatermark === undefined ? input : operator.outputWatermark(input)
      if (output > node.outputWatermark) {
        node.outputWatermark = output
        this.send(node, { kind: 'watermark', watermark: output })
      }
      const isInputIdle = parent?.isIdle ?? this.gate.isIdle
      this.passStatus(node, operator.isIdle === undefined ? isInputIdle : operator.isIdle(this.lookedAtMs, isInputIdle))
    }
    return true
  }

  private passStatus(node: ChainNode, isIdle: boolean): void {
    if (isIdle === node.isIdle) return
    node.isIdle = isIdle
    this.send(node, { kind: 'status', isIdle })
  }

  private inputWatermark(): number {
    if (this.source !== undefined) return this.sourceEnd === 'finish' ? Infinity : -Infinity
    return this.gate.watermark
  }

  private finishOperators(): boolean {
    const mode = this.end() as EndMode
    for (; this.cursor < this.nodes.length; this.cursor++) {
      const node = this.nodes[this.cursor] as ChainNode
      if (node.operator.finish !== undefined && !node.operator.finish(mode)) return false
      this.send(node, { kind: 'end', mode })
    }
    return true
  }

  /** How the task's input ended; undefined while it has not. A loop, or asynchronous calls, have ended when they are empty as well. */
  private end(): EndMode | undefined {
    if (this.source !== undefined) return this.sourceEnd
    if (this.asyncHead?.isEmpty === false) return undefined
    return this.loopHead === undefined || this.loopHead.isEmpty ? this.gate.end : undefined
  }

  private endSource(mode: EndMode): void {
    if (this.sourceEnd !== undefined) return
    this.sourceEnd = mode
    this.controlWork++
    if (this.phase === 'processing') this.enter('advancing')
  }

  private enter(phase: Phase): undefined {
    // An advance that is under way is not begun anew: it goes on where it was.
    this.phase = phase
    this.cursor = 0
  }

  private send(node: ChainNode, element: ControlElement): void {
    this.controlWork++
    broadcast(node, element)
  }

  private drained(): void {
    for (const { operator } of this.nodes) operator.onDrained?.()
  }

  private interrupted(): TaskStatus {
    if (this.capacity.blocked > 0) return 'backpressured'
    return this.capacity.budget <= 0 ? 'busy' : 'waiting'
  }

  private failure(error: unknown, node: ChainNode): StreamError {
    if (error instanceof StepFailure) {
      const { recordNumber = this.recordsIn } = error
      return stepError(error, recordNumber > 0 ? ` (record ${recordNumber} of subtask ${this.subtaskIndex})` : '')
    }
    if (error instanceof StreamError) return error
    return new StreamError(
      'INTERNAL_ERROR',
      `${stepText(node.vertex)}: ${errorText(error)}; this is a bug in Millrace`,
      { cause: error },
    )
  }
}
