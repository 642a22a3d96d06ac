// The usual ways to make watermarks from timestamps. Where late records go is the window operator's business, not theirs.
import { StreamError } from '../base/errors.ts'
import type { WatermarkGenerator, WatermarkStrategy } from '../model/watermark-strategy.ts'

/** What is common to the strategies below. */
export interface WatermarkOptions<T> {
  /** The record's event time in epoch ms; without it the timestamps of the source stay. */
  readonly timestamp?: (record: T, previousTimestampMs: number | undefined) => number
  /** Without records for this long (processing time, ms) a subtask is idle and holds no watermark back. */
  readonly idleTimeoutMs?: number
}

/**
 * For records that come in the order of their timestamps: the watermark is the newest timestamp less one millisecond,
 * since records with that very timestamp may follow.
 * @example
 * ```ts
 * import { environment, forMonotonousTimestamps } from 'millrace'
 * const env = environment()
 * const timed = env
 *   .fromElements({ at: 1000 }, { at: 2000 })
 *   .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: (r) => r.at }))
 * console.log(await timed.executeAndCollect())
 * ```
 */
export function forMonotonousTimestamps<T>(options: WatermarkOptions<T> = {}): WatermarkStrategy<T> {
  return strategy('monotonous timestamps', 0, options)
}

/**
 * For records that come at most `outOfOrdernessMs` milliseconds late: the watermark stays that far (and one millisecond)
 * behind the newest timestamp. Throws OPTION_INVALID for a negative duration.
 */
export function forBoundedOutOfOrderness<T>(
  outOfOrdernessMs: number,
  options: WatermarkOptions<T> = {},
): WatermarkStrategy<T> {
  if (!(Number.isFinite(outOfOrdernessMs) && outOfOrdernessMs >= 0)) {
    throw new StreamError('OPTION_INVALID', `forBoundedOutOfOrderness(${outOfOrdernessMs}): give milliseconds from 0`)
  }
  return strategy(`bounded out-of-orderness ${outOfOrdernessMs} ms`, outOfOrdernessMs, options)
}

function strategy<T>(description: string, delayMs: number, options: WatermarkOptions<T>): WatermarkStrategy<T> {
  const { idleTimeoutMs } = options
  if (idleTimeoutMs !== undefined && !(Number.isFinite(idleTimeoutMs) && idleTimeoutMs > 0)) {
    throw new StreamError(
      'OPTION_INVALID',
      `idleTimeoutMs is ${idleTimeoutMs}; give milliseconds above 0, or leave it out`,
    )
  }
  return Object.freeze({ description, generator: () => new DelayedMaximum(delayMs), ...options })
}

class DelayedMaximum implements WatermarkGenerator {
  private newest = -Infinity
  private readonly delayMs: number

  constructor(delayMs: number) {
    this.delayMs = delayMs
  }

  onRecord(timestampMs: number): void {
    if (timestampMs > this.newest) this.newest = timestampMs
  }

  current(): number {
    return this.newest - this.delayMs - 1
  }
}
