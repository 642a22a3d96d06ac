// Calendar windows: golden cases by hand where clocks change, and properties against what Intl says of every boundary. The oracle reads dates field by
// field and knows nothing of offsets; the code under test reads offsets and knows no fields.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type CalendarSpec, checkCalendar } from '../model/calendar-spec.ts'
import { CalendarAssigner, calendarWindow } from './calendar.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

function utc(text: string): number {
  const parsed = Date.parse(`${text}Z`)
  assert.ok(!Number.isNaN(parsed), text)
  return parsed
}

function instantText(timestampMs: number): string {
  return new Date(timestampMs).toISOString().replace(/(:00)?\.000Z$/, '')
}

function days(timeZone: string, count = 1): CalendarSpec {
  return { unit: 'days', count, timeZone }
}

/** The window of a moment, as `start/end` in UTC. */
function windowText(spec: CalendarSpec, at: string): string {
  const { start, end } = calendarWindow(spec, utc(at))
  return `${instantText(start)}/${instantText(end)}`
}

describe('calendar windows where clocks change', () => {
  const cases: readonly (readonly [what: string, timeZone: string, at: string, window: string])[] = [
    ['UTC', 'UTC', '2014-01-01T23:59', '2014-01-01T00:00/2014-01-02T00:00'],
    ['a day of 23 h', 'Europe/Berlin', '2024-03-31T12:00', '2024-03-30T23:00/2024-03-31T22:00'],
    ['a day of 25 h', 'Europe/Berlin', '2024-10-27T12:00', '2024-10-26T22:00/2024-10-27T23:00'],
    ['half an hour', 'Asia/Kolkata', '2024-01-01T18:30', '2024-01-01T18:30/2024-01-02T18:30'],
    ['a change of half an hour', 'Australia/Lord_Howe', '2024-04-07T00:00', '2024-04-06T13:00/2024-04-07T13:30'],
    ['a skipped midnight', 'America/Sao_Paulo', '2018-11-04T03:00', '2018-11-04T03:00/2018-11-05T02:00'],
    ['the day before it', 'America/Sao_Paulo', '2018-11-04T02:59', '2018-11-03T03:00/2018-11-04T03:00'],
    ['the last hour twice', 'America/Sao_Paulo', '2018-02-18T02:30', '2018-02-17T02:00/2018-02-18T03:00'],
    ['a skipped midnight', 'Africa/Cairo', '2023-04-28T12:00', '2023-04-27T22:00/2023-04-28T21:00'],
    ['the last hour twice', 'Africa/Cairo', '2023-10-26T21:30', '2023-10-25T21:00/2023-10-26T22:00'],
    ['a skipped midnight', 'Asia/Beirut', '2024-03-31T12:00', '2024-03-30T22:00/2024-03-31T21:00'],
    ['the last hour twice', 'Asia/Beirut', '2024-10-26T21:30', '2024-10-25T21:00/2024-10-26T22:00'],
    ['midnight twice: the first', 'America/Havana', '2023-11-05T04:00', '2023-11-05T04:00/2023-11-06T05:00'],
    ['midnight twice: the second', 'America/Havana', '2023-11-05T05:00', '2023-11-05T04:00/2023-11-06T05:00'],
    ['back over midnight', 'America/St_Johns', '2010-11-07T03:00', '2010-11-07T02:30/2010-11-08T03:30'],
    ['the day before a skipped day', 'Pacific/Apia', '2011-12-30T09:59', '2011-12-29T10:00/2011-12-30T10:00'],
    ['the day after a skipped day', 'Pacific/Apia', '2011-12-30T10:00', '2011-12-30T10:00/2011-12-31T10:00'],
    ['before 1970', 'America/New_York', '1969-04-27T12:00', '1969-04-27T05:00/1969-04-28T04:00'],
    ['seconds', 'Africa/Monrovia', '1960-01-01T12:00', '1960-01-01T00:44:30/1960-01-02T00:44:30'],
  ]
  for (const [what, timeZone, at, window] of cases) {
    it(`${what}: ${timeZone} at ${at}`, () => assert.equal(windowText(days(timeZone), at), window))
  }

  it('a window over a skipped day is a day shorter', () => {
    const spec: CalendarSpec = { unit: 'weeks', count: 1, timeZone: 'Pacific/Apia' }
    assert.equal(windowText(spec, '2011-12-30T10:00'), '2011-12-26T10:00/2012-01-01T10:00')
  })
})

