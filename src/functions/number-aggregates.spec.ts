// Aggregates that give a number, against naive models, and where numbers end.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import fc from 'fast-check'
import type { AggregateFunction } from '../model/functions.ts'
import { avg, count, max, min, sum } from './number-aggregates.ts'

interface Reading {
  readonly value: number
}

const readings = (values: readonly number[]): Reading[] => values.map(value => ({ value }))

function resultOf<T, A, R>(aggregate: AggregateFunction<T, A, R>, records: readonly T[]): R {
  return aggregate.result(records.reduce((before, record) => aggregate.add(before, record), aggregate.create()))
}

describe('numbers', () => {
  test('are those of a naive model for whole numbers', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), values => {
        const records = readings(values)
        const total = values.reduce((a, b) => a + b, 0)
        assert.equal(resultOf(count(), records), values.length)
        assert.equal(resultOf(sum('value'), records), total)
        assert.equal(resultOf(avg('value'), records), total / values.length)
        assert.equal(resultOf(min('value'), records), Math.min(...values))
        assert.equal(
          resultOf(
            max((reading: Reading) => reading.value),
            records,
          ),
          Math.max(...values),
        )
      }),
    )
  })

  test('of fractions are as near as an exact sum of them rounds, and stay so when some are taken back', () => {
    const cents = fc.array(fc.integer({ min: -1e9, max: 1e9 }), { minLength: 2, maxLength: 100 })
    fc.assert(
      fc.property(cents, fc.nat(99), (values, cut) => {
        const records = readings(values.map(value => value / 100))
        const aggregate = sum('value')
        let total = records.reduce((before, record) => aggregate.add(before, record), aggregate.create())
        for (const record of records.slice(0, cut)) total = aggregate.retract?.(total, record)
        const exact = values.slice(cut).reduce((a, b) => a + b, 0) / 100
        assert.ok(Math.abs(aggregate.result(total) - exact) <= 1e-8, `${aggregate.result(total)} for ${exact}`)
      }),
    )
  })

  test('keep what a great one rounded off, when it is taken back', () => {
    const aggregate = sum('value')
    const [great, small] = readings([1e16, 1]) as [Reading, Reading]
    const total = aggregate.add(aggregate.add(aggregate.create(), great), small)
    assert.equal(aggregate.result(aggregate.retract?.(total, great)), 1)
    const part = aggregate.add(aggregate.add(aggregate.create(), great), small)
    const whole = aggregate.merge(aggregate.create(), part)
    assert.equal(aggregate.result(aggregate.subtract?.(whole, aggregate.add(aggregate.create(), great))), 1)
  })

  test('recover from NaN and infinities that are taken back', () => {
    const aggregate = avg('value')
    for (const wild of readings([NaN, Infinity, -Infinity])) {
      const total = aggregate.add(aggregate.add(aggregate.create(), { value: 4 }), wild)
      assert.ok(!Number.isFinite(aggregate.result(total)))
      assert.equal(aggregate.result(aggregate.retract?.(total, wild)), 4)
    }
    assert.equal(resultOf(sum('value'), readings([Infinity, -Infinity])), NaN)
    assert.equal(resultOf(sum('value'), readings([1e308, 1e308])), Infinity)
  })

  test('have NaN for the greatest', () => {
    assert.equal(resultOf(max('value'), readings([NaN, Infinity, 1])), NaN)
    assert.equal(resultOf(min('value'), readings([NaN, Infinity])), Infinity)
    assert.equal(resultOf(min('value'), readings([NaN, NaN])), NaN)
    assert.equal(resultOf(max('value'), readings([-Infinity])), -Infinity)
  })

  test('of no records are 0 for count and sum; the others need records', () => {
    for (const aggregate of [count(), sum('value')]) {
      assert.equal(resultOf(aggregate, []), 0)
      assert.notEqual(aggregate.needsRecords, true)
    }
    for (const aggregate of [avg('value'), min('value'), max('value')]) assert.equal(aggregate.needsRecords, true)
  })

  test('count leaves out null and undefined, and nothing else', () => {
    const records = [null, undefined, 0, '', NaN, false].map(note => ({ note }))
    assert.equal(resultOf(count('note'), records), 4)
    assert.equal(resultOf(count(), records), 6)
  })

  test('fail on anything else, naming call, field and value', () => {
    const text = [{ value: '5' }] as unknown as Reading[]
    assert.throws(
      () => resultOf(avg('value'), text),
      /^StreamError: FIELD_NOT_NUMBER: avg\(value\): field "value" is "5"/,
    )
    const byFunction = sum((reading: Reading) => reading.value)
    assert.throws(
      () => resultOf(byFunction, text),
      /FIELD_NOT_NUMBER: sum\(\): its function gives "5", expected a number/,
    )
    const later = max((() => Promise.resolve(1)) as unknown as (reading: Reading) => number)
    assert.throws(() => resultOf(later, text), /USER_FUNCTION_ASYNC: max\(\): its function returned a promise/)
    assert.throws(() => sum('' as never), /OPTION_INVALID: sum\(\): the field is "";/)
  })
})
