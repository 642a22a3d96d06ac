// An operator in a real task between real channels, which a script drives line by line, and which can be snapshotted by a barrier and
// restored. It notes what happened and judges nothing.
import type { Logger } from '../base/logger.ts'
import { silentLogger } from '../base/logger.ts'
import { Prng } from '../base/prng.ts'
import type { SourceSpec } from '../model/connector.ts'
import type { Edge, Vertex } from '../model/graph.ts'
import { GraphBuilder } from '../model/graph-builder.ts'
import type { KeySelector } from '../model/key.ts'
import { keyGroupOf } from '../model/key-groups.ts'
import { inputCount, type OperatorSpec } from '../model/operator-spec.ts'
import { retractionProblem } from '../model/retractions.ts'
import {
  type CurrentRecord,
  type Emit,
  type EndMode,
  NO_TIMESTAMP,
  type OperatorCounters,
} from '../operators/operator.ts'
import { planGraph } from '../plan/plan.ts'
import type { Barrier, ControlElement } from '../runtime/batch.ts'
import type { Channel } from '../runtime/channel.ts'
import { type Deployment, deploy, type SnapshotInit } from '../runtime/deployment.ts'
import { partitioner } from '../runtime/partitioner.ts'
import { VirtualClock } from '../runtime/simulated-scheduler.ts'
import type { Task } from '../runtime/task.ts'
import { hashKey } from '../serde/key-encoding.ts'
import type { StatePart } from '../state/state-part.ts'
import { collectingSink, customConnectors, timedSource } from './collections.ts'
import { CheckedChannel } from './mutation-channel.ts'
import { checkedOperator } from './mutation-functions.ts'
import type { MutationLedger } from './mutation-ledger.ts'
import type { OutputElement, ScriptStep } from './operator-script.ts'
import { type KeyGroupRange, restoreFromSubtasks, type TakenSnapshot } from './snapshot-operator.ts'

/** The operator and its place. */
export interface OperatorSetup {
  readonly operator: OperatorSpec
  /** The key selector of each input of a keyed operator. */
  readonly keySelectors?: readonly KeySelector[]
  readonly sideOutputTags: readonly string[]
  /** The step's name in messages; `step` unless given. */
  readonly name?: string
  /** How many senders each input has; 1 unless given. Scripts then count the channels, input by input, where they say `input`. */
  readonly channelsPerInput?: number
  readonly clock?: VirtualClock
  /** Where log lines go; nowhere unless given. */
  readonly logger?: Logger
  /** Where the step was written, for messages. */
  readonly location?: Vertex['location']
  /** Where records and objects of state are noted, to be compared later; nowhere unless given. */
  readonly ledger?: MutationLedger
}

/** The conditions of a run. */
export interface Variant {
  /** `one`: what came is worked off before the next line of the script; `many`: only where time passes and at the end. */
  readonly batch: 'one' | 'many'
  readonly outbox: 'roomy' | 'full-every-other-call'
  /** Records and timers of one step. */
  readonly budget: number
}

/** What happened in a run. */
export interface HarnessRun {
  /** By name: `main`, and `side <tag>`. */
  readonly outputs: ReadonlyMap<string, readonly OutputElement[]>
  readonly failure: Error | undefined
  /** How the operator ended its outputs; undefined when it did not. */
  readonly end: EndMode | undefined
  readonly expectedEnd: EndMode | undefined
  readonly emittedWhileFull: number
  readonly emittedByStepMax: number
  /** Records and timers that steps worked off beyond their budget. */
  readonly overspent: number
  readonly lateRecordsDropped: number
  readonly duplicatesDropped: number
  /** Keys that the operator keeps anything for at the end; undefined where it does not count them. */
  readonly keysHeld: number | undefined
  readonly timersDropped: number
  readonly closedWindowRecordsDropped: number
  readonly unfiredRecordsDropped: number
  readonly futureTimestamps: number
}

/** What decides a driver. */
export interface DriverInit {
  readonly setup: OperatorSetup
  readonly variant: Variant
  /** True when it is to take snapshots; the operator then keeps track of what changes. */
  readonly isCheckpointed?: boolean
  /** The key groups of this subtask, where it is one of several: records of others are passed over. */
  readonly keyGroups?: KeyGroupRange
}

