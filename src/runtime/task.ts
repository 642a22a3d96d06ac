// Record path (bench/micro/chain.ts). One subtask of one chain. A step does a bounded amount of work, one record, timer or result at a time.
import type { Clock } from '../base/clock.ts'
import {
  type AsyncOperator,
  type Capacity,
  type Emit,
  type EndMode,
  NO_TIMESTAMP,
  type SourceOperator,
  spend,
} from '../operators/operator.ts'
import type { Chain } from '../plan/physical-plan.ts'
import type { BarrierMode } from './barrier-aligner.ts'
import type { Barrier, ControlElement } from './batch.ts'
import {
  broadcast,
  type ChainInit,
  type ChainInstance,
  type ChainNode,
  instantiateChain,
  sendBarrier,
} from './chain-instance.ts'
import type { InputChannel, ReceivedBatch } from './input-channel.ts'
import { InputGate } from './input-gate.ts'
import type { JobTask } from './job-task.ts'
import type { TaskMailbox } from './mailbox.ts'
import type { StepLimit, Steppable, TaskStatus } from './steppable.ts'
import { taskFailure } from './task-failure.ts'
import { TaskInFlight } from './task-in-flight.ts'
import { TaskLoop } from './task-loop.ts'
import { type SnapshotEvents, TaskSnapshots } from './task-snapshots.ts'

/** What a task is made of. */
export interface TaskInit extends Omit<ChainInit, 'mailbox'> {
  readonly mailbox: TaskMailbox
  readonly inputs: readonly InputChannel[]
  /** Where its snapshots go; undefined when the job takes none. */
  readonly snapshots: SnapshotEvents | undefined
  readonly barrierMode: BarrierMode
  /** After so long (ms) a barrier that waits for others overtakes; undefined: never. */
  readonly alignmentTimeoutMs?: number
}

/**
 * The phases of a task, each left for good but for the first three, which alternate:
 * `processing` input; `advancing` the watermark through its operators (timers fire); `preparing` a snapshot: its barrier has come and
 * operators get ready for it; `finishing`: the input has ended and operators flush; `summing-up`: the end was sent on, and what is left is
 * encoded; `finished`.
 */
type Phase = 'processing' | 'advancing' | 'preparing' | 'finishing' | 'summing-up' | 'finished'

/** A running subtask. */
export class Task implements Steppable, JobTask {
  readonly chain: Chain
  readonly subtaskIndex: number
  readonly gate: InputGate
  readonly snapshots: TaskSnapshots
  status: TaskStatus = 'busy'
  /** True when the last step did anything that another task may notice. */
  didWork = false
  private readonly clock: Clock
  private readonly mailbox: TaskMailbox
  private readonly capacity: Capacity
  private readonly instance: ChainInstance
  private readonly source: SourceOperator | undefined
  private readonly asyncHead: AsyncOperator | undefined
  private readonly loop: TaskLoop
  private readonly inFlight: TaskInFlight
  /** True until the time of a snapshot, and what was on its way then, has gone through the chain. */
  private isRestoring = false
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
  private isHalted = false

  constructor(init: TaskInit) {
    this.chain = init.chain
    this.subtaskIndex = init.subtaskIndex
    this.clock = init.clock
    this.mailbox = init.mailbox
    this.capacity = init.capacity
    this.inFlight = new TaskInFlight(init)
    const { bootstrap } = init.graph.vertices[init.chain.vertices[0] as number] ?? {}
    this.gate = new InputGate(init.inputs, bootstrap, init.barrierMode, this.inFlight.overtaking)
    this.instance = instantiateChain(init)
    this.snapshots = new TaskSnapshots(this.nodes, init.snapshots, this.inFlight.logs)
    const root = this.nodes[0] as ChainNode
    this.source = root.vertex.operator.kind === 'source' ? (root.operator as SourceOperator) : undefined
    this.asyncHead = root.vertex.operator.kind === 'async' ? (root.operator as AsyncOperator) : undefined
    this.loop = new TaskLoop(this.nodes, this.gate)
    this.hasTime = this.nodes.some(node => node.operator.outputWatermark !== undefined)
  }

