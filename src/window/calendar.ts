// Record path. Calendar windows: spans between local midnights of a time zone, right across changes of its offset. Dates are integer arithmetic; only
// the zone's offset comes from Intl, which is slow (about 1 us), so the windows used last are kept.
import { preview, StreamError } from '../base/errors.ts'
import type { CalendarDate, CalendarSpec } from '../model/calendar-spec.ts'
import type { TimeWindow } from '../model/functions.ts'

const DAY_MS = 86_400_000
/** The range of dates of ECMAScript; beyond it no zone has an offset. */
const TIME_MS_MAX = 8_640_000_000_000_000

/** Windows of one calendar; what `windowOf` returns is shared and frozen. */
export class CalendarAssigner {
  private readonly offsetMs: (timestampMs: number) => number
  private readonly dates: DateSequence
  // Two, as records around a boundary come from both sides of it.
  private last: TimeWindow = NO_WINDOW
  private beforeLast: TimeWindow = NO_WINDOW

  /** For a spec that `checkCalendar` accepted. */
  constructor(spec: CalendarSpec) {
    this.offsetMs = zoneOffsets(spec.timeZone)
    this.dates = dateSequence(spec)
  }

  /** The window that holds the timestamp (epoch ms). Throws TIMESTAMP_INVALID for what is no date. */
  windowOf(timestampMs: number): TimeWindow {
    const { last, beforeLast } = this
    if (timestampMs >= last.start && timestampMs < last.end) return last
    this.beforeLast = last
    this.last = timestampMs >= beforeLast.start && timestampMs < beforeLast.end ? beforeLast : this.compute(timestampMs)
    return this.last
  }

  private compute(timestampMs: number): TimeWindow {
    if (!(Math.abs(timestampMs) <= TIME_MS_MAX)) {
      const range = `from ${-TIME_MS_MAX} to ${TIME_MS_MAX}`
      throw new StreamError('TIMESTAMP_INVALID', `${preview(timestampMs)} is no date; give epoch milliseconds ${range}`)
    }
    const { dates, offsetMs } = this
    let index = dates.indexOf(Math.floor((timestampMs + offsetMs(timestampMs)) / DAY_MS))
    let start = startOfDay(dates.dayAt(index), offsetMs)
    let end = startOfDay(dates.dayAt(index + 1), offsetMs)
    // Where clocks are put back past midnight, the end of a day comes twice; the second time belongs to the window that has begun.
    while (timestampMs >= end) {
      start = end
      end = startOfDay(dates.dayAt(++index + 1), offsetMs)
    }
    while (timestampMs < start) {
      end = start
      start = startOfDay(dates.dayAt(--index), offsetMs)
    }
    return Object.freeze({ start, end })
  }
}

/** The window of one timestamp. It looks the time zone up anew: use a CalendarAssigner for more than a few. */
export function calendarWindow(spec: CalendarSpec, timestampMs: number): TimeWindow {
  return new CalendarAssigner(spec).windowOf(timestampMs)
}

const NO_WINDOW: TimeWindow = Object.freeze({ start: Infinity, end: -Infinity })

/** The first days of a calendar's windows, numbered from that of its origin. Days count from 1970-01-01. */
interface DateSequence {
  /** The number of the window that holds the day. */
  indexOf(day: number): number
  /** The first day of the window of that number. */
  dayAt(index: number): number
}

function dateSequence(spec: CalendarSpec): DateSequence {
  const { unit, count, startDay = 1, startMonth = 1, origin = { year: 1970 } } = spec
  switch (unit) {
    case 'days':
      return everyDays(dayOf(origin), count)
    case 'weeks':
      return everyDays(mondayBefore(dayOf(origin)) + startDay - 1, 7 * count)
    case 'months':
      return everyMonths(monthOf(origin), count, startDay)
    case 'years':
      return everyMonths(monthOf({ year: origin.year, month: startMonth }), 12 * count, startDay)
  }
}

function everyDays(first: number, days: number): DateSequence {
  return {
    indexOf: day => Math.floor((day - first) / days),
    dayAt: index => first + index * days,
  }
}

/** Months count from January of year 0. */
function everyMonths(first: number, months: number, dayOfMonth: number): DateSequence {
  const dayIn = (month: number): number => firstDayOf(month) + Math.min(dayOfMonth, daysIn(month)) - 1
  return {
    indexOf: day => {
      const month = monthHolding(day)
      return Math.floor((month - (day < dayIn(month) ? 1 : 0) - first) / months)
    },
    dayAt: index => dayIn(first + index * months),
  }
}

function monthOf({ year, month = 1 }: CalendarDate): number {
  return year * 12 + month - 1
}

function dayOf(date: CalendarDate): number {
  return firstDayOf(monthOf(date)) + (date.day ?? 1) - 1
}

// 1970-01-01 was a Thursday.
function mondayBefore(day: number): number {
  return day - ((((day + 3) % 7) + 7) % 7)
}

function daysIn(month: number): number {
  return firstDayOf(month + 1) - firstDayOf(month)
}

// Years begin in March here, so that the leap day is the last of its year; 400 years have 146,097 days.
// Source: Howard Hinnant, chrono-Compatible Low-Level Date Algorithms, days_from_civil and civil_from_days.
function firstDayOf(month: number): number {
  const shifted = month - 2
  const year = Math.floor(shifted / 12)
  const dayOfYear = Math.floor((153 * (shifted - year * 12) + 2) / 5)
  const leapDays = Math.floor(year / 4) - Math.floor(year / 100) + Math.floor(year / 400)
  return year * 365 + leapDays + dayOfYear - 719_468
}

function monthHolding(day: number): number {
  const shifted = day + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  return (era * 400 + yearOfEra) * 12 + Math.floor((5 * dayOfYear + 2) / 153) + 2
}

/**
 * The first moment at which the local date is the given one or a later one: midnight, the moment of the change where clocks skip midnight (or
 * the whole day), the earlier one where midnight comes twice.
 */
function startOfDay(day: number, offsetMs: (timestampMs: number) => number): number {
  const midnight = day * DAY_MS
  // No offset is as much as a day, so the local clock passes midnight between these two.
  const low = midnight - DAY_MS
  const high = midnight + DAY_MS
  const before = offsetMs(low)
  const after = offsetMs(high)
  if (before === after) return midnight - before
  const change = firstChange(low, high, before, offsetMs)
  if (midnight - before < change) return midnight - before
  return Math.max(change, midnight - after)
}

/** When the offset changes, between two moments of which only the first has the given offset. */
function firstChange(low: number, high: number, before: number, offsetMs: (timestampMs: number) => number): number {
  let unchanged = low
  let changed = high
  while (changed - unchanged > 1) {
    const middle = Math.floor((unchanged + changed) / 2)
    if (offsetMs(middle) === before) unchanged = middle
    else changed = middle
  }
  return changed
}

const OFFSET = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/

/** What a zone's clocks show ahead of UTC, in ms, at a time. */
function zoneOffsets(timeZone: string): (timestampMs: number) => number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
  return timestampMs => {
    const text = format.format(Math.max(-TIME_MS_MAX, Math.min(TIME_MS_MAX, timestampMs)))
    const [, sign, hours, minutes, seconds = '0'] = OFFSET.exec(text) ?? []
    if (sign === undefined) return 0
    const ms = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000
    return sign === '-' ? -ms : ms
  }
}
