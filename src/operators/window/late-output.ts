// What becomes of records that are too late for all their windows: a side output, the failure of the job, or a count.
import { preview } from '../../base/errors.ts'
import type { TimeWindow } from '../../model/functions.ts'
import type { LateRecord } from '../../model/window-functions.ts'
import type { WindowSpec } from '../../model/window-spec.ts'
import type { Emit, OperatorContext } from '../operator.ts'
import { failWith } from '../user-failure.ts'

/** The late records of one windowing. */
export class LateOutput {
  private readonly context: OperatorContext
  private readonly isFailing: boolean
  private readonly records: Emit | undefined
  private readonly details: Emit | undefined

  constructor(spec: WindowSpec, context: OperatorContext) {
    this.context = context
    this.isFailing = spec.lateRecords === 'fail'
    this.records = spec.lateOutputTag === undefined ? undefined : context.sideOutput(spec.lateOutputTag)
    this.details = spec.lateDetailsTag === undefined ? undefined : context.sideOutput(spec.lateDetailsTag)
  }

  /** A record came when its newest window was closed. */
  take(record: unknown, timestamp: number, window: TimeWindow, timeMs: number): void {
    const { counters, vertex } = this.context
    counters.lateRecords++
    const latenessMs = timeMs - (window.end - 1)
    this.records?.(record)
    this.details?.({ record, timestamp, window, latenessMs } satisfies LateRecord<unknown>)
    if (this.records !== undefined || this.details !== undefined) return
    if (this.isFailing) {
      failWith(
        vertex,
        'RECORD_LATE',
        `record ${preview(record)} at ${timestamp} came ${latenessMs} ms after the end of its window [${window.start}, ${window.end})`,
        'allow more out-of-orderness or lateness, or take late records to a side output with sideOutputLateData()',
      )
    }
    counters.lateRecordsDropped++
  }
}
