// Record path. The contexts that functions get: they read the chain's current record, so making one per subtask is enough.
import type { RecordContext } from '../model/functions.ts'
import type { OutputTag } from '../model/output-tag.ts'
import { type CurrentRecord, type Emit, NO_TIMESTAMP, type OperatorContext } from './operator.ts'

/** The context of functions without key. */
export class OperatorRecordContext implements RecordContext {
  readonly subtaskIndex: number
  readonly parallelism: number
  watermark = -Infinity
  private readonly record: CurrentRecord
  private readonly operator: OperatorContext
  private readonly sideOutputs = new Map<string, Emit | undefined>()

  constructor(operator: OperatorContext) {
    this.operator = operator
    this.record = operator.record
    this.subtaskIndex = operator.subtaskIndex
    this.parallelism = operator.vertex.parallelism
  }

  get timestamp(): number | undefined {
    const { timestamp } = this.record
    return timestamp === NO_TIMESTAMP ? undefined : timestamp
  }

  get isRetraction(): boolean {
    return this.record.isRetraction
  }

  currentWatermark(): number {
    return this.watermark
  }

  currentProcessingTime(): number {
    return this.operator.clock.now()
  }

  output<X>(tag: OutputTag<X>, record: X): void {
    let emit = this.sideOutputs.get(tag.id)
    if (emit === undefined && !this.sideOutputs.has(tag.id)) {
      emit = this.operator.sideOutput(tag.id)
      this.sideOutputs.set(tag.id, emit)
    }
    emit?.(record)
  }
}
