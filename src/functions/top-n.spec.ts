// The first records by a number, against sorting them all.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import fc from 'fast-check'
import { topN } from './top-n.ts'

interface Sale {
  readonly id: number
  readonly euros: number
}

const sales = fc
  .array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(NaN, Infinity)), { maxLength: 40 })
  .map(values => values.map((euros, id): Sale => ({ id, euros })))

const rank = (euros: number): number => (Number.isNaN(euros) ? Number.MAX_VALUE : Math.min(euros, 1e300))

describe('topN', () => {
  for (const order of ['descending', 'ascending'] as const) {
    test(`gives what a stable sort gives first, ${order}`, () => {
      fc.assert(
        fc.property(sales, fc.integer({ min: 1, max: 8 }), (records, n) => {
          const aggregate = topN<Sale>(n, { by: 'euros', order })
          const sign = order === 'ascending' ? 1 : -1
          const expected = records.toSorted((a, b) => sign * (rank(a.euros) - rank(b.euros))).slice(0, n)
          const top = records.reduce((before, record) => aggregate.add(before, record), aggregate.create())
          assert.deepEqual(aggregate.result(top), expected)
        }),
      )
    })
  }

  test('refuses what it cannot order by', () => {
    for (const n of [0, 1.5, 10_001, '3' as never]) {
      assert.throws(() => topN<Sale>(n, { by: 'euros' }), /OPTION_INVALID: topN\(\): the number of records is/)
    }
    assert.throws(() => topN<Sale>(1, undefined as never), /OPTION_INVALID: topN\(\): the field is undefined/)
    assert.throws(
      () => topN<Sale>(1, { by: 'euros', order: 'up' as never }),
      /OPTION_INVALID: topN\(euros\): the order is "up"/,
    )
    const aggregate = topN<Sale>(1, { by: 'euros' })
    assert.throws(
      () => aggregate.add(aggregate.create(), { id: 1, euros: '1' as never }),
      /FIELD_NOT_NUMBER: topN\(euros\)/,
    )
  })
})
