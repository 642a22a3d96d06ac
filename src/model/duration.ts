// Durations are plain numbers of milliseconds everywhere; these say the unit where a job is written.
import { preview, StreamError } from '../base/errors.ts'

/**
 * A duration in milliseconds, given in milliseconds.
 * @example
 * ```ts
 * import { milliseconds } from 'millrace'
 * console.log(milliseconds(250)) // 250
 * ```
 */
export function milliseconds(count: number): number {
  return scaled(count, 1, 'milliseconds')
}

/**
 * A duration in milliseconds, given in seconds.
 * @example
 * ```ts
 * import { seconds } from 'millrace'
 * console.log(seconds(5) === 5000) // true
 * ```
 */
export function seconds(count: number): number {
  return scaled(count, 1000, 'seconds')
}

/** A duration in milliseconds, given in minutes. */
export function minutes(count: number): number {
  return scaled(count, 60_000, 'minutes')
}

/** A duration in milliseconds, given in hours. */
export function hours(count: number): number {
  return scaled(count, 3_600_000, 'hours')
}

/** A duration in milliseconds, given in days of 24 hours. */
export function days(count: number): number {
  return scaled(count, 86_400_000, 'days')
}

function scaled(count: number, factor: number, unit: string): number {
  if (!Number.isFinite(count)) {
    throw new StreamError('OPTION_INVALID', `${unit}(${preview(count)}): give a finite number, as in ${unit}(5)`)
  }
  return count * factor
}
