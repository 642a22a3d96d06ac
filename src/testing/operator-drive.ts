// Runs one operator in a real task between real channels, under one variant of circumstances, and holds the runtime's contract
// against every step. Whether the results are the right ones is for operator-harness.ts to say.
import { silentLogger } from '../base/logger.ts'
import { Prng } from '../base/prng.ts'
import type { ConnectorResolver, Split } from '../model/connector.ts'
import { GraphBuilder } from '../model/graph-builder.ts'
import type { KeySelector } from '../model/key.ts'
import { type OperatorSpec, inputCount, isKeyed } from '../model/operator-spec.ts'
import type { Capacity, Emit, OperatorCounters } from '../operators/operator.ts'
import type { Chain, PhysicalPlan } from '../plan/physical-plan.ts'
import { planGraph } from '../plan/plan.ts'
import { Channel, overshootLimit } from '../runtime/channel.ts'
import type { InputChannel } from '../runtime/input-gate.ts'
import { TaskMailbox } from '../runtime/mailbox.ts'
import { partitioner } from '../runtime/partitioner.ts'
import { VirtualClock } from '../runtime/simulated-scheduler.ts'
import { Task } from '../runtime/task.ts'
import { customConnectors } from './custom-connectors.ts'
import type { OutputElement, RecordElement, ScriptElement } from './operator-script.ts'
import type { OperatorVariant } from './operator-variant.ts'
import { OutputProbe, type ReaderName } from './output-probe.ts'
import { VerificationError } from './verification-error.ts'

/** What is driven. */
export interface OperatorDriveInit {
  readonly spec: OperatorSpec
  readonly variant: OperatorVariant
  readonly keySelectors: readonly KeySelector[]
  readonly parallelism: number
  readonly maxParallelism: number
  readonly startMs: number
  /** True when a record of the script has a timestamp. */
  readonly hasTimestamps: boolean
  /** The ids of the side outputs that are read. */
  readonly tags: readonly string[]
  readonly connectors: ConnectorResolver
}

/** An input holds what a script sends however much it is. */
const INPUT_RECORDS_MAX = Number.MAX_SAFE_INTEGER
/** Turns of pending promises after which an operator counts as waiting for something else. */
const QUIET_TURNS = 20
/** Steps in a row that may say `busy` without doing anything. */
const EMPTY_STEPS_MAX = 100

/** One subtask of the operator, its outputs and its capacity. */
interface DrivenTask {
  readonly task: Task
  readonly capacity: Capacity
  readonly inputs: readonly InputChannel[]
  readonly probe: OutputProbe
  steps: number
  emptySteps: number
}

/** One input of the operator: how to send records into it, and its channel to each subtask. */
interface DrivenInput {
  readonly send: Emit
  readonly channels: readonly Channel[]
  isEnded: boolean
}

/** An operator being driven. */
export class OperatorDrive {
  private readonly init: OperatorDriveInit
  private readonly clock: VirtualClock
  private readonly current = { timestamp: -Infinity, key: undefined }
  private tasks: readonly DrivenTask[] = []
  private inputs: readonly DrivenInput[] = []
  private pendingInput: number | undefined
  private hasStopped = false

  constructor(init: OperatorDriveInit) {
    this.init = init
    this.clock = new VirtualClock(init.startMs)
  }

  /** Opens the operator and lets it settle. */
  async open(): Promise<void> {
    const plan = planGraph(graphAround(this.init))
    const chain = plan.chains.find(({ vertices }) => vertices.includes(targetOf(plan))) as Chain
    const splits = await this.splits()
    this.inputs = plan.exchanges
      .filter(({ toChain }) => toChain === chain.id)
      .map(exchange => this.makeInput(exchange.edge, plan, exchange.columns.includes('timestamp'), exchange.columns.includes('key')))
    this.tasks = chain.subtasks.map(({ index }) => this.makeTask(plan, chain, index, splits))
    for (const { task } of this.tasks) await task.open()
    await this.settle()
  }

  /** Plays elements one after the other. Throws what the task throws. */
  async play(script: readonly ScriptElement[]): Promise<void> {
    for (const element of script) {
      if (element.kind === 'record') await this.send(element)
      else {
        await this.flushRecords()
        this.apply(element)
        await this.settle()
      }
    }
    await this.flushRecords()
    this.checkEnd()
  }

  async close(): Promise<void> {
    for (const { task } of this.tasks) await task.close()
  }

  /** What came out by the main output, or by the side output of a tag: by subtask, in order. */
  output(reader: ReaderName): readonly OutputElement[] {
    return this.tasks.flatMap(({ probe }) => {
      probe.drain()
      return probe.elements(reader)
    })
  }

  /** The operator's counters, summed over its subtasks. */
  counter(name: keyof OperatorCounters): number {
    return this.tasks.reduce((sum, { task }) => sum + (task.nodes.at(-1)?.counters[name] ?? 0), 0)
  }