/** How far time was on one channel. */
export interface ChannelTime {
  readonly watermark: number
  readonly isIdle: boolean
}

/** Turns without work after which nothing asynchronous is expected any more. */
const QUIET_TURNS = 25
/** The operators that wait for promises: for others one turn will do. */
const WAITING_KINDS: readonly OperatorSpec['kind'][] = ['source', 'sink', 'async']
const ROOMY_RECORDS = 1_000_000
/** Steps between two lines of a script after which the operator counts as endless. */
const STEPS_MAX = 50_000

function channelCount({ operator, channelsPerInput = 1 }: OperatorSetup): number {
  return inputCount(operator) * channelsPerInput
}

/** A source before each channel of an input and a sink behind each output; none of them is ever stepped. */
function graphAround(setup: OperatorSetup) {
  const { operator, keySelectors = [], sideOutputTags, channelsPerInput = 1 } = setup
  const builder = new GraphBuilder()
  // Never stepped: what matters is that their edges carry all that a script may give.
  const noRecords: SourceSpec = { ...timedSource([]), hasRetractions: retractionProblem(operator) === undefined }
  const senders = Array.from({ length: channelCount(setup) }, (_, channel) =>
    builder.addVertex({ name: `input ${channel}`, operator: { kind: 'source', source: noRecords } }),
  )
  const location = setup.location === undefined ? {} : { location: setup.location }
  const name = setup.name ?? 'step'
  const checked = setup.ledger === undefined ? operator : checkedOperator(operator, name, setup.ledger)
  const vertex = builder.addVertex({ name, operator: checked, keySelectors, ...location })
  vertex.chaining = 'disabled'
  for (const [channel, from] of senders.entries()) {
    const input = Math.floor(channel / channelsPerInput)
    const key = keySelectors[input]
    const partitioning = key === undefined ? undefined : ({ kind: 'hash', key } as const)
    builder.addEdge({ from: from.id, to: vertex.id, input, partitioning })
  }
  if (operator.kind !== 'sink') {
    for (const outputTag of [undefined, ...sideOutputTags]) {
      const sink = builder.addVertex({
        name: 'output',
        operator: { kind: 'sink', sink: { ...collectingSink().spec, acceptsRetractions: true } },
      })
      builder.addEdge({ from: vertex.id, to: sink.id, outputTag })
    }
  }
  return builder.build('operator harness', { parallelism: 1 })
}

interface HarnessInput extends Mutable<ChannelTime> {
  readonly input: number
  readonly channel: Channel
  readonly emit: Emit
}

type Mutable<T> = { -readonly [Field in keyof T]: T[Field] }

interface HarnessOutput {
  readonly channel: Channel
  readonly elements: OutputElement[]
  /** How many elements came before the newest barrier. */
  barrierAt: number
}

function snapshotsTo(note: (taken: TakenSnapshot) => void): SnapshotInit {
  const onSnapshot: SnapshotInit['onSnapshot'] = (_task, _snapshotId, { operators }) =>
    note({ parts: operators.flatMap(({ parts }) => parts) })
  return { mode: 'exactly-once', alignmentTimeoutMs: Infinity, onSnapshot, onFinalSnapshot: () => {} }
}

/** Drives one operator. */
export class OperatorDriver {
  private readonly task: Task
  private readonly init: DriverInit
  private readonly clock: VirtualClock
  private readonly record: CurrentRecord = { timestamp: NO_TIMESTAMP, key: undefined, isRetraction: false }
  private readonly inputs: readonly HarnessInput[]
  private readonly outputs = new Map<string, HarnessOutput>()
  private readonly quietTurns: number
  private taken: TakenSnapshot | undefined
  private steps = 0
  private end: EndMode | undefined
  private emittedWhileFull = 0
  private emittedByStepMax = 0
  private overspent = 0

