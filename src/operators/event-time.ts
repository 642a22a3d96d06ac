// Record path (bench/micro/timestamps.ts). What steps that make watermarks have in common: giving a record its timestamp, keeping timestamps
// of the far future from the generator, and asking the generator for its watermark.
import { preview } from '../base/errors.ts'
import type { WatermarkGenerator, WatermarkStrategy } from '../model/watermark-strategy.ts'
import { FutureLimit } from '../time/future-limit.ts'
import { NO_TIMESTAMP, type OperatorContext, type TimePlace } from './operator.ts'
import { failOnRecord, failStep, failWith } from './user-failure.ts'

/** Gives records their timestamps, at one subtask of a step. */
export class TimestampAssigner {
  private readonly context: OperatorContext
  private readonly timestampOf: WatermarkStrategy<unknown>['timestamp']
  private readonly future: FutureLimit

  constructor(strategy: WatermarkStrategy<unknown>, context: OperatorContext) {
    this.context = context
    this.timestampOf = strategy.timestamp
    this.future = new FutureLimit(strategy.futureLimitMs, context.clock)
  }

  /** The record's event time, shown to the generator up to the limit; throws TIMESTAMP_MISSING, TIMESTAMP_INVALID. */
  assign(record: unknown, before: number, place: GeneratorPlace): number {
    const { timestampOf, future } = this
    let timestamp: unknown = before
    try {
      if (timestampOf !== undefined) timestamp = timestampOf(record, before === NO_TIMESTAMP ? undefined : before)
      const isUsual = typeof timestamp === 'number' && timestamp > NO_TIMESTAMP && timestamp <= future.acceptedMs
      place.generator.onRecord(isUsual ? (timestamp as number) : this.limited(timestamp, record), record)
    } catch (error) {
      failOnRecord(this.context.vertex, record, error)
    }
    return timestamp as number
  }

  /** The timestamp as far as it may move the watermark; one beyond is counted, and reported now and then. */
  private limited(timestamp: unknown, record: unknown): number {
    if (typeof timestamp !== 'number' || !Number.isFinite(timestamp)) failTimestamp(timestamp, record, this.context)
    const limitedMs = this.future.limited(timestamp)
    if (limitedMs < timestamp) this.note(timestamp, limitedMs, record)
    return limitedMs
  }

  private note(timestampMs: number, limitMs: number, record: unknown): void {
    const { counters, logger, vertex } = this.context
    counters.futureTimestamps++
    const count = this.future.countForReport()
    if (count === 0) return
    logger.log('warn', 'a timestamp is too far ahead of processing time: it moves the watermark to the limit only', {
      step: vertex.name,
      record: preview(record),
      timestampMs,
      limitMs,
      count,
      mend: 'correct the timestamps, or set futureLimitMs of the watermark strategy (Infinity: no limit)',
    })
  }
}

/** One running generator, with what is remembered of it. */
export class GeneratorPlace implements TimePlace {
  readonly id: string
  watermark = -Infinity
  isIdle = false
  advancedAtMs: number
  readonly generator: WatermarkGenerator
  private readonly context: OperatorContext

  constructor(id: string, strategy: WatermarkStrategy<unknown>, context: OperatorContext) {
    this.id = id
    this.context = context
    this.advancedAtMs = context.clock.now()
    try {
      this.generator = strategy.generator()
    } catch (error) {
      failStep(context.vertex, 'making its watermark generator', error)
    }
  }

  /** What the generator says now, which may be less than before. */
  current(): number {
    let watermark: unknown
    try {
      watermark = this.generator.current()
    } catch (error) {
      failStep(this.context.vertex, 'asking its watermark generator', error)
    }
    if (typeof watermark !== 'number' || Number.isNaN(watermark)) failWatermark(watermark, this.context)
    return watermark
  }

  /** Takes the generator's watermark; true when it advanced. */
  sample(): boolean {
    return this.advance(this.current())
  }

  /** Takes a watermark; true when it advanced. */
  advance(watermark: number): boolean {
    if (watermark <= this.watermark) return false
    this.watermark = watermark
    this.advancedAtMs = this.context.clock.now()
    return true
  }

  /** As plain data. */
  reading(): TimePlace {
    const { id, watermark, isIdle, advancedAtMs } = this
    return { id, watermark, isIdle, advancedAtMs }
  }
}

/** The ticks of `emit: { everyMs }`; none for other emissions. */
export class WatermarkTicks {
  nextMs: number
  private readonly everyMs: number

  constructor(strategy: WatermarkStrategy<unknown>, context: OperatorContext) {
    this.everyMs = typeof strategy.emit === 'object' ? strategy.emit.everyMs : Infinity
    this.nextMs = context.clock.now() + this.everyMs
  }

  /** True when a tick is due; the next one is then an interval away. */
  take(nowMs: number): boolean {
    if (nowMs < this.nextMs) return false
    this.nextMs = nowMs + this.everyMs
    return true
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

function failWatermark(watermark: unknown, context: OperatorContext): never {
  failWith(
    context.vertex,
    'USER_FUNCTION_RESULT',
    `current() of its watermark generator returned ${preview(watermark)}; expected epoch milliseconds`,
    'return -Infinity while no watermark is known',
  )
}
