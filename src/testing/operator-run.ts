// One run of the operator harness: an operator in a real task between real channels, driven by a script. It notes what happened and
// judges nothing.
import { type Logger, silentLogger } from '../base/logger.ts'
import { Prng } from '../base/prng.ts'
import type { SourceSpec } from '../model/connector.ts'
import type { Edge, Vertex } from '../model/graph.ts'
import { GraphBuilder } from '../model/graph-builder.ts'
import type { KeySelector } from '../model/key.ts'
import { inputCount, type OperatorSpec } from '../model/operator-spec.ts'
import { retractionProblem } from '../model/retractions.ts'
import { type CurrentRecord, type Emit, type EndMode, NO_TIMESTAMP } from '../operators/operator.ts'
import { planGraph } from '../plan/plan.ts'
import type { ControlElement } from '../runtime/batch.ts'
import type { Channel } from '../runtime/channel.ts'
import { type Deployment, deploy } from '../runtime/deployment.ts'
import { partitioner } from '../runtime/partitioner.ts'
import { VirtualClock } from '../runtime/simulated-scheduler.ts'
import type { Task } from '../runtime/task.ts'
import { collectingSink, customConnectors, timedSource } from './collections.ts'
import type { OutputElement, ScriptStep } from './operator-script.ts'

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

/** Turns without work after which nothing asynchronous is expected any more. */
const QUIET_TURNS = 25
const ROOMY_RECORDS = 1_000_000
/** Steps between two lines of a script after which the operator counts as endless. */
const STEPS_MAX = 50_000

/** Runs the script against the operator. Failures of the operator are part of the result. */
export async function runOperator(
  setup: OperatorSetup,
  script: readonly ScriptStep[],
  variant: Variant,
): Promise<HarnessRun> {
  const { clock = new VirtualClock(0) } = setup
  const plan = planGraph(graphAround(setup))
  const deployment = await deploy({
    plan,
    connectors: customConnectors,
    clock,
    logger: setup.logger ?? silentLogger,
    seed: 1,
    channelCapacityRecords: variant.outbox === 'roomy' ? ROOMY_RECORDS : 1,
    wake: () => {},
  })
  const driver = new OperatorDriver(deployment, channelCount(setup), clock, variant)
  let failure: Error | undefined
  try {
    await driver.run(script)
  } catch (error) {
    failure = asError(error)
  }
  try {
    await driver.task.close()
  } catch (error) {
    failure ??= asError(error)
  }
  driver.drain()
  return driver.result(failure, script)
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

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
  const vertex = builder.addVertex({ name: setup.name ?? 'step', operator, keySelectors, ...location })
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

interface HarnessInput {
  readonly channel: Channel
  readonly emit: Emit
}

interface HarnessOutput {
  readonly channel: Channel
  readonly elements: OutputElement[]
}

class OperatorDriver {
  readonly task: Task
  private readonly clock: VirtualClock
  private readonly variant: Variant
  private readonly record: CurrentRecord = { timestamp: NO_TIMESTAMP, key: undefined, isRetraction: false }
  private readonly inputs: readonly HarnessInput[]
  private readonly outputs = new Map<string, HarnessOutput>()
  private steps = 0
  private end: EndMode | undefined
  private emittedWhileFull = 0
  private emittedByStepMax = 0
  private overspent = 0

  constructor(deployment: Deployment, senders: number, clock: VirtualClock, variant: Variant) {
    this.clock = clock
    this.variant = variant
    const { plan, tasks, exchanges } = deployment
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
        channel,
        emit: partitioner({ edge, target, channels: [channel], subtaskIndex: 0, record: this.record, prng }),
      }
    })
    for (const edge of plan.graph.edges) {
      if (edge.from !== senders) continue
      const name = edge.outputTag === undefined ? 'main' : `side ${edge.outputTag}`
      this.outputs.set(name, { channel: channelOf(edge), elements: [] })
    }
  }

  async run(script: readonly ScriptStep[]): Promise<void> {
    await this.task.open()
    for (const step of script) {
      if (step.kind === 'processing-time') {
        await this.workOff()
        this.clock.advanceTo(step.timeMs)
        await this.workOff()
      } else {
        this.give(step)
        if (this.variant.batch === 'one' && step.kind !== 'end') await this.workOff()
      }
    }
    await this.workOff()
    const { status } = this.task
    if (script.some(step => step.kind === 'end') && status !== 'finished') {
      throw new Error(`the operator did not finish: its task is ${status}`)
    }
  }

  result(failure: Error | undefined, script: readonly ScriptStep[]): HarnessRun {
    const { counters, operator } = this.task.nodes[0] as Task['nodes'][number]
    const expectedEnd = this.outputs.size === 0 ? undefined : script.find(step => step.kind === 'end')?.mode
    return {
      outputs: new Map([...this.outputs].map(([name, { elements }]) => [name, elements])),
      failure,
      end: this.end,
      expectedEnd,
      emittedWhileFull: this.emittedWhileFull,
      emittedByStepMax: this.emittedByStepMax,
      overspent: this.overspent,
      lateRecordsDropped: counters.lateRecordsDropped,
      duplicatesDropped: counters.duplicatesDropped,
      keysHeld: operator.keysHeld?.(),
      timersDropped: counters.timersDropped,
      closedWindowRecordsDropped: counters.closedWindowRecordsDropped,
      unfiredRecordsDropped: counters.unfiredRecordsDropped,
      futureTimestamps: counters.futureTimestamps,
    }
  }

  /** Takes everything out of the outputs; true when there was anything. */
  drain(): boolean {
    let hasDrained = false
    for (const { channel, elements } of this.outputs.values()) {
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
        } else this.noteControl(element, elements)
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
        this.record.timestamp = step.timestamp ?? NO_TIMESTAMP
        this.record.isRetraction = step.isRetraction
        this.inputAt(step.input).emit(step.value)
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
    for (const { channel } of inputs) channel.control(element)
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
    while (quietTurns < QUIET_TURNS && this.task.status !== 'finished') {
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
    const status = this.task.step({ records: this.variant.budget, untilMonotonicMs: Infinity })
    const emitted = this.held() - heldBefore
    // A reader is only asked to return; operators must.
    if (this.inputs.length > 0) this.overspent += Math.max(0, -this.task.budgetLeft)
    if (wasFull) this.emittedWhileFull += emitted
    if (emitted > this.emittedByStepMax) this.emittedByStepMax = emitted
    const isDraining = this.variant.outbox === 'roomy' || this.steps++ % 2 === 1
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