  private async splits(): Promise<readonly Split[]> {
    const { spec, connectors, parallelism } = this.init
    return spec.kind === 'source' ? connectors.source(spec.source).splits(parallelism) : []
  }

  private makeInput(edge: PhysicalPlan['graph']['edges'][number], plan: PhysicalPlan, hasTimestamps: boolean, hasKeys: boolean): DrivenInput {
    const channels = Array.from({ length: this.init.parallelism }, (_, index) => {
      const name = `input ${edge.input} -> [${index}]`
      const limits = overshootLimit(name, INPUT_RECORDS_MAX)
      return new Channel({ name, capacityRecords: INPUT_RECORDS_MAX, hasTimestamps, hasKeys, senderCapacity: undefined, ...limits })
    })
    const target = plan.graph.vertices[edge.to]
    if (target === undefined) throw new VerificationError('the operator has no vertex')
    const send = partitioner({ edge, target, channels, subtaskIndex: 0, record: this.current, prng: new Prng(1) })
    return { send, channels, isEnded: false }
  }

  private makeTask(plan: PhysicalPlan, chain: Chain, index: number, splits: readonly Split[]): DrivenTask {
    const { variant, connectors, parallelism } = this.init
    const capacity: Capacity = { blocked: 0, budget: 0, untilMonotonicMs: Infinity }
    const probe = new OutputProbe(plan, chain, capacity, variant.output === 'full' ? 1 : INPUT_RECORDS_MAX)
    const edges = plan.exchanges.filter(({ toChain }) => toChain === chain.id).map(({ edge }) => edge)
    const inputs = edges.map((edge, position): InputChannel => {
      const { channels } = this.inputs[position] as DrivenInput
      return { input: edge.input, channel: channels[index] as Channel, isFeedback: false }
    })
    const task = new Task({
      graph: plan.graph,
      chain,
      subtaskIndex: index,
      inputs,
      outputs: probe.outputs,
      capacity,
      mailbox: new TaskMailbox(() => {}),
      clock: this.clock,
      logger: silentLogger,
      prng: new Prng(index + 1),
      connectors,
      splits: splits.filter((_, position) => position % parallelism === index),
    })
    return { task, capacity, inputs, probe, steps: 0, emptySteps: 0 }
  }

  private async send(element: RecordElement): Promise<void> {
    if (this.pendingInput !== undefined && this.pendingInput !== element.input) await this.flushRecords()
    const input = this.inputs[element.input]
    if (input === undefined) {
      throw new VerificationError(`the script sends a record to input ${element.input}, but the operator has ${this.inputs.length} input(s)`)
    }
    this.current.timestamp = element.timestamp ?? -Infinity
    input.send(element.value)
    this.pendingInput = element.input
    if (this.init.variant.batches === 'one') await this.flushRecords()
  }

  private async flushRecords(): Promise<void> {
    if (this.pendingInput === undefined) return
    this.pendingInput = undefined
    await this.settle()
  }

  private apply(element: Exclude<ScriptElement, RecordElement>): void {
    switch (element.kind) {
      case 'processing-time':
        this.clock.advanceTo(element.timeMs)
        return
      case 'action':
        element.action()
        return
      case 'end':
        if (this.inputs.length === 0) for (const { task } of this.tasks) task.stop()
        this.hasStopped = true
        for (const input of this.openInputs(element.input)) {
          input.isEnded = true
          for (const channel of input.channels) {
            if (element.mode === 'finish') channel.control({ kind: 'watermark', watermark: Infinity })
            channel.control({ kind: 'end', mode: element.mode })
          }
        }
        return
      case 'watermark':
      case 'status':
        for (const { channels } of this.openInputs(element.input)) {
          for (const channel of channels) {
            channel.control(element.kind === 'status' ? { kind: 'status', isIdle: element.isIdle } : { kind: 'watermark', watermark: element.watermark })
          }
        }
    }
  }

  private openInputs(ordinal: number | undefined): readonly DrivenInput[] {
    return this.inputs.filter((input, position) => !input.isEnded && (ordinal === undefined || position === ordinal))
  }

  /** Steps until nothing changes any more: input worked off, outputs emptied, promises settled. */
  private async settle(): Promise<void> {
    let quietTurns = 0
    while (quietTurns < QUIET_TURNS) {
      let isAnyWork = false
      for (const driven of this.tasks) if (this.step(driven)) isAnyWork = true
      quietTurns = isAnyWork ? 0 : quietTurns + 1
      if (!isAnyWork) await Promise.resolve()
    }
  }

