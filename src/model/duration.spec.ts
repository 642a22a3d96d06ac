import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { days, hours, milliseconds, minutes, seconds } from './duration.ts'

describe('durations', () => {
  it('are plain milliseconds', () => {
    assert.equal(milliseconds(250), 250)
    assert.equal(seconds(5), 5000)
    assert.equal(minutes(2), 120_000)
    assert.equal(hours(3), 10_800_000)
    assert.equal(days(1), 86_400_000)
  })

  it('may be fractions, zero or negative', () => {
    assert.equal(seconds(0.5), 500)
    assert.equal(minutes(0), 0)
    assert.equal(hours(-1), -3_600_000)
  })

  for (const [unit, duration] of Object.entries({ milliseconds, seconds, minutes, hours, days })) {
    for (const [label, count] of [
      ['NaN', NaN],
      ['Infinity', Infinity],
      ['"5"', '5' as unknown as number],
      ['undefined', undefined as unknown as number],
    ] as const) {
      it(`of ${unit} refuse ${label}`, () => {
        assert.throws(() => duration(count), {
          code: 'OPTION_INVALID',
          message: `OPTION_INVALID: ${unit}(${label}): give a finite number, as in ${unit}(5)`,
        })
      })
    }
  }
})
