// The assigners of windows() as users call them: checked data, typed by the records they look at and the windows they make.
import { preview } from '../../base/errors.ts'
import { type CalendarSpec, checkCalendar } from '../../model/calendar-spec.ts'
import type { TimeWindow } from '../../model/functions.ts'
import type { AssignerSpec, CustomAssigner, WindowTimeDomain } from '../../model/window-spec.ts'
import { optionInvalid, requireFunction, requireMethods, requireWhole } from './arguments.ts'

declare const recordType: unique symbol
declare const windowType: unique symbol

/** Says which windows a record belongs to; made by `tumblingWindows()` and its siblings. */
export interface WindowAssigner<T, W extends TimeWindow = TimeWindow> {
  readonly label: string
  readonly spec: AssignerSpec
  /** The time that the windows go by; undefined: event time where the stream has timestamps, else processing time. */
  readonly time: WindowTimeDomain | undefined
  [recordType]?(record: T): void
  readonly [windowType]?: W
}

/** The time that windows go by. */
export interface WindowTimeOptions {
  /**
   * `event-time`, `processing-time`, or `stream-time` (Kafka Streams: the greatest timestamp that the step has seen, moved on before each
   * record). Unless given: event time where the stream has timestamps, else processing time.
   */
  readonly time?: WindowTimeDomain
}

/** How windows of a fixed size are aligned. */
export interface AlignmentOptions extends WindowTimeOptions {
  /** Moves all windows: they begin at multiples of the size (or slide) plus this, which is less than that. 0 unless given. */
  readonly offsetMs?: number
}

/**
 * Windows of one size, one after the other. Throws OPTION_INVALID unless the size is a whole number from 1 and the offset less than it.
 * @example
 * ```ts
 * import { environment, forMonotonousTimestamps, minutes, seconds, tumblingWindows } from 'millrace'
 * const env = environment()
 * env
 *   .fromElements({ word: 'be', at: 1000, count: 1 }, { word: 'be', at: 61_000, count: 1 })
 *   .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: record => record.at }))
 *   .keyBy('word')
 *   .window(tumblingWindows(minutes(1), { offsetMs: seconds(30) }))
 *   .sum('count')
 *   .print()
 * await env.execute()
 * ```
 */
export function tumblingWindows(sizeMs: number, options: AlignmentOptions = {}): WindowAssigner<unknown> {
  const call = `tumblingWindows(${String(sizeMs)})`
  requireWhole(call, 'the size in milliseconds', sizeMs, { min: 1 })
  const offsetMs = offsetOf(call, options, sizeMs)
  return assigner(`tumbling(${sizeMs})`, { kind: 'tumbling', sizeMs, offsetMs }, options)
}

/**
 * Windows of one size, one every slide, which is at most the size: a larger one would leave gaps whose records belong to no window.
 * Throws OPTION_INVALID for sizes that are not.
 */
export function slidingWindows(
  sizeMs: number,
  slideMs: number,
  options: AlignmentOptions = {},
): WindowAssigner<unknown> {
  const call = `slidingWindows(${String(sizeMs)}, ${String(slideMs)})`
  requireWhole(call, 'the size in milliseconds', sizeMs, { min: 1 })
  requireWhole(call, 'the slide in milliseconds', slideMs, { min: 1, max: sizeMs })
  const offsetMs = offsetOf(call, options, slideMs)
  return assigner(`sliding(${sizeMs}, ${slideMs})`, { kind: 'sliding', sizeMs, slideMs, offsetMs }, options)
}

/** Where systems differ about sessions. */
export interface SessionOptions extends WindowTimeOptions {
  /** Whether sessions exactly a gap apart are one: `merge` (Flink, Kafka Streams; the default) or `separate` (Beam). */
  readonly touching?: 'merge' | 'separate'
  /** Where a session ends: a gap after its last record (Flink, Beam, Spark; the default), or at that record (Kafka Streams). */
  readonly end?: 'after-gap' | 'last-record'
}

/**
 * Windows of records of a key that are less than a gap apart, or that overlap by the gap of each record that a function gives.
 * Throws OPTION_INVALID unless the gap is a whole number from 1; a function that returns another is USER_FUNCTION_RESULT.
 */
export function sessionWindows<T = unknown>(
  gap: number | ((record: T) => number),
  options: SessionOptions = {},
): WindowAssigner<T> {
  const { touching = 'merge', end = 'after-gap' } = options
  const isDynamic = typeof gap === 'function'
  const call = isDynamic ? 'sessionWindows()' : `sessionWindows(${String(gap)})`
  if (isDynamic) requireFunction(call, gap)
  else requireWhole(call, 'the gap in milliseconds', gap, { min: 1 })
  requireChoice(call, 'touching', touching, ['merge', 'separate'])
  requireChoice(call, 'end', end, ['after-gap', 'last-record'])
  if (isDynamic && end === 'last-record') {
    throw optionInvalid(
      call,
      "end: 'last-record' needs a gap that is the same for all records; give it in milliseconds",
    )
  }
  const gapMs = gap as number | ((record: never) => number)
  return assigner(`session(${isDynamic ? 'dynamic' : gap})`, { kind: 'session', gapMs, touching, end }, options)
}