  /** One step, checked; true when anything happened. */
  private step(driven: DrivenTask): boolean {
    const { task, capacity, probe } = driven
    const { variant } = this.init
    const isOffTurn = variant.output === 'full' && driven.steps++ % 2 === 0
    // Without an output there is nothing to be full: the capacity itself says so.
    const held = isOffTurn && probe.outputs.length === 0 ? 1 : 0
    capacity.blocked += held
    const wasBlocked = capacity.blocked > 0
    const queuedBefore = driven.inputs.reduce((sum, { channel }) => sum + channel.heldRecords, 0)
    const emittedBefore = probe.emittedRecords
    const status = task.step({ records: variant.recordsPerStep, untilMonotonicMs: Infinity })
    if (wasBlocked && capacity.blocked > 0) {
      const queuedNow = driven.inputs.reduce((sum, { channel }) => sum + channel.heldRecords, 0)
      this.require(queuedNow === queuedBefore, 'the operator took a record while its output was full')
      this.require(probe.emittedRecords === emittedBefore, 'the operator emitted while its output was full')
    }
    this.require(status !== 'backpressured' || capacity.blocked > 0, 'the step said backpressured, but no output is full')
    capacity.blocked -= held
    driven.emptySteps = status === 'busy' && !task.didWork ? driven.emptySteps + 1 : 0
    this.require(driven.emptySteps < EMPTY_STEPS_MAX, `${EMPTY_STEPS_MAX} steps in a row said busy and did nothing`)
    const drained = isOffTurn ? 0 : probe.drain()
    return task.didWork || drained > 0 || status === 'busy' || (isOffTurn && (held > 0 || probe.queuedRecords > 0) && status === 'backpressured')
  }

  private checkEnd(): void {
    const isEnded = this.inputs.length > 0 ? this.inputs.every(input => input.isEnded) : this.hasStopped
    if (!isEnded) return
    for (const { task, probe } of this.tasks) {
      this.require(task.status === 'finished', `the input has ended, but the operator does not finish: it says ${task.status}`)
      const emitted = probe.emittedRecords
      const again = task.step({ records: 1, untilMonotonicMs: Infinity })
      this.require(again === 'finished' && !task.didWork && probe.emittedRecords === emitted, 'the operator did something after it had finished')
    }
  }

  private require(condition: boolean, message: string): void {
    if (!condition) throw new VerificationError(`${message} (${this.init.variant.name})`)
  }
}

/** The position of the operator's vertex in the graphs that `graphAround` makes. */
function targetOf(plan: PhysicalPlan): number {
  return plan.graph.vertices.findIndex(vertex => vertex.name === 'operator')
}

/** The operator with a source for each of its inputs and a sink for each output that is read. Only the operator's chain is run. */
function graphAround(init: OperatorDriveInit): PhysicalPlan['graph'] {
  const { spec, variant, keySelectors, parallelism, maxParallelism, tags, hasTimestamps } = init
  const builder = new GraphBuilder()
  const vertex = (name: string, operator: OperatorSpec, isChained: boolean): number => {
    const draft = builder.addVertex({ name, operator, parallelism })
    draft.maxParallelism = maxParallelism
    if (!isChained) draft.chaining = 'disabled'
    return draft.id
  }
  const sources = Array.from({ length: inputCount(spec) }, (_, input) => {
    const source = builder.addVertex({ name: `input ${input}`, operator: inputSpec(hasTimestamps), parallelism: 1 })
    source.chaining = 'disabled'
    return source.id
  })
  if (variant.chain === 'chained') {
    const before = vertex('before', { kind: 'transform', shape: 'map', function: (value: never) => value }, true)
    builder.addEdge({ from: sources[0] as number, to: before })
    sources[0] = before
  }
  const operator = builder.addVertex({ name: 'operator', operator: spec, parallelism, keySelectors })
  operator.maxParallelism = maxParallelism
  if (variant.chain === 'alone') operator.chaining = 'disabled'
  sources.forEach((from, input) => {
    const key = keySelectors[input]
    builder.addEdge({ from, to: operator.id, input, partitioning: isKeyed(spec) && key !== undefined ? { kind: 'hash', key } : undefined })
  })
  if (spec.kind !== 'sink') {
    for (const outputTag of [undefined, ...tags]) {
      const reader = vertex(`reader of ${outputTag ?? 'output'}`, outputSpec, false)
      builder.addEdge({ from: operator.id, to: reader, outputTag })
    }
  }
  return builder.build('operator harness', { parallelism })
}

function inputSpec(hasTimestamps: boolean): OperatorSpec {
  const source = { connector: 'script', options: {}, description: 'script', placement: 'any', isBounded: true, hasTimestamps } as const
  return { kind: 'source', source }
}

const outputSpec: OperatorSpec = {
  kind: 'sink',
  sink: { connector: 'probe', options: {}, description: 'probe', placement: 'any' },
}

/** The connectors of a drive unless the test gives others. */
export const driveConnectors: ConnectorResolver = customConnectors
