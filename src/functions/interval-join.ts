// Record path. The interval join: pairs records of two streams whose times lie within bounds of each other. Each side keeps its records
// as long as a partner may come, in the order of time; the join itself only compares times, of either kind.
import type {
  Collector,
  KeyedContext,
  KeyedCoProcessFunction,
  OpenContext,
  TimeDomain,
  TimerContext,
} from '../model/functions.ts'
import type { IntervalJoinContext, IntervalJoinFunction, IntervalJoinSpec, JoinType } from '../model/join-functions.ts'
import type { OutputTag } from '../model/output-tag.ts'
import { type OrderedListState, orderedList } from '../model/state.ts'
import { eventTimeOf, refusePromise } from './record-time.ts'

/** A record that waits for partners. */
interface Waiting<T> {
  readonly record: T
  isMatched: boolean
}

const STATE = { left: orderedList<Waiting<unknown>>(), right: orderedList<Waiting<unknown>>() }
// An inner join never asks who was matched, so it need not note it: a search is then no change that the next snapshot has to write.
const INNER_STATE = {
  left: orderedList<Waiting<unknown>>({ isImmutable: true }),
  right: orderedList<Waiting<unknown>>({ isImmutable: true }),
}

type JoinContext = KeyedContext<unknown, typeof STATE>
/** A function of pairs of any records. */
export type PairFunction = IntervalJoinFunction<unknown, unknown, unknown, undefined, undefined>

/** How long a side waits for the other, and what it does with records that waited in vain. */
interface SideRules {
  /** From a record's time to the time from which no partner can come any more. */
  readonly waitMs: number
  readonly isOuter: boolean
  readonly lateTag: OutputTag<unknown> | undefined
}

/**
 * The function of an interval join. A record is late when its event time is at or below the watermark: it is given up as late and joins
 * nothing. Everything else pairs with each partner that is kept and is then kept itself for those to come.
 */
export function intervalJoin(
  spec: IntervalJoinSpec,
  fn: PairFunction,
): KeyedCoProcessFunction<unknown, unknown, unknown, unknown, typeof STATE> {
  return new IntervalJoin(spec, fn)
}

/** A function of pairs that emits what a plain function returns for each. */
export function pairMapping(map: (left: unknown, right: unknown) => unknown): PairFunction {
  return { onPair: (left, right, _, out) => out.collect(refusePromise(map(left, right))) }
}

class IntervalJoin implements KeyedCoProcessFunction<unknown, unknown, unknown, unknown, typeof STATE> {
  readonly state: typeof STATE
  readonly watermarkDelayMs: number
  private readonly spec: IntervalJoinSpec
  private readonly fn: PairFunction
  private readonly leftRules: SideRules
  private readonly rightRules: SideRules
  private readonly isEventTime: boolean
  private readonly isInner: boolean
  private readonly pair = new Pair()
  // What the visitors below need of the record at hand: a closure for each record would be garbage for each record.
  private record: unknown
  private timeMs = 0
  private isMatched = false
  private out: Collector<unknown> | undefined

  constructor(spec: IntervalJoinSpec, fn: PairFunction) {
    this.spec = spec
    this.fn = fn
    this.isEventTime = spec.timeDomain === 'event-time'
    // In processing time a partner may still come in the last millisecond of the interval.
    const graceMs = this.isEventTime ? 0 : 1
    const { joinType } = spec
    this.isInner = joinType === 'inner'
    this.state = this.isInner ? INNER_STATE : STATE
    this.leftRules = {
      waitMs: spec.upperMs + graceMs,
      isOuter: joinType === 'left' || joinType === 'full',
      lateTag: spec.lateLeftTag,
    }
    this.rightRules = {
      waitMs: -spec.lowerMs + graceMs,
      isOuter: joinType === 'right' || joinType === 'full',
      lateTag: spec.lateRightTag,
    }
    this.watermarkDelayMs = this.isEventTime ? unmatchedDelayMs(joinType, spec) : 0
  }

  open(context: OpenContext): void {
    this.fn.open?.(context)
  }

  close(): void {
    this.fn.close?.()
  }

  onFirst(left: unknown, ctx: JoinContext, out: Collector<unknown>): void {
    if (!this.take(left, ctx, out, this.leftRules)) return
    const { lowerMs, upperMs } = this.spec
    ctx.state.right.forEach(this.visitRight, this.timeMs + lowerMs, this.timeMs + upperMs)
    this.keep(ctx, ctx.state.left, this.leftRules)
  }

  onSecond(right: unknown, ctx: JoinContext, out: Collector<unknown>): void {
    if (!this.take(right, ctx, out, this.rightRules)) return
    const { lowerMs, upperMs } = this.spec
    ctx.state.left.forEach(this.visitLeft, this.timeMs - upperMs, this.timeMs - lowerMs)
    this.keep(ctx, ctx.state.right, this.rightRules)
  }

  onTimer(timeMs: number, ctx: TimerContext<unknown, typeof STATE>, out: Collector<unknown>): void {
    this.pair.ctx = ctx
    this.out = out
    this.letGo(timeMs, ctx, ctx.state.left, this.leftRules)
    this.letGo(timeMs, ctx, ctx.state.right, this.rightRules)
  }