  /** Makes the operator and its surroundings. */
  static async deploy(init: DriverInit): Promise<OperatorDriver> {
    const { setup, variant, isCheckpointed } = init
    const { clock = new VirtualClock(0), ledger } = setup
    let driver: OperatorDriver | undefined
    const deployment = await deploy({
      plan: planGraph(graphAround(setup)),
      connectors: customConnectors,
      clock,
      logger: setup.logger ?? silentLogger,
      seed: 1,
      channelCapacityRecords: variant.outbox === 'roomy' ? ROOMY_RECORDS : 1,
      wake: () => {},
      ...(ledger === undefined ? {} : { makeChannel: channel => new CheckedChannel(channel, ledger) }),
      ...(isCheckpointed === true ? { snapshots: snapshotsTo(taken => driver?.noteSnapshot(taken)) } : {}),
    })
    driver = new OperatorDriver(deployment, init, clock)
    return driver
  }

  private constructor(deployment: Deployment, init: DriverInit, clock: VirtualClock) {
    this.init = init
    this.clock = clock
    this.quietTurns = WAITING_KINDS.includes(init.setup.operator.kind) ? QUIET_TURNS : 1
    const { plan, tasks, exchanges } = deployment
    const senders = channelCount(init.setup)
    // The vertices are: one source a channel, the operator, one sink an output.
    this.task = tasks.find(task => task.chain.vertices[0] === senders) as Task
    const channelOf = (edge: Edge): Channel =>
      exchanges.find(({ exchange }) => exchange.edge === edge)?.channels[0]?.[0] as Channel
    const target = plan.graph.vertices[senders] as Vertex
    const into = plan.graph.edges.filter(edge => edge.to === senders)
    this.inputs = into.map(edge => {
      const channel = channelOf(edge)
      const prng = new Prng(1)
      return {
        input: edge.input,
        channel,
        emit: partitioner({ edge, target, channels: [channel], subtaskIndex: 0, record: this.record, prng }),
        watermark: -Infinity,
        isIdle: false,
      }
    })
    for (const edge of plan.graph.edges) {
      if (edge.from !== senders) continue
      const name = edge.outputTag === undefined ? 'main' : `side ${edge.outputTag}`
      this.outputs.set(name, { channel: channelOf(edge), elements: [], barrierAt: 0 })
    }
  }

  /** How far time was on each channel. */
  get times(): readonly ChannelTime[] {
    return this.inputs.map(({ watermark, isIdle }) => ({ watermark, isIdle }))
  }

  get counters(): OperatorCounters {
    return (this.task.nodes[0] as Task['nodes'][number]).counters
  }

  /** True when the operator has come to its end. */
  get isFinished(): boolean {
    return this.task.status === 'finished'
  }

  /** Opens the operator before the first line. */
  async open(): Promise<void> {
    await this.task.open()
    this.task.start()
  }

  /** Puts the snapshots of one subtask, or of several, into the operator: before it is opened. */
  restore(subtasks: readonly (readonly TakenSnapshot[])[]): void {
    restoreFromSubtasks(this.parts, subtasks, this.init.keyGroups)
  }

  /** Tells the operator how far time is, as senders do that were restored as well. */
  async resume(times: readonly ChannelTime[]): Promise<void> {
    // Idle ones first, the one furthest behind last: else one of them would be the only active one for a moment, and move the watermark on.
    const order = [...times.entries()].sort(
      ([, a], [, b]) => Number(b.isIdle) - Number(a.isIdle) || b.watermark - a.watermark || 0,
    )
    for (const [channel, { watermark, isIdle }] of order) {
      if (watermark > -Infinity) this.control({ kind: 'watermark', watermark }, channel)
      if (isIdle) this.control({ kind: 'status', isIdle }, channel)
      await this.workOff()
    }
  }

  /** Does one line of the script. */
  async run(step: ScriptStep): Promise<void> {
    if (step.kind === 'processing-time') {
      await this.workOff()
      this.clock.advanceTo(step.timeMs)
      await this.workOff()
      return
    }
    this.give(step)
    if (this.init.variant.batch === 'one' && step.kind !== 'end') await this.workOff()
  }

