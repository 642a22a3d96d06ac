// Storm's windows as data: how long a window is and how far it slides, each by time or by number of records. The window folder gives it behaviour.
import { preview, StreamError } from '../base/errors.ts'
import type { AggregateFunction, Collector, TimeDomain } from './functions.ts'
import type { Key } from './key.ts'

/** A number of records, where a plain number would mean milliseconds. */
export interface RecordCount {
  readonly records: number
}

/**
 * A number of records, as the length or the slide of `mixedWindow()`. Throws OPTION_INVALID unless it is a whole number from 1.
 * @example
 * ```ts
 * import { environment, records, seconds } from 'millrace'
 * const env = environment()
 * env
 *   .fromElements(3, 5, 8, 13)
 *   .keyBy(() => null)
 *   .mixedWindow({ length: records(3), slide: records(2), time: 'processing-time' })
 *   .process<number>((_key, window, out) => out.collect(Math.max(...window.elements)))
 *   .print()
 * await env.execute()
 * console.log(records(3).records, seconds(3)) // 3 3000
 * ```
 */
export function records(count: number): RecordCount {
  if (!Number.isInteger(count) || count < 1) {
    throw new StreamError('OPTION_INVALID', `records(${preview(count)}): give a whole number from 1, as in records(5)`)
  }
  return Object.freeze({ records: count })
}

/**
 * One firing of a mixed window for one key. The lists are the function's own; records are in the order of their time, then of arrival.
 */
export interface MixedWindow<T> {
  /** All records of the window (Storm: get). */
  readonly elements: readonly T[]
  /** Those of them that no earlier window held (Storm: getNew). */
  readonly added: readonly T[]
  /** What left since the last window, seen in one or passed over (Storm: getExpired). */
  readonly expired: readonly T[]
  /** Epoch ms, exclusive: the window is (start, end]. -Infinity where the length is a number of records. */
  readonly start: number
  /** Epoch ms, inclusive: for a slide by time the end of the slide, else the time of the record that completed it. */
  readonly end: number
}

/** How far a window reaches, or slides. */
export type MixedExtent =
  | { readonly kind: 'records'; readonly count: number }
  | { readonly kind: 'time'; readonly durationMs: number }

/** What is computed of a mixed window. */
export type MixedWindowFunctionSpec =
  | { readonly kind: 'aggregate'; readonly aggregate: AggregateFunction<never, unknown, unknown> }
  | {
      readonly kind: 'process'
      readonly process: (key: Key, window: MixedWindow<never>, out: Collector<unknown>) => void
    }

/** Everything the mixed window operator needs to know. */
export interface MixedWindowSpec {
  readonly timeDomain: TimeDomain
  /** Which records a window holds (Storm: the eviction policy). */
  readonly length: MixedExtent
  /** When a window fires (Storm: the trigger policy). */
  readonly slide: MixedExtent
  /** How far the windows stay behind the watermark. */
  readonly lagMs: number
  /** Records kept for one key, expired ones included. */
  readonly recordsMax: number
  /** The id of the side output that takes late records; without it they are counted as dropped. */
  readonly lateOutputTag?: string
  readonly function: MixedWindowFunctionSpec
}

/** A mixed windowing in words, for plans. */
export function mixedWindowText({ length, slide, timeDomain, lagMs }: MixedWindowSpec): string {
  const time = timeDomain === 'event-time' ? 'event time' : 'processing time'
  const lag = lagMs > 0 ? `, lag ${lagMs} ms` : ''
  return `mixed window of ${extentText(length)} every ${extentText(slide)}, ${time}${lag}`
}

function extentText(extent: MixedExtent): string {
  return extent.kind === 'records' ? `${extent.count} records` : `${extent.durationMs} ms`
}