describe('calendar windows as in Beam', () => {
  it('weeks begin on the day given, that of the week of 1970-01-01', () => {
    const spec: CalendarSpec = { unit: 'weeks', count: 1, timeZone: 'UTC', startDay: 3 }
    assert.equal(windowText(spec, '2014-01-05T05:05'), '2014-01-01T00:00/2014-01-08T00:00')
    assert.equal(windowText(spec, '2015-01-06T05:05'), '2014-12-31T00:00/2015-01-07T00:00')
    const fortnight: CalendarSpec = { unit: 'weeks', count: 2, timeZone: 'UTC' }
    assert.equal(windowText(fortnight, '1970-01-01T00:00'), '1969-12-29T00:00/1970-01-12T00:00')
    assert.equal(windowText(fortnight, '1969-12-28T23:59'), '1969-12-15T00:00/1969-12-29T00:00')
  })

  it('several months are counted from their origin', () => {
    const spec: CalendarSpec = {
      unit: 'months',
      count: 7,
      timeZone: 'UTC',
      startDay: 5,
      origin: { year: 2014, month: 3 },
    }
    assert.equal(windowText(spec, '2014-10-04T23:59'), '2014-03-05T00:00/2014-10-05T00:00')
    assert.equal(windowText(spec, '2015-03-01T00:00'), '2014-10-05T00:00/2015-05-05T00:00')
    assert.equal(windowText(spec, '2016-01-31T05:05'), '2015-12-05T00:00/2016-07-05T00:00')
    assert.equal(windowText(spec, '2014-03-04T23:59'), '2013-08-05T00:00/2014-03-05T00:00')
  })

  it('several years are counted from their origin', () => {
    const spec: CalendarSpec = {
      unit: 'years',
      count: 10,
      timeZone: 'UTC',
      startMonth: 5,
      startDay: 5,
      origin: { year: 2000 },
    }
    assert.equal(windowText(spec, '2010-05-04T23:59'), '2000-05-05T00:00/2010-05-05T00:00')
    assert.equal(windowText(spec, '2060-05-04T05:05'), '2050-05-05T00:00/2060-05-05T00:00')
  })

  it('several days are counted from their origin, back as well', () => {
    const spec: CalendarSpec = { ...days('America/Los_Angeles', 5), origin: { year: 1990, month: 1, day: 1 } }
    assert.equal(windowText(spec, '1990-01-01T08:00'), '1990-01-01T08:00/1990-01-06T08:00')
    assert.equal(windowText(spec, '1990-01-01T07:59'), '1989-12-27T08:00/1990-01-01T08:00')
    assert.equal(windowText(days('UTC', 3), '1969-12-31T00:00'), '1969-12-29T00:00/1970-01-01T00:00')
  })

  it('a starting day that a month lacks is its last day', () => {
    const months: CalendarSpec = { unit: 'months', count: 1, timeZone: 'UTC', startDay: 31 }
    assert.equal(windowText(months, '2024-02-29T00:00'), '2024-02-29T00:00/2024-03-31T00:00')
    assert.equal(windowText(months, '2024-02-28T23:59'), '2024-01-31T00:00/2024-02-29T00:00')
    const leapYears: CalendarSpec = { unit: 'years', count: 1, timeZone: 'UTC', startMonth: 2, startDay: 29 }
    assert.equal(windowText(leapYears, '2024-02-29T00:00'), '2024-02-29T00:00/2025-02-28T00:00')
  })
})

interface LocalDate {
  readonly year: number
  readonly month: number
  readonly day: number
  /** Days since 1970-01-01. */
  readonly number: number
}

function numberOf(year: number, month: number, day: number): number {
  return Date.UTC(year, month - 1, day) / DAY_MS
}

/** Reads local dates from the fields that Intl prints. */
function localDates(timeZone: string): (timestampMs: number) => LocalDate {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, year: 'numeric', month: 'numeric', day: 'numeric' })
  return timestampMs => {
    const [month, day, year] = format.format(timestampMs).split('/').map(Number) as [number, number, number]
    return { year, month, day, number: numberOf(year, month, day) }
  }
}

