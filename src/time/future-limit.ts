// Record path. How far ahead of processing time a timestamp may move the watermark: one clock gone wrong at a sender must not make every
// record after it late. What a limited timestamp means for its record, and who is told, is decided elsewhere.
import type { Clock } from '../base/clock.ts'

/** The limit of strategies that do not say their own: a day. */
export const FUTURE_LIMIT_MS_DEFAULT = 86_400_000
/**
 * A clock before this (2001-09-09) does not tell the present: it is virtual and began at 0, or a machine's that was never set. By such
 * a clock every record lies in the future, so the default limit does not apply.
 */
export const PRESENT_MS_MIN = 1e12
/** The time between two log lines about timestamps in the future, processing time. */
const REPORT_INTERVAL_MS = 10_000

/** Limits timestamps at one step. An explicit limit goes by any clock. */
export class FutureLimit {
  /** Timestamps up to this are within the limit without a look at the clock, which costs about 40 ns. */
  acceptedMs = -Infinity
  private readonly limitMs: number
  private readonly presentMsMin: number
  private readonly clock: Clock
  private reportedAtMs = -Infinity
  private unreported = 0

  constructor(limitMs: number | undefined, clock: Clock) {
    this.limitMs = limitMs ?? FUTURE_LIMIT_MS_DEFAULT
    this.presentMsMin = limitMs === undefined ? PRESENT_MS_MIN : -Infinity
    this.clock = clock
    if (this.limitMs === Infinity) this.acceptedMs = Number.MAX_VALUE
  }

  /** The timestamp, or the limit where it lies beyond; for timestamps above `acceptedMs`. */
  limited(timestampMs: number): number {
    const nowMs = this.clock.now()
    if (nowMs < this.presentMsMin) return timestampMs
    this.acceptedMs = nowMs + this.limitMs
    return Math.min(timestampMs, this.acceptedMs)
  }

  /** Counts a limited timestamp. Returns how many to report now (this one and those since the last report), or 0: not yet. */
  countForReport(): number {
    const nowMs = this.clock.now()
    this.unreported++
    // A clock that was set back must not silence the reports.
    if (Math.abs(nowMs - this.reportedAtMs) < REPORT_INTERVAL_MS) return 0
    const count = this.unreported
    this.unreported = 0
    this.reportedAtMs = nowMs
    return count
  }
}
