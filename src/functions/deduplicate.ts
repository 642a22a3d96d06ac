// Record path. Deduplication within a time: of the records of a key that lie close together one comes out. It keeps a time for each, and
// no longer than a duplicate may come.
import type { Collector, KeyedContext, KeyedProcessFunction, TimerContext } from '../model/functions.ts'
import type { DeduplicationSpec } from '../model/join-functions.ts'
import { orderedList } from '../model/state.ts'
import { timeText } from './interval-join.ts'
import { eventTimeOf } from './record-time.ts'

/** The record that is to come out of its group when the time is over. */
interface Newest {
  record: unknown
  timeMs: number
}

/** Of each key: the times of the records that were no duplicates when they came, with the newest of each group where that is kept. */
const STATE = { firsts: orderedList<Newest | undefined>() }

type DeduplicationContext = KeyedContext<unknown, typeof STATE>

/** The function of a deduplication. Late records are given up: whether they are duplicates cannot be known any more. */
export function deduplicate(spec: DeduplicationSpec): KeyedProcessFunction<unknown, unknown, unknown, typeof STATE> {
  return new Deduplicate(spec)
}

/** Used by messages and plans: `deduplication within 60000 ms of event time, keeps the first`. */
export function deduplicateText({ withinMs, timeDomain, keep }: DeduplicationSpec): string {
  return `deduplication within ${withinMs} ms of ${timeText(timeDomain)}, keeps the ${keep}`
}

class Deduplicate implements KeyedProcessFunction<unknown, unknown, unknown, typeof STATE> {
  readonly state = STATE
  readonly watermarkDelayMs: number
  private readonly spec: DeduplicationSpec
  private readonly isEventTime: boolean
  /** From the time of a group's first record to that from which no duplicate can come. */
  private readonly waitMs: number
  private isFound = false
  private found: Newest | undefined

  constructor(spec: DeduplicationSpec) {
    this.spec = spec
    this.isEventTime = spec.timeDomain === 'event-time'
    // In processing time a duplicate may still come in the last millisecond.
    this.waitMs = spec.withinMs + (this.isEventTime ? 0 : 1)
    this.watermarkDelayMs = this.isEventTime && spec.keep === 'last' ? spec.withinMs : 0
  }

  onRecord(record: unknown, ctx: DeduplicationContext, out: Collector<unknown>): void {
    const { keep, withinMs, lateTag } = this.spec
    const timeMs = this.isEventTime ? eventTimeOf(record, ctx) : ctx.currentProcessingTime()
    if (this.isEventTime && timeMs <= ctx.currentWatermark()) {
      ctx.drop('late', record, lateTag)
      return
    }
    const { firsts } = ctx.state
    this.isFound = false
    firsts.forEach(this.visit, timeMs - withinMs, timeMs + withinMs)
    if (this.isFound) {
      this.onDuplicate(record, timeMs, ctx)
      return
    }
    firsts.add(timeMs, keep === 'last' ? { record, timeMs } : undefined)
    // One timer at a time for each key: that of the group that ends first.
    if (firsts.firstTimeMs() === timeMs) this.register(timeMs + this.waitMs, ctx)
    if (keep === 'first') out.collect(record)
  }

  onTimer(timeMs: number, ctx: TimerContext<unknown, typeof STATE>, out: Collector<unknown>): void {
    const { firsts } = ctx.state
    while (firsts.size > 0 && firsts.firstTimeMs() + this.waitMs <= timeMs) {
      const newest = firsts.shift()
      if (newest === undefined) continue
      if (this.isEventTime) ctx.setOutputTimestamp(newest.timeMs)
      out.collect(newest.record)
    }
    if (firsts.size > 0) this.register(firsts.firstTimeMs() + this.waitMs, ctx)
  }

  // A record between two groups is near both; it belongs to the earlier one.
  private readonly visit = (newest: Newest | undefined): void => {
    if (this.isFound) return
    this.isFound = true
    this.found = newest
  }

  private onDuplicate(record: unknown, timeMs: number, ctx: DeduplicationContext): void {
    const { duplicatesTag } = this.spec
    const newest = this.found
    if (newest === undefined || timeMs < newest.timeMs) {
      ctx.drop('duplicate', record, duplicatesTag)
      return
    }
    const { record: older, timeMs: olderMs } = newest
    newest.record = record
    newest.timeMs = timeMs
    if (this.isEventTime) ctx.setOutputTimestamp(olderMs)
    ctx.drop('duplicate', older, duplicatesTag)
  }

  private register(timeMs: number, ctx: DeduplicationContext): void {
    if (this.isEventTime) ctx.timers.registerEventTimeTimer(timeMs)
    else ctx.timers.registerProcessingTimeTimer(timeMs)
  }
}
