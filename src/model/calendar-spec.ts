// Calendar windows as data: spans of days, weeks, months or years between local midnights of a time zone. The window folder computes
// them; here is what may be asked for, and the check that a job makes when it is built.
import { preview, StreamError } from '../base/errors.ts'

/** What a calendar window is counted in. */
export type CalendarUnit = 'days' | 'weeks' | 'months' | 'years'

/** A date of the proleptic Gregorian calendar; month and day count from 1 and are 1 unless given. */
export interface CalendarDate {
  readonly year: number
  readonly month?: number
  readonly day?: number
}

/** Windows of `count` units, one after the other, that begin and end at the start of a local day. */
export interface CalendarSpec {
  readonly unit: CalendarUnit
  /** Units in a window, from 1 to 10,000. */
  readonly count: number
  /** An IANA name such as `Europe/Berlin`, or `UTC`. */
  readonly timeZone: string
  /**
   * Where a window begins, 1 unless given. For weeks: the day of the week, 1 = Monday to 7 = Sunday. For months and years: the day of the month; months
   * that are shorter begin on their last day.
   */
  readonly startDay?: number
  /** Years only: the month in which they begin (fiscal years), 1 unless given. */
  readonly startMonth?: number
  /** The date from which units are counted when a window has several: 1970-01-01 unless given. */
  readonly origin?: CalendarDate
}

/** More units in a window would leave the range of dates. */
const COUNT_MAX = 10_000
const YEAR_MAX = 200_000

/** Which of the starting points a unit has. */
const STARTS: Readonly<Record<CalendarUnit, readonly (keyof CalendarSpec)[]>> = {
  days: [],
  weeks: ['startDay'],
  months: ['startDay'],
  years: ['startDay', 'startMonth'],
}

/** Throws TIME_ZONE_UNKNOWN for a time zone that is not known here, OPTION_INVALID for anything else that makes no calendar. */
export function checkCalendar(spec: CalendarSpec): void {
  if (!Object.hasOwn(STARTS, spec.unit)) {
    throw invalid(`the unit is ${preview(spec.unit)}; give 'days', 'weeks', 'months' or 'years'`)
  }
  requireWithin('the count', spec.count, 1, COUNT_MAX)
  requireWithin('startDay', spec.startDay ?? 1, 1, spec.unit === 'weeks' ? 7 : 31)
  requireWithin('startMonth', spec.startMonth ?? 1, 1, 12)
  const allowed = STARTS[spec.unit]
  for (const start of ['startDay', 'startMonth'] as const) {
    if (spec[start] === undefined || allowed.includes(start)) continue
    throw invalid(`${start} says nothing about windows of ${spec.unit}; leave it out`)
  }
  if (spec.origin !== undefined) {
    requireWithin('the year of the origin', spec.origin.year, -YEAR_MAX, YEAR_MAX)
    requireWithin('the month of the origin', spec.origin.month ?? 1, 1, 12)
    requireWithin('the day of the origin', spec.origin.day ?? 1, 1, 31)
  }
  checkTimeZone(spec.timeZone)
}

function checkTimeZone(timeZone: unknown): void {
  try {
    // Without a name the formatter would take the zone of the machine, on which a result must not depend.
    if (typeof timeZone === 'string' && new Intl.DateTimeFormat('en-US', { timeZone }).format(0) !== '') return
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  const mend = "give an IANA name such as 'Europe/Berlin', or 'UTC'"
  throw new StreamError('TIME_ZONE_UNKNOWN', `calendar window: the time zone ${preview(timeZone)} is unknown; ${mend}`)
}

function requireWithin(what: string, value: unknown, min: number, max: number): void {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return
  throw invalid(`${what} is ${preview(value)}; give a whole number from ${min} to ${max}`)
}

function invalid(problem: string): StreamError {
  return new StreamError('OPTION_INVALID', `calendar window: ${problem}`)
}
