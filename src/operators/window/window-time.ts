// Record path. The time that a windowing goes by: the watermark, the clock, or the greatest timestamp seen. Whatever it is, to the windows
// it is one number: no record with a timestamp at or below it follows.
import { preview } from '../../base/errors.ts'
import type { WindowTimeDomain } from '../../model/window-spec.ts'
import { type Emit, NO_TIMESTAMP, type OperatorContext, type PendingWork, spend } from '../operator.ts'
import { failWith } from '../user-failure.ts'

/** The windows, counted per key, that may still fire, and the time at which the next does; Infinity when only a record, or processing time, makes one. */
export type PendingPanes = Pick<PendingWork, 'count' | 'nextTimeMs'>

/** What an operator of windows does as its time moves on. */
export interface TimeDriven {
  /** Time reached this; does nothing yet. */
  moveTo(timeMs: number): void
  /** All that was due is done. */
  settle(): void
  /** True when something is due. */
  hasDue(): boolean
  /** Does one piece of what is due: at most one pane of one cell leaves. */
  workOff(): void
  /** A record with its time. */
  take(record: unknown, timeMs: number, input: number): void
  /** The time at which something will be due; Infinity for never. */
  nextTimeMs(): number
  /** Cells that wait for processing time, whatever the windows go by. */
  nextProcessingTimeMs(): number
  wakeAtProcessingTime(nowMs: number): boolean
  /** The panes to come, for people to look at: walks over all cells. */
  pendingPanes(): PendingPanes
}

/** Drives an operator of windows by one of the three times. */
export class WindowTime {
  private readonly domain: WindowTimeDomain
  private readonly context: OperatorContext
  private readonly driven: TimeDriven

  constructor(domain: WindowTimeDomain, context: OperatorContext, driven: TimeDriven) {
    this.domain = domain
    this.context = context
    this.driven = driven
  }

  /** What takes the records of an input. */
  input(input: number): Emit {
    const { driven, context } = this
    const { record: current, clock } = context
    switch (this.domain) {
      case 'event-time':
        return record => driven.take(record, this.timestampOf(record, current.timestamp), input)
      case 'processing-time':
        return record => driven.take(record, clock.now(), input)
      case 'stream-time':
        return record => {
          const timestamp = this.timestampOf(record, current.timestamp)
          this.advanceStream(timestamp - 1)
          driven.take(record, timestamp, input)
        }
    }
  }

  onWatermark(watermark: number): boolean {
    // The final watermark ends every time: what is pending then fires before it is sent on.
    if (this.domain !== 'event-time' && watermark !== Infinity) return true
    return this.advance(watermark)
  }

  nextTimerMs(): number {
    const processingMs = this.driven.nextProcessingTimeMs()
    if (this.domain !== 'processing-time') return processingMs
    // A window is over when its last millisecond is.
    return Math.min(processingMs, this.driven.hasDue() ? -Infinity : this.driven.nextTimeMs() + 1)
  }

  onProcessingTime(nowMs: number): boolean {
    if (this.domain === 'processing-time' && !this.advance(nowMs - 1)) return false
    return this.driven.wakeAtProcessingTime(nowMs)
  }

  private advance(timeMs: number): boolean {
    const { capacity, clock } = this.context
    const { driven } = this
    driven.moveTo(timeMs)
    while (driven.hasDue()) {
      if (capacity.blocked > 0 || capacity.budget <= 0) return false
      driven.workOff()
      spend(capacity, clock)
    }
    driven.settle()
    return true
  }

  // Time moves within the record's turn, so what becomes due leaves in that turn, as what the record itself emits does.
  private advanceStream(timeMs: number): void {
    const { driven } = this
    driven.moveTo(timeMs)
    while (driven.hasDue()) driven.workOff()
    driven.settle()
  }

  private timestampOf(record: unknown, timestamp: number): number {
    if (timestamp !== NO_TIMESTAMP) return timestamp
    failWith(
      this.context.vertex,
      'TIMESTAMP_MISSING',
      `record ${preview(record)} has no timestamp`,
      'call assignTimestampsAndWatermarks() before the window',
    )
  }
}
