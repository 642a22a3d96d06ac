// Record path. The contexts that functions get: they read the chain's current record, so making one per subtask is enough.
import type { DropReason, RecordContext } from '../model/functions.ts'
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
    this.sideOutput(tag.id)?.(record)
  }

  drop<X>(reason: DropReason, record: X, tag?: OutputTag<X>): void {
    const emit = tag === undefined ? undefined : this.sideOutput(tag.id)
    if (emit !== undefined) emit(record)
    else if (reason === 'late') this.operator.counters.lateRecordsDropped++
    else this.operator.counters.duplicatesDropped++
  }

  private sideOutput(tagId: string): Emit | undefined {
    const known = this.sideOutputs.get(tagId)
    if (known !== undefined || this.sideOutputs.has(tagId)) return known
    const emit = this.operator.sideOutput(tagId)
    this.sideOutputs.set(tagId, emit)
    return emit
  }
}
