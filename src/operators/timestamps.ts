// Record path. Gives records their event time and makes watermarks from it. Watermarks from upstream end here, but for the last one.
import { preview } from '../base/errors.ts'
import type { WatermarkStrategy } from '../model/watermark-strategy.ts'
import { type Emit, NO_TIMESTAMP, type Operator, type OperatorContext } from './operator.ts'
import { failOnRecord, failWith } from './user-failure.ts'

/**
 * The operator of a watermark strategy. The task asks for the watermark after each batch, so its steps are batches: a record that is
 * out of order within one batch is never late because of it.
 */
export function timestampsOperator(strategy: WatermarkStrategy<unknown>, context: OperatorContext): Operator {
  const { clock } = context
  const generator = strategy.generator()
  const idleTimeoutMs = strategy.idleTimeoutMs ?? Infinity
  let newest = -Infinity
  let records = 0
  let recordsSeen = 0
  let activeMs = clock.now()
  let isAnnounced = false
  const input = assigning(strategy, context, timestamp => {
    records++
    generator.onRecord(timestamp)
  })
  return {
    inputs: [input],
    outputWatermark: inputWatermark => {
      const watermark = inputWatermark === Infinity ? Infinity : generator.current()
      if (watermark > newest) newest = watermark
      return newest
    },
    isIdle: nowMs => {
      if (records !== recordsSeen) {
        recordsSeen = records
        activeMs = nowMs
      }
      isAnnounced = nowMs - activeMs >= idleTimeoutMs
      return isAnnounced
    },
    nextTimerMs: () => (isAnnounced && records === recordsSeen ? Infinity : activeMs + idleTimeoutMs),
    onProcessingTime: () => true,
  }
}

function assigning(
  strategy: WatermarkStrategy<unknown>,
  context: OperatorContext,
  onTimestamp: (timestamp: number) => void,
): Emit {
  const { record: current, output, vertex } = context
  const assign = strategy.timestamp
  return record => {
    const before = current.timestamp
    let timestamp: unknown = before
    if (assign !== undefined) {
      try {
        timestamp = assign(record, before === NO_TIMESTAMP ? undefined : before)
      } catch (error) {
        failOnRecord(vertex, record, error)
      }
    }
    if (typeof timestamp !== 'number' || !Number.isFinite(timestamp)) failTimestamp(timestamp, record, context)
    onTimestamp(timestamp)
    current.timestamp = timestamp
    output(record)
    current.timestamp = before
  }
}

function failTimestamp(timestamp: unknown, record: unknown, context: OperatorContext): never {
  if (timestamp === NO_TIMESTAMP) {
    failWith(
      context.vertex,
      'TIMESTAMP_MISSING',
      `record ${preview(record)} has no timestamp`,
      'give the watermark strategy a timestamp function: { timestamp: record => ... }',
    )
  }
  failWith(
    context.vertex,
    'TIMESTAMP_INVALID',
    `the timestamp of record ${preview(record)} is ${preview(timestamp)}; expected a finite number of epoch milliseconds`,
    'mend the timestamp function, or drop such records before it with filter()',
  )
}