/** Whether windows of the calendar begin on the date, by the words of the spec. */
function beginsOn(spec: CalendarSpec, { year, month, day, number }: LocalDate): boolean {
  const { origin = { year: 1970 }, count, startDay = 1, startMonth = 1 } = spec
  const first = numberOf(origin.year, origin.month ?? 1, origin.day ?? 1)
  const dayOfMonth = Math.min(startDay, new Date(Date.UTC(year, month, 0)).getUTCDate())
  switch (spec.unit) {
    case 'days':
      return (number - first) % count === 0
    case 'weeks': {
      const weekday = new Date(number * DAY_MS).getUTCDay() || 7
      const mondayOf = (of: number): number => of - ((new Date(of * DAY_MS).getUTCDay() || 7) - 1)
      return weekday === startDay && ((mondayOf(number) - mondayOf(first)) / 7) % count === 0
    }
    case 'months':
      return day === dayOfMonth && ((year - origin.year) * 12 + month - (origin.month ?? 1)) % count === 0
    case 'years':
      return day === dayOfMonth && month === startMonth && (year - origin.year) % count === 0
  }
}

/** A boundary is the first moment of a date on which windows begin, or of the first date after such dates that the zone skips. */
function assertBoundary(spec: CalendarSpec, boundary: number, dateAt: (timestampMs: number) => LocalDate): void {
  const date = dateAt(boundary)
  const where = `${JSON.stringify(spec)} at ${instantText(boundary)}`
  let newestBefore = -Infinity
  for (let before = boundary - 1; before > boundary - 2 * DAY_MS; before -= HOUR_MS / 4) {
    newestBefore = Math.max(newestBefore, dateAt(before).number)
  }
  assert.ok(newestBefore < date.number, `${where}: the date began before`)
  let hasReason = false
  for (let number = newestBefore + 1; number <= date.number; number++) {
    const at = new Date(number * DAY_MS)
    const skipped = { year: at.getUTCFullYear(), month: at.getUTCMonth() + 1, day: at.getUTCDate(), number }
    hasReason ||= beginsOn(spec, skipped)
  }
  assert.ok(hasReason, `${where}: no window begins on that date`)
}

/** No date of the window but its first is one on which windows begin. */
function assertNoneInside(
  spec: CalendarSpec,
  window: { start: number; end: number },
  dateAt: (timestampMs: number) => LocalDate,
) {
  const from = dateAt(window.start).number + 1
  const to = dateAt(window.end).number
  for (let number = from; number < to; number++) {
    const at = new Date(number * DAY_MS)
    const inside = { year: at.getUTCFullYear(), month: at.getUTCMonth() + 1, day: at.getUTCDate(), number }
    const isSkipped = ![-24, -12, 0, 12].some(hours => dateAt(number * DAY_MS + hours * HOUR_MS).number === number)
    assert.ok(
      isSkipped || !beginsOn(spec, inside),
      `${JSON.stringify(spec)}: a window begins inside, on ${inside.year}-${inside.month}-${inside.day}`,
    )
  }
}

const TRICKY = [
  'America/Sao_Paulo',
  'Africa/Cairo',
  'Asia/Beirut',
  'Pacific/Apia',
  'America/Havana',
  'America/St_Johns',
  'Asia/Tehran',
  'Asia/Gaza',
  'Australia/Lord_Howe',
  'Pacific/Kwajalein',
  'Antarctica/Troll',
  'Africa/Casablanca',
  'Europe/Dublin',
]

const anySpec: fc.Arbitrary<CalendarSpec> = fc
  .record({
    timeZone: fc.oneof(fc.constantFrom(...TRICKY), fc.constantFrom('UTC', ...Intl.supportedValuesOf('timeZone'))),
    count: fc.oneof({ weight: 2, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: 12 })),
    unit: fc.constantFrom('days' as const, 'weeks' as const, 'months' as const, 'years' as const),
    startDay: fc.integer({ min: 1, max: 31 }),
    startMonth: fc.integer({ min: 1, max: 12 }),
    origin: fc.option(
      fc.record({
        year: fc.integer({ min: 1900, max: 2100 }),
        month: fc.integer({ min: 1, max: 12 }),
        day: fc.integer({ min: 1, max: 28 }),
      }),
      { nil: undefined },
    ),
  })
  .map(({ startDay, startMonth, origin, ...rest }) => ({
    ...rest,
    ...(origin === undefined ? {} : { origin }),
    ...(rest.unit === 'weeks' ? { startDay: (startDay % 7) + 1 } : {}),
    ...(rest.unit === 'months' || rest.unit === 'years' ? { startDay } : {}),
    ...(rest.unit === 'years' ? { startMonth } : {}),
  }))

const anyTime = fc.integer({ min: utc('1883-01-01T00:00'), max: utc('2050-01-01T00:00') })

