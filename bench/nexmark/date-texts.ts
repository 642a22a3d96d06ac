// Dates and times of day (UTC) as the queries show them, with the last one remembered: consecutive events are mostly of one minute.

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000

/** A function that formats times, and remembers the text for as long as times stay within one unit. */
function remembering(unitMs: number, format: (date: Date) => string): (timeMs: number) => string {
  let unit = Number.NaN
  let text = ''
  return timeMs => {
    const own = Math.floor(timeMs / unitMs)
    if (own !== unit) {
      unit = own
      text = format(new Date(timeMs))
    }
    return text
  }
}

/** The day as YYYY-MM-DD. */
export const dayText = remembering(DAY_MS, date => date.toISOString().slice(0, 10))

/** The minute as HH:MM. */
export const minuteText = remembering(MINUTE_MS, date => date.toISOString().slice(11, 16))

/** The hour of the day, from 0 to 23. */
export function hourOf(timeMs: number): number {
  return Math.floor((timeMs % DAY_MS) / 3_600_000)
}