/**
 * One window for ever, which emits by its trigger: without one, at the end of the input only.
 * @example
 * ```ts
 * import { afterCount, environment, globalWindows, repeatedly } from 'millrace'
 * const env = environment()
 * const sums = env
 *   .fromElements(1, 2, 3, 4)
 *   .keyBy(n => n % 2)
 *   .window(globalWindows())
 *   .trigger(repeatedly(afterCount(2)))
 *   .reduce((a, b) => a + b)
 * console.log(await sums.executeAndCollect())
 * ```
 */
export function globalWindows(options: WindowTimeOptions = {}): WindowAssigner<unknown> {
  return assigner('global', { kind: 'global', restarts: false }, options)
}

/**
 * Windows of days, weeks, months or years of local time, from midnight to midnight of a time zone. Throws TIME_ZONE_UNKNOWN for a time zone that is
 * not known, OPTION_INVALID for other values that make no calendar.
 * @example
 * ```ts
 * import { calendarWindows, environment, forMonotonousTimestamps } from 'millrace'
 * const env = environment()
 * env
 *   .fromElements({ shop: 'Cork', at: Date.UTC(2026, 2, 29, 12), euros: 5 }, { shop: 'Cork', at: Date.UTC(2026, 2, 30, 12), euros: 7 })
 *   .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: sale => sale.at }))
 *   .keyBy('shop')
 *   .window(calendarWindows({ unit: 'days', count: 1, timeZone: 'Europe/Dublin' }))
 *   .sum('euros')
 *   .print()
 * await env.execute()
 * ```
 */
export function calendarWindows(calendar: CalendarSpec, options: WindowTimeOptions = {}): WindowAssigner<unknown> {
  checkCalendar(calendar)
  const { unit, count } = calendar
  return assigner(`calendar(${count} ${unit})`, { kind: 'calendar', calendar: Object.freeze({ ...calendar }) }, options)
}

/** Windows by a function of your own. */
export interface CustomWindows<T, W extends TimeWindow> extends WindowTimeOptions {
  /** In words, for plans. */
  readonly description?: string
  /** The windows of a record, [start, end) in epoch ms; none: the record belongs nowhere. */
  assign(record: T, timestampMs: number): readonly W[]
  /**
   * Makes the windows merging: given all windows of a key, says which of them become one, and which. Must give the same result in
   * whatever order windows came.
   */
  merge?(windows: readonly W[]): readonly { readonly merged: readonly W[]; readonly into: W }[]
}

/** Windows by a function of your own; with `merge` they are merging ones. Windows with equal bounds are the same window. */
export function customWindows<T, W extends TimeWindow = TimeWindow>(custom: CustomWindows<T, W>): WindowAssigner<T, W> {
  requireMethods('customWindows()', custom, { required: ['assign'], optional: ['merge'] })
  const spec: AssignerSpec = { kind: 'custom', assigner: custom as unknown as CustomAssigner }
  return assigner(custom.description ?? 'custom', spec, custom)
}

function offsetOf(call: string, { offsetMs = 0 }: AlignmentOptions, periodMs: number): number {
  requireWhole(call, 'offsetMs', offsetMs, { min: 1 - periodMs, max: periodMs - 1 })
  return offsetMs
}

/** Makes the assigner. Throws OPTION_INVALID for a time that is none. */
export function assigner<T, W extends TimeWindow>(
  label: string,
  spec: AssignerSpec,
  { time }: WindowTimeOptions,
): WindowAssigner<T, W> {
  if (time !== undefined)
    requireChoice(`${label} windows`, 'time', time, ['event-time', 'processing-time', 'stream-time'])
  return Object.freeze({ label, spec: Object.freeze(spec), time })
}

/** Throws OPTION_INVALID unless the value is one of the choices. */
export function requireChoice(call: string, what: string, value: unknown, choices: readonly string[]): void {
  if (choices.includes(value as string)) return
  throw optionInvalid(call, `${what} is ${String(value)}; give ${choices.map(choice => `'${choice}'`).join(' or ')}`)
}

/** Throws OPTION_INVALID unless the value was made by one of the functions above. */
export function requireAssigner(call: string, value: unknown): void {
  const spec = (value as Partial<WindowAssigner<unknown>> | null | undefined)?.spec
  if (typeof spec === 'object' && spec !== null && 'kind' in spec) return
  throw optionInvalid(call, `expected windows such as tumblingWindows(seconds(5)), got ${preview(value)}`)
}