describe('calendar windows', () => {
  it('hold their timestamp, follow each other without gap or overlap, and begin with the right local dates', () => {
    fc.assert(
      fc.property(anySpec, anyTime, (spec, timestampMs) => {
        checkCalendar(spec)
        const assigner = new CalendarAssigner(spec)
        const dateAt = localDates(spec.timeZone)
        const window = assigner.windowOf(timestampMs)
        assert.ok(window.start <= timestampMs && timestampMs < window.end)
        assert.deepEqual(assigner.windowOf(window.start), window)
        assert.deepEqual(assigner.windowOf(window.end - 1), window)
        assert.equal(assigner.windowOf(window.end).start, window.end)
        assert.equal(assigner.windowOf(window.start - 1).end, window.start)
        assertBoundary(spec, window.start, dateAt)
        assertBoundary(spec, window.end, dateAt)
        if (spec.unit === 'days' || spec.unit === 'weeks') assertNoneInside(spec, window, dateAt)
      }),
      { numRuns: 400 },
    )
  })

  it('hold for every zone around each of its changes of a few years', () => {
    for (const timeZone of TRICKY) {
      const assigner = new CalendarAssigner(days(timeZone))
      const dateAt = localDates(timeZone)
      let count = 0
      for (let at = utc('2010-01-01T00:00'); at < utc('2013-01-01T00:00'); count++) {
        const { start, end } = assigner.windowOf(at)
        assert.ok(start <= at && at < end)
        // Most days have 24 hours, and say nothing new.
        if (end - start !== DAY_MS) assertBoundary(days(timeZone), end, dateAt)
        at = end
      }
      assert.ok(count >= 1095, timeZone)
    }
  })

  it('do not depend on which windows were asked for before', () => {
    const spec = days('Europe/Berlin')
    const assigner = new CalendarAssigner(spec)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), hours => {
        const at = utc('2024-03-30T23:00') + (hours - 20) * HOUR_MS
        assert.deepEqual(assigner.windowOf(at), calendarWindow(spec, at))
      }),
    )
  })

  it('give the same object again for records around a boundary', () => {
    const assigner = new CalendarAssigner(days('UTC'))
    const before = assigner.windowOf(-1)
    const after = assigner.windowOf(0)
    assert.equal(assigner.windowOf(-2), before)
    assert.equal(assigner.windowOf(2), after)
    assert.ok(Object.isFrozen(after))
  })

  it('reach from the first date to the last, and refuse what is none', () => {
    const assigner = new CalendarAssigner({ unit: 'years', count: 1, timeZone: 'Europe/Berlin' })
    for (const at of [-8.64e15, 8.64e15, utc('0001-01-01T00:00'), -62_198_755_200_000]) {
      const { start, end } = assigner.windowOf(at)
      assert.ok(start <= at && at < end)
    }
    for (const at of [Number.NaN, Infinity, -Infinity, 8.64e15 + 1]) {
      assert.throws(() => assigner.windowOf(at), { code: 'TIMESTAMP_INVALID' })
    }
  })
})

describe('checkCalendar', () => {
  it('refuses a time zone that is not known, and none at all', () => {
    for (const timeZone of ['Mars/Olympus', '', undefined, 1]) {
      const spec = { unit: 'days', count: 1, timeZone } as CalendarSpec
      assert.throws(() => checkCalendar(spec), { code: 'TIME_ZONE_UNKNOWN', message: /give an IANA name/ })
    }
    for (const timeZone of TRICKY) checkCalendar(days(timeZone))
  })

  it('refuses what makes no calendar', () => {
    const good: CalendarSpec = { unit: 'months', count: 1, timeZone: 'UTC' }
    const bad: readonly Partial<Record<keyof CalendarSpec, unknown>>[] = [
      { unit: 'hours' },
      { unit: 'toString' },
      { count: 0 },
      { count: 1.5 },
      { count: 10_001 },
      { startDay: 0 },
      { startDay: 32 },
      { startMonth: 1 },
      { unit: 'weeks', startDay: 8 },
      { unit: 'years', startMonth: 13 },
      { unit: 'days', startDay: 1 },
      { origin: { year: 1.5 } },
      { origin: { year: 2000, month: 13 } },
      { origin: { year: 2000, day: 0 } },
    ]
    checkCalendar(good)
    for (const change of bad) {
      assert.throws(() => checkCalendar({ ...good, ...change } as CalendarSpec), { code: 'OPTION_INVALID' })
    }
  })
})