  /** Works off what is left after the last line. Throws when the operator should have come to its end and has not. */
  async complete(script: readonly ScriptStep[]): Promise<void> {
    await this.workOff()
    const { status } = this.task
    if (script.some(step => step.kind === 'end') && status !== 'finished') {
      throw new Error(`the operator did not finish: its task is ${status}`)
    }
  }

  /**
   * Sends a barrier and takes the snapshot, which is then complete; undefined when the operator has come to its end before. The outputs
   * are drained up to the barrier and beyond: see `dropAfterBarrier`.
   */
  async snapshot(snapshotId: number, snapshot: Barrier['snapshot']): Promise<TakenSnapshot | undefined> {
    if (this.isFinished) return undefined
    this.taken = undefined
    const barrier: Barrier = { kind: 'barrier', snapshotId, snapshot, isUnaligned: false }
    if (this.task.isSource) this.task.trigger(barrier)
    else this.control(barrier, undefined)
    await this.workOff()
    this.init.setup.ledger?.checkAll()
    const { taken } = this
    if (taken !== undefined) this.task.settle(snapshotId, 'completed')
    else if (!this.isFinished) throw new Error(`the operator took no snapshot at its barrier ${snapshotId}`)
    return taken
  }

  /** Forgets what a source sent since the last barrier: it is not in the snapshot, and sent again by who is restored from it. */
  dropAfterBarrier(): void {
    for (const output of this.outputs.values()) output.elements.length = output.barrierAt
  }

  /** What came out since the last call, by output. */
  takeOutputs(): ReadonlyMap<string, readonly OutputElement[]> {
    this.drain()
    return new Map(
      [...this.outputs].map(([name, output]) => {
        output.barrierAt = 0
        return [name, output.elements.splice(0)]
      }),
    )
  }

  /** Lets go of everything; what it still sent is drained. */
  async close(): Promise<void> {
    try {
      await this.task.close()
    } finally {
      this.drain()
    }
  }

  result(failure: Error | undefined, script: readonly ScriptStep[]): HarnessRun {
    const { counters, task, outputs } = this
    const expectedEnd = outputs.size === 0 ? undefined : script.find(step => step.kind === 'end')?.mode
    return {
      outputs: new Map([...outputs].map(([name, { elements }]) => [name, elements])),
      failure,
      end: this.end,
      expectedEnd,
      emittedWhileFull: this.emittedWhileFull,
      emittedByStepMax: this.emittedByStepMax,
      overspent: this.overspent,
      lateRecordsDropped: counters.lateRecordsDropped,
      duplicatesDropped: counters.duplicatesDropped,
      keysHeld: task.nodes[0]?.operator.keysHeld?.(),
      timersDropped: counters.timersDropped,
      closedWindowRecordsDropped: counters.closedWindowRecordsDropped,
      unfiredRecordsDropped: counters.unfiredRecordsDropped,
      futureTimestamps: counters.futureTimestamps,
    }
  }

  private get parts(): readonly StatePart[] {
    return this.task.snapshots.operators.flatMap(({ parts }) => parts)
  }

  private noteSnapshot(taken: TakenSnapshot): void {
    this.taken = taken
  }

  /** Takes everything out of the outputs; true when there was anything. */
  private drain(): boolean {
    let hasDrained = false
    for (const output of this.outputs.values()) {
      const { channel, elements } = output
      for (let element = channel.poll(); element !== undefined; element = channel.poll()) {
        hasDrained = true
        if (element.kind === 'batch') {
          const { values, timestamps, retractions } = element
          for (const [index, value] of values.entries()) {
            const timestamp = timestampOf(timestamps, index)
            elements.push(
              retractions?.[index] === true ? { value, timestamp, isRetraction: true } : { value, timestamp },
            )
          }
          channel.consumed(values.length)
        } else if (element.kind === 'barrier') output.barrierAt = elements.length
        else this.noteControl(element, elements)
      }
    }
    return hasDrained
  }

  private noteControl(element: ControlElement, elements: OutputElement[]): void {
    if (element.kind === 'watermark') elements.push({ watermark: element.watermark })
    if (element.kind === 'status') elements.push({ isIdle: element.isIdle })
    if (element.kind === 'end') this.end = element.mode
  }