  get name(): string {
    return `${this.chain.name}[${this.subtaskIndex}]`
  }

  get ordinal(): number {
    return this.chain.id * 256 + this.subtaskIndex
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
        throw taskFailure(error, node, this)
      }
    }
  }

  get isSource(): boolean {
    return this.source !== undefined
  }

  /** The next steps do nothing: the job, or its part of it, has failed. */
  halt(): void {
    this.isHalted = true
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
        failure ??= taskFailure(error, node, this)
      }
    }
    if (failure !== undefined) throw failure
  }

  /** Ends the input of a source task, at its end (what pends fires) or where it stands; others end when their inputs do. */
  stop(mode: EndMode = 'stop'): void {
    if (this.source === undefined || this.sourceEnd !== undefined) return
    this.source.stopReading()
    this.endSource(mode)
  }

  /** Puts what was restored in its place: before the first step, and after `open`. */
  start(): void {
    this.isRestoring = this.inFlight.hasRestored || this.nodes.some(node => node.restoredWatermark > -Infinity)
    if (this.isRestoring) this.enter('advancing')
    this.loop.start()
    this.inFlight.replay(this.nodes[0] as ChainNode, this.gate.ordinary)
  }

  trigger(barrier: Barrier): void {
    if (this.source !== undefined && this.sourceEnd === undefined) this.snapshots.requested = barrier
  }

  awaitedChannels(): readonly string[] | undefined {
    return this.gate.awaitedBarrier?.channels.map(({ channel }) => channel.name)
  }

  settle(snapshotId: number, outcome: 'completed' | 'aborted'): void {
    if (outcome === 'aborted') {
      this.gate.abortBarrier(snapshotId)
      if (this.phase === 'preparing') this.enter('processing')
    }
    this.snapshots.settle(snapshotId, outcome)
  }

  /** Does some work. Throws what made it fail, as a StreamError that names step and record. */
  step(limit: StepLimit): TaskStatus {
    if (this.isHalted) {
      this.didWork = false
      return this.status
    }
    const controlWorkBefore = this.controlWork
    try {
      this.status = this.advancePhases(limit)
      this.didWork = this.controlWork !== controlWorkBefore || this.capacity.budget !== limit.records
    } catch (error) {
      throw taskFailure(error, this.nodes[0] as ChainNode, this)
    }
    return this.status
  }

  /** The processing time at which it wants to be stepped even if nothing else happens; Infinity for never. */
  deadlineMs(): number {
    if (this.isHalted) return Infinity
    // Without room downstream, and at the end, no timer fires, however long it is due: waiting for it would be spinning. But the time
    // of a call is over, or the next one due, whatever the room is.
    if (this.phase !== 'processing' && this.phase !== 'advancing') return Infinity
    if (this.capacity.blocked > 0) {
      return this.phase === 'processing' ? (this.asyncHead?.nextTimerMs?.() ?? Infinity) : Infinity
    }
    let earliest = this.gate.overtakesAtMs
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
    if (this.snapshots.advance(limit.records)) this.controlWork++
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
          if (this.isRestoring) this.endRestoring()
          else this.enter(this.end() === undefined ? 'processing' : 'finishing')
          if (capacity.budget <= 0 || capacity.blocked > 0) return this.interrupted()
          break
        case 'preparing':
          if (!this.snapshots.prepare()) return this.capacity.blocked > 0 ? 'backpressured' : 'waiting'
          this.beginSnapshot()
          break
        case 'finishing':
          if (!this.finishOperators()) return this.interrupted()
          this.loop.endLog()
          this.enter(this.snapshots.isEnabled ? 'summing-up' : 'finished')
          break
        case 'summing-up':
          this.controlWork++
          if (!this.snapshots.sumUp(limit.records, this.end() as EndMode)) return 'busy'
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
    if (this.overtake()) return undefined
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
      } else if (this.source !== undefined) {
        if (this.snapshots.requested !== undefined) return this.enter('preparing')
        return this.readSource(this.source)
      } else {
        const status = this.receive()
        if (status !== 'busy') return status
      }
    }
    return 'backpressured'
  }

  // After the restored time, and before any that follows, which may be the last.
  private endRestoring(): void {
    this.isRestoring = !this.inFlight.replayChained(this.nodes, this.instance.record)
    this.enter('advancing')
  }

  /** A barrier that overtakes does so also where there is no room, and between two records of a batch. */
  private overtake(): boolean {
    const left = this.received === undefined ? undefined : { received: this.received, from: this.position }
    const barrier = this.gate.pollOvertaking(this.nowMs, left)
    if (barrier === undefined) return false
    this.snapshots.requested = barrier
    this.enter('preparing')
    return true
  }

  private readSource(source: SourceOperator): TaskStatus | undefined {
    const outcome = source.read()
    this.lookedAtMs = this.nowMs
    if (outcome === 'end') this.endSource('finish')
    if (outcome === 'end' || this.hasTime) this.enter('advancing')
    if (outcome === 'end' || (outcome === 'busy' && this.capacity.isTimeNews)) return undefined
    if (this.capacity.blocked > 0) return this.hasTime ? undefined : 'backpressured'
    if (outcome === 'waiting') for (const { operator } of this.nodes) operator.onDrained?.()
    return this.phase === 'advancing' ? this.endReading(outcome) : outcome
  }

  /** A source that waits still moves its watermark on; the step then ends as the source said. */
  private endReading(outcome: 'busy' | 'waiting'): TaskStatus {
    this.capacity.isTimeNews = false
    if (!this.advanceWatermarks()) return this.interrupted()
    this.enter('processing')
    return outcome
  }

  private receive(): TaskStatus | undefined {
    const received = this.gate.poll()
    this.lookedAtMs = this.nowMs
    if (received === undefined) {
      for (const { operator } of this.nodes) operator.onDrained?.()
      if (this.afterControl()) return undefined
      return this.asyncHead?.isEmpty === false ? 'waiting' : 'idle'
    }
    this.controlWork++
    switch (received.kind) {
      case 'batch':
        this.received = received.received
        if (received.received.from.isFeedback) this.loop.noteRecords(received.received)
        return 'busy'
      case 'barrier':
        this.snapshots.requested = received.barrier
        return this.enter('preparing')
      case 'feedback-barrier':
        this.loop.noteBarrier(received.barrier, received.from)
        return 'busy'
      case 'loop-end':
        this.loop.noteEnd(received.element, received.from)
    }
    return this.afterControl() ? undefined : 'busy'
  }

  private passLoopEnds(): boolean {
    const sent = this.loop.markersSent
    const isSettledNow = this.loop.passEnds()
    this.controlWork += this.loop.markersSent - sent
    return isSettledNow
  }

  private beginSnapshot(): void {
    this.controlWork++
    sendBarrier(this.nodes, this.snapshots.begin())
    this.enter('processing')
  }

  /** Takes up what changed at the gate; true when the phase changed. */
  private afterControl(): boolean {
    const { gate } = this
    const root = this.nodes[0] as ChainNode
    // A marker says that no record is before it any more, so it waits for the results under way.
    const isSettledNow = this.asyncHead?.isEmpty === false ? false : this.passLoopEnds()
    const isTimeNews = gate.watermark > root.inputWatermark || gate.isIdle !== this.wasGateIdle
    this.wasGateIdle = gate.isIdle
    if (!isSettledNow && !isTimeNews && this.end() === undefined) return false
    this.enter('advancing')
    return true
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
      // What was on its way is behind the time of its own step, and before that of the steps in front of it.
      const given = this.isRestoring ? -Infinity : parent === undefined ? this.inputWatermark() : parent.outputWatermark
      const input = given > node.restoredWatermark ? given : node.restoredWatermark
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
  end(): EndMode | undefined {
    if (this.source !== undefined) return this.sourceEnd
    if (this.asyncHead?.isEmpty === false) return undefined
    return this.loop.isEmpty ? this.gate.end : undefined
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

  private interrupted(): TaskStatus {
    if (this.capacity.blocked > 0) return 'backpressured'
    return this.capacity.budget <= 0 ? 'busy' : 'waiting'
  }
}
