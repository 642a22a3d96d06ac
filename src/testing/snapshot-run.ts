// Runs one operator by a script, outside a task, and can snapshot and restore it between any two lines. For tests that compare a run that was
// interrupted with one that was not.
import { silentLogger } from '../base/logger.ts'
import type { Vertex } from '../model/graph.ts'
import type { KeySelector } from '../model/key.ts'
import { keyGroupOf } from '../model/key-groups.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import { createOperator } from '../operators/create-operator.ts'
import {
  type CurrentRecord,
  NO_TIMESTAMP,
  newCounters,
  type Operator,
  type OperatorContext,
  type OperatorCounters,
} from '../operators/operator.ts'
import { VirtualClock } from '../runtime/simulated-scheduler.ts'
import { hashKey } from '../serde/key-encoding.ts'
import type { StatePart } from '../state/state-part.ts'
import { AlignmentCoordinator } from '../time/alignment-coordinator.ts'
import { customConnectors } from './collections.ts'
import type { ScriptStep } from './operator-script.ts'
import type { KeyGroupRange } from './snapshot-operator.ts'

/** What is run. */
export interface SnapshotRunSetup {
  readonly operator: OperatorSpec
  readonly keySelectors: readonly KeySelector[]
  readonly maxParallelism?: number
  readonly sideOutputTags?: readonly string[]
  /** The key groups of this subtask; records of others are passed over. All unless given. */
  readonly keyGroups?: KeyGroupRange
}

/** One thing that the operator sent on; `side` is the tag of a side output. */
export type SentElement =
  | { readonly value: unknown; readonly timestamp: number; readonly isRetraction: boolean; readonly side?: string }
  | { readonly watermark: number }

const ROOM_RECORDS = 1_000_000_000

/** One operator that is running. */
export class SnapshotRun {
  readonly sent: SentElement[] = []
  readonly counters: OperatorCounters = newCounters()
  readonly clock: VirtualClock
  inputWatermark = -Infinity
  outputWatermark = -Infinity
  private readonly operator: Operator
  private readonly setup: SnapshotRunSetup
  private readonly record: CurrentRecord = { timestamp: NO_TIMESTAMP, key: undefined, isRetraction: false }
  private readonly maxParallelism: number

  constructor(setup: SnapshotRunSetup, nowMs = 0) {
    this.setup = setup
    this.clock = new VirtualClock(nowMs)
    this.maxParallelism = setup.maxParallelism ?? 128
    this.operator = createOperator(setup.operator, this.context())
  }

  get parts(): readonly StatePart[] {
    return this.operator.parts ?? []
  }

  /** Begins: at the start, or at the watermark that the snapshot was taken at once the parts are restored. */
  open(restoredWatermark = -Infinity): void {
    this.operator.open?.()
    this.advance(restoredWatermark)
  }

  /** Does one line of the script, with all that it makes due. */
  run(step: ScriptStep): void {
    switch (step.kind) {
      case 'record':
        this.give(step)
        break
      case 'watermark':
        this.advance(step.watermark)
        break
      case 'processing-time':
        this.clock.advanceTo(step.timeMs)
        break
      case 'end':
        if (step.mode === 'finish') this.advance(Infinity)
        break
      case 'status':
        break
    }
    this.fireProcessingTime()
    this.sendWatermark()
  }

  private give({ value, timestamp = NO_TIMESTAMP, input, isRetraction }: ScriptStep & { kind: 'record' }): void {
    const key = this.setup.keySelectors[input]?.select(value as never)
    const { keyGroups } = this.setup
    if (keyGroups !== undefined) {
      const keyGroup = keyGroupOf(hashKey(key), this.maxParallelism)
      if (keyGroup < keyGroups.first || keyGroup > keyGroups.last) return
    }
    this.record.timestamp = timestamp
    this.record.key = key
    this.record.isRetraction = isRetraction
    this.operator.inputs[input]?.(value as never)
    this.record.isRetraction = false
  }

  private advance(watermark: number): void {
    if (watermark <= this.inputWatermark) return
    while (this.operator.onWatermark?.(watermark) === false);
    this.inputWatermark = watermark
    this.sendWatermark()
  }

  private fireProcessingTime(): void {
    const nowMs = this.clock.now()
    while ((this.operator.nextTimerMs?.() ?? Infinity) <= nowMs) this.operator.onProcessingTime?.(nowMs)
  }

  private sendWatermark(): void {
    const watermark = this.operator.outputWatermark?.(this.inputWatermark) ?? this.inputWatermark
    if (watermark <= this.outputWatermark) return
    this.outputWatermark = watermark
    this.sent.push({ watermark })
  }

  private context(): OperatorContext {
    const { operator, keySelectors, sideOutputTags = [] } = this.setup
    const { record, maxParallelism } = this
    const vertex: Vertex = {
      id: 0,
      uid: 'step',
      isUidDerived: false,
      name: 'step',
      operator,
      parallelism: 1,
      maxParallelism,
      placement: 'any',
      chaining: 'allowed',
      keySelectors,
      location: undefined,
    }
    const emit = (value: unknown, side?: string): void => {
      const { timestamp, isRetraction } = record
      this.sent.push({ value, timestamp, isRetraction, ...(side === undefined ? {} : { side }) })
    }
    return {
      vertex,
      subtaskIndex: 0,
      record,
      output: value => emit(value),
      sideOutput: tag => (sideOutputTags.includes(tag) ? value => emit(value, tag) : undefined),
      capacity: { blocked: 0, budget: ROOM_RECORDS, untilMonotonicMs: Infinity, isTimeNews: false },
      clock: this.clock,
      logger: silentLogger,
      mailbox: { post: letter => letter() },
      counters: this.counters,
      connectors: customConnectors,
      alignment: new AlignmentCoordinator(),
      splits: [],
      isCheckpointed: true,
      takesRetractions: false,
      jobName: 'test',
      attempt: 1,
      startedFromId: undefined,
      keyOf: () => () => record.key,
    }
  }
}
