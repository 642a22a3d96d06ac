import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { days, hours, milliseconds, minutes, seconds } from './duration.ts'

describe('durations', () => {
  it('are plain milliseconds', () => {
    assert.deepEqual(
      [milliseconds(250), seconds(5), minutes(2), hours(3), days(1)],
      [250, 5000, 120_000, 10_800_000, 86_400_000],
    )
  })

  it('may be fractions, nothing, or negative (a difference of times)', () => {
    assert.deepEqual([seconds(0.5), minutes(0), hours(-1)], [500, 0, -3_600_000])
  })

  it('refuse what is not a finite number', () => {
    for (const [call, message] of [
      [() => seconds(Number.NaN), 'seconds(NaN): give a finite number, as in seconds(5)'],
      [() => minutes(Infinity), 'minutes(Infinity): give a finite number, as in minutes(5)'],
      [() => days('5' as unknown as number), 'days("5"): give a finite number, as in days(5)'],
      [() => hours(5n as unknown as number), 'hours(5n): give a finite number, as in hours(5)'],
      [() => milliseconds(undefined as never), 'milliseconds(undefined): give a finite number, as in milliseconds(5)'],
    ] as const) {
      assert.throws(call, { code: 'OPTION_INVALID', message: `OPTION_INVALID: ${message}` })
    }
  })
})