  private give(step: Exclude<ScriptStep, { kind: 'processing-time' }>): void {
    switch (step.kind) {
      case 'record':
        if (!this.isMine(step)) return
        this.record.timestamp = step.timestamp ?? NO_TIMESTAMP
        this.record.isRetraction = step.isRetraction
        this.inputAt(step.input).emit(step.value)
        this.inputAt(step.input).isIdle = false
        return
      case 'watermark':
        this.control({ kind: 'watermark', watermark: step.watermark }, step.input)
        return
      case 'status':
        this.control({ kind: 'status', isIdle: step.isIdle }, step.input)
        return
      case 'end':
        if (step.mode === 'stop') this.task.stop()
        // As real senders do: the final watermark goes before the end of the data.
        if (step.mode === 'finish') this.control({ kind: 'watermark', watermark: Infinity }, undefined)
        this.control({ kind: 'end', mode: step.mode }, undefined)
    }
  }

  private control(element: ControlElement, input: number | undefined): void {
    const inputs = input === undefined ? this.inputs : [this.inputAt(input)]
    for (const sender of inputs) {
      sender.channel.control(element)
      if (element.kind === 'watermark') {
        sender.watermark = Math.max(sender.watermark, element.watermark)
        sender.isIdle = false
      }
      if (element.kind === 'status') sender.isIdle = element.isIdle
    }
  }

  /** True for records of the key groups of this subtask, and for those that every subtask gets. */
  private isMine({ value, input: channel }: ScriptStep & { kind: 'record' }): boolean {
    const { keyGroups, setup } = this.init
    const selector = setup.keySelectors?.[this.inputAt(channel).input]
    if (keyGroups === undefined || selector === undefined) return true
    const keyGroup = keyGroupOf(
      hashKey(selector.select(value as never)),
      this.task.nodes[0]?.vertex.maxParallelism ?? 0,
    )
    return keyGroup >= keyGroups.first && keyGroup <= keyGroups.last
  }

  private inputAt(input: number): HarnessInput {
    const found = this.inputs[input]
    if (found === undefined)
      throw new Error(`the script uses input ${input}, the operator has ${this.inputs.length} channels`)
    return found
  }

  /** Steps the task until nothing is left to do for now. */
  private async workOff(): Promise<void> {
    let quietTurns = 0
    let steps = 0
    while (quietTurns < this.quietTurns && this.task.status !== 'finished') {
      if (++steps > STEPS_MAX)
        throw new Error(`the operator does not come to rest: ${STEPS_MAX} steps and still at work`)
      if (this.step()) quietTurns = 0
      else {
        quietTurns++
        await Promise.resolve()
      }
    }
    this.drain()
  }

  /** One step and, unless the outbox is to be full in the next one, a drained outbox; true when anything happened. */
  private step(): boolean {
    const wasFull = this.isFull()
    const heldBefore = this.held()
    const status = this.task.step({ records: this.init.variant.budget, untilMonotonicMs: Infinity })
    const emitted = this.held() - heldBefore
    // A reader is only asked to return; operators must.
    if (this.inputs.length > 0) this.overspent += Math.max(0, -this.task.budgetLeft)
    if (wasFull) this.emittedWhileFull += emitted
    if (emitted > this.emittedByStepMax) this.emittedByStepMax = emitted
    const isDraining = this.init.variant.outbox === 'roomy' || this.steps++ % 2 === 1
    const hasDrained = isDraining && this.drain()
    return this.task.didWork || hasDrained || status === 'busy' || (!isDraining && this.isFull())
  }

  private isFull(): boolean {
    for (const { channel } of this.outputs.values()) if (channel.heldRecords >= channel.capacityRecords) return true
    return false
  }

  private held(): number {
    let held = 0
    for (const { channel } of this.outputs.values()) held += channel.heldRecords
    return held
  }
}

function timestampOf(timestamps: readonly number[] | undefined, index: number): number | undefined {
  const timestamp = timestamps?.[index]
  return timestamp === undefined || timestamp === NO_TIMESTAMP ? undefined : timestamp
}
