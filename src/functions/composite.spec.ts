// Several aggregates as one.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { composite } from './composite.ts'
import { avg, count, max, sum } from './number-aggregates.ts'

describe('composite', () => {
  test('gives the result of each part under its name, an object of its own each time', () => {
    const aggregate = composite({ total: sum('euros'), mean: avg('euros'), sales: count() })
    const first = aggregate.add(aggregate.create(), { euros: 5 })
    const result = aggregate.result(first)
    assert.deepEqual(result, { total: 5, mean: 5, sales: 1 })
    assert.deepEqual(aggregate.result(aggregate.add(first, { euros: 9 })), { total: 14, mean: 7, sales: 2 })
    assert.deepEqual(result, { total: 5, mean: 5, sales: 1 })
  })

  test('nests, and needs records where a part does', () => {
    const aggregate = composite({ euros: composite({ most: max('euros') }), sales: count() })
    assert.deepEqual(aggregate.result(aggregate.add(aggregate.create(), { euros: 5 })), {
      euros: { most: 5 },
      sales: 1,
    })
    assert.equal(aggregate.needsRecords, true)
    assert.equal(aggregate.retract, undefined)
    assert.equal(composite({ sales: count() }).needsRecords, false)
  })

  test('names the part whose function forgets to return', () => {
    const forgetful = { ...count(), add: () => undefined }
    const aggregate = composite({ sales: count(), lost: forgetful })
    assert.throws(
      () => aggregate.add(aggregate.create(), {}),
      /^StreamError: USER_FUNCTION_RESULT: composite\(\): a function of the part "lost" returned undefined/,
    )
  })

  test('refuses what is no set of aggregates', () => {
    assert.throws(() => composite({}), /OPTION_INVALID: composite\(\): the parts are {}/)
    assert.throws(() => composite(null as never), /OPTION_INVALID: composite\(\): the parts are null/)
    assert.throws(
      () => composite({ total: { create: () => 0, add: () => 0 } as never }),
      /OPTION_INVALID: composite\(\): the part "total" has no merge, result/,
    )
  })
})