  /** Makes the record the one at hand; false when it is late. */
  private take(record: unknown, ctx: JoinContext, out: Collector<unknown>, rules: SideRules): boolean {
    const timeMs = this.isEventTime ? eventTimeOf(record, ctx) : ctx.currentProcessingTime()
    if (this.isEventTime && timeMs <= ctx.currentWatermark()) {
      ctx.drop('late', record, rules.lateTag)
      return false
    }
    this.record = record
    this.timeMs = timeMs
    // What an inner join keeps counts as matched, so that it stays silent should the job make an outer join of it later.
    this.isMatched = this.isInner
    this.out = out
    this.pair.ctx = ctx
    return true
  }

  private readonly visitRight = (right: Waiting<unknown>, timeMs: number): void => {
    if (!this.isWithin(this.timeMs, timeMs)) return
    this.isMatched = true
    if (!this.isInner) right.isMatched = true
    this.emit(this.record, this.timeMs, right.record, timeMs)
  }

  private readonly visitLeft = (left: Waiting<unknown>, timeMs: number): void => {
    if (!this.isWithin(timeMs, this.timeMs)) return
    this.isMatched = true
    if (!this.isInner) left.isMatched = true
    this.emit(left.record, timeMs, this.record, this.timeMs)
  }

  /** The range that was searched includes its ends. */
  private isWithin(leftMs: number, rightMs: number): boolean {
    const { lowerMs, upperMs, isLowerExclusive, isUpperExclusive } = this.spec
    return !((isLowerExclusive && rightMs === leftMs + lowerMs) || (isUpperExclusive && rightMs === leftMs + upperMs))
  }

  /** Keeps the record at hand if a partner may still come. */
  private keep(ctx: JoinContext, side: OrderedListState<Waiting<unknown>>, rules: SideRules): void {
    const endMs = this.timeMs + rules.waitMs
    const nowMs = this.isEventTime ? ctx.currentWatermark() : this.timeMs
    if (endMs > nowMs) {
      side.add(this.timeMs, { record: this.record, isMatched: this.isMatched })
      // One timer at a time for each side and key: that of the record that leaves first.
      if (side.firstTimeMs() === this.timeMs && (endMs < Infinity || rules.isOuter)) this.register(endMs, ctx)
    } else if (rules.isOuter && !this.isMatched) this.emitUnmatched(this.record, this.timeMs, rules)
    this.record = undefined
  }

  /** Lets go of what no partner can come for any more. */
  private letGo(timeMs: number, ctx: JoinContext, side: OrderedListState<Waiting<unknown>>, rules: SideRules): void {
    while (side.size > 0 && side.firstTimeMs() + rules.waitMs <= timeMs) {
      const recordMs = side.firstTimeMs()
      const { record, isMatched } = side.shift() as Waiting<unknown>
      if (rules.isOuter && !isMatched) this.emitUnmatched(record, recordMs, rules)
    }
    if (side.size > 0) this.register(side.firstTimeMs() + rules.waitMs, ctx)
  }

  private register(timeMs: number, ctx: JoinContext): void {
    if (this.isEventTime) ctx.timers.registerEventTimeTimer(timeMs)
    else ctx.timers.registerProcessingTimeTimer(timeMs)
  }

  private emitUnmatched(record: unknown, timeMs: number, rules: SideRules): void {
    if (rules === this.leftRules) this.emit(record, timeMs, undefined, undefined)
    else this.emit(undefined, undefined, record, timeMs)
  }

  private emit(left: unknown, leftMs: number | undefined, right: unknown, rightMs: number | undefined): void {
    const { pair } = this
    pair.leftTimestamp = leftMs
    pair.rightTimestamp = rightMs
    if (this.isEventTime) pair.ctx?.setOutputTimestamp(pair.timestamp)
    refusePromise(this.fn.onPair(left, right, pair, this.out as Collector<unknown>))
  }
}

/** The context of the pair at hand: one for all pairs. */
class Pair implements IntervalJoinContext<undefined, undefined> {
  ctx: JoinContext | undefined
  leftTimestamp: number | undefined
  rightTimestamp: number | undefined

  get timestamp(): number {
    return Math.max(this.leftTimestamp ?? -Infinity, this.rightTimestamp ?? -Infinity)
  }

  currentWatermark(): number {
    return (this.ctx as JoinContext).currentWatermark()
  }

  currentProcessingTime(): number {
    return (this.ctx as JoinContext).currentProcessingTime()
  }

  output<X>(tag: OutputTag<X>, record: NoInfer<X>): void {
    ;(this.ctx as JoinContext).output(tag, record)
  }
}

// A record without partner is emitted, with its own timestamp, when the watermark has passed the end of its interval.
function unmatchedDelayMs(joinType: JoinType, { lowerMs, upperMs }: IntervalJoinSpec): number {
  const leftMs = joinType === 'left' || joinType === 'full' ? upperMs : 0
  const rightMs = joinType === 'right' || joinType === 'full' ? -lowerMs : 0
  return Math.max(0, leftMs, rightMs)
}

/** Used by messages and plans: `interval join [-5000 ms, 5000 ms] of event time`. */
export function intervalJoinText(spec: IntervalJoinSpec): string {
  const { lowerMs, upperMs, isLowerExclusive, isUpperExclusive, joinType, timeDomain } = spec
  const bounds = `${isLowerExclusive ? '(' : '['}${lowerMs} ms, ${upperMs} ms${isUpperExclusive ? ')' : ']'}`
  const outer = joinType === 'inner' ? '' : `${joinType} outer `
  return `${outer}interval join ${bounds} of ${timeText(timeDomain)}`
}

/** A kind of time in words. */
export function timeText(timeDomain: TimeDomain): string {
  return timeDomain === 'event-time' ? 'event time' : 'processing time'
}
