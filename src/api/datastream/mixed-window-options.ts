// What mixedWindow() is told, and what becomes of it as data.
import { preview } from '../../base/errors.ts'
import type { TimeDomain } from '../../model/functions.ts'
import type { MixedExtent, MixedWindowSpec, RecordCount } from '../../model/mixed-window-spec.ts'
import { optionInvalid, requireWhole } from './arguments.ts'

/** How windows of `mixedWindow()` are cut. A plain number is a time in milliseconds. */
export interface MixedWindowOptions {
  /** What a window holds: the newest `records(n)`, or the records of so many milliseconds. */
  readonly length: number | RecordCount
  /** When a window fires: with every n-th record, or every so many milliseconds (multiples of them since 1970). */
  readonly slide: number | RecordCount
  /** The time it goes by; unless given: event time if a step upstream gives timestamps, else processing time. */
  readonly time?: TimeDomain
  /** Event time only: how many milliseconds the windows stay behind the watermark; 0 unless given. */
  readonly lagMs?: number
  /** Records that may be kept for one key; more are WINDOW_OVERFLOW. 1,000,000 unless given. */
  readonly recordsMax?: number
}

/** Records kept for a key, unless something else is said. */
export const WINDOW_RECORDS_MAX = 1_000_000

/** A mixed windowing that still lacks its function. */
export interface MixedWindowing {
  /** For step names: `mixed-window(5 records, 10000)`. */
  readonly label: string
  readonly spec: Omit<MixedWindowSpec, 'function'>
}

/** The windowing of the options. OPTION_INVALID for what is no length, no slide or no time, and for a slide in time above the length. */
export function mixedWindowing(options: MixedWindowOptions, timeDomain: TimeDomain): MixedWindowing {
  const call = 'mixedWindow()'
  if (typeof options !== 'object' || options === null) {
    throw optionInvalid(call, `expected options with length and slide, got ${preview(options)}`)
  }
  const { time = timeDomain, lagMs = 0, recordsMax = WINDOW_RECORDS_MAX } = options
  if (time !== 'event-time' && time !== 'processing-time') {
    throw optionInvalid(call, `the time is ${preview(time)}; give 'event-time' or 'processing-time'`)
  }
  const length = extentOf(call, 'length', options.length)
  const slide = extentOf(call, 'slide', options.slide)
  if (length.kind === 'time' && slide.kind === 'time' && slide.durationMs > length.durationMs) {
    // Records between two windows would belong to none and vanish without a word.
    const found = `the slide of ${slide.durationMs} ms is above the length of ${length.durationMs} ms`
    throw optionInvalid(call, `${found}; give a slide of at most the length`)
  }
  requireWhole(call, 'lagMs', lagMs, { min: 0 })
  if (lagMs > 0 && time === 'processing-time') {
    throw optionInvalid(call, 'processing time has no watermark to stay behind; leave lagMs out, or use event time')
  }
  requireWhole(call, 'recordsMax', recordsMax, { min: 1 })
  return {
    label: `mixed-window(${label(length)}, ${label(slide)})`,
    spec: { timeDomain: time, length, slide, lagMs, recordsMax },
  }
}

function extentOf(call: string, what: string, value: unknown): MixedExtent {
  if (typeof value === 'object' && value !== null && 'records' in value) {
    const { records: count } = value as RecordCount
    requireWhole(call, `the ${what} in records`, count, { min: 1 })
    return { kind: 'records', count }
  }
  requireWhole(call, `the ${what} in milliseconds (for records: records(5))`, value, { min: 1 })
  return { kind: 'time', durationMs: value as number }
}

function label(extent: MixedExtent): string {
  return extent.kind === 'records' ? `${extent.count} records` : String(extent.durationMs)
}
