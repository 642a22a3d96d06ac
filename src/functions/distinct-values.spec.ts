// Different values, exactly: what is the same, what is left out, and the bound.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import fc from 'fast-check'
import type { AggregateFunction } from '../model/functions.ts'
import { encodeKeyText } from '../serde/key-encoding.ts'
import { collectList, collectSet, distinctCount } from './distinct-values.ts'

interface Visit {
  readonly user: unknown
}

const visits = (users: readonly unknown[]): Visit[] => users.map(user => ({ user }))
const user = (visit: Visit): unknown => visit.user

function resultOf<T, A, R>(aggregate: AggregateFunction<T, A, R>, records: readonly T[]): R {
  return aggregate.result(records.reduce((before, record) => aggregate.add(before, record), aggregate.create()))
}

const leaf = fc.oneof(
  fc.string({ maxLength: 2 }),
  fc.constantFrom('\u0006a\u0000', '\u0008\u0000', '1', ''),
  fc.double(),
  fc.boolean(),
  fc.bigInt({ min: -2n, max: 2n }),
)
const values = fc.array(
  fc.oneof(leaf, fc.array(leaf, { maxLength: 2 }), fc.record({ a: leaf }), fc.uint8Array({ maxLength: 2 })),
)

describe('different values', () => {
  test('are counted and collected as keys tell them apart', () => {
    fc.assert(
      fc.property(values, users => {
        const expected = new Map(users.map(each => [encodeKeyText(each), each]))
        assert.equal(resultOf(distinctCount('user'), visits(users)), expected.size)
        const set = resultOf(collectSet(user), visits(users))
        assert.deepEqual([...set].map(encodeKeyText), [...expected.keys()])
      }),
    )
  })

  test('do not take in null and undefined', () => {
    const records = visits([null, undefined, 0, -0, NaN, NaN, ''])
    assert.equal(resultOf(distinctCount('user'), records), 3)
    assert.deepEqual([...resultOf(collectSet(user), records)], [0, NaN, ''])
    assert.deepEqual(resultOf(collectList(user), records), [null, undefined, 0, -0, NaN, NaN, ''])
  })

  test('beyond the bound are AGGREGATE_OVERFLOW, in a merge too; the same ones again are not', () => {
    const aggregate = distinctCount('user', { valuesMax: 2 })
    assert.equal(resultOf(aggregate, visits([1, 2, 1, 2, 1])), 2)
    const overflow =
      /^StreamError: AGGREGATE_OVERFLOW: distinctCount\(user\): more than 2 values of one key; raise valuesMax/
    assert.throws(() => resultOf(aggregate, visits([1, 2, 3])), overflow)
    const [a, b] = [[1], [2, 3]].map(users =>
      visits(users).reduce((before, record) => aggregate.add(before, record), aggregate.create()),
    )
    assert.throws(() => aggregate.merge(a, b), overflow)
    assert.throws(() => resultOf(collectList(user, { valuesMax: 2 }), visits([1, 1, 1])), /AGGREGATE_OVERFLOW/)
    assert.throws(
      () => distinctCount('user', { valuesMax: 0 }),
      /OPTION_INVALID: distinctCount\(user\): valuesMax is 0/,
    )
  })

  test('that cannot be keys are refused, with the call', () => {
    assert.throws(
      () => resultOf(distinctCount('user'), visits([new Date(0)])),
      /^StreamError: KEY_INVALID: distinctCount\(user\) compares values as keys: an instance of Date cannot be a key; use/,
    )
  })
})
