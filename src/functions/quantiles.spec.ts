// Quantiles, against sorting all values: exact while there are few different ones, then within the relative error.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import fc from 'fast-check'
import { type QuantilesOptions, quantiles } from './quantiles.ts'

const FRACTIONS = [0.5, 0, 1, 0.99, 0.25, 0.001, 0.5]

function found(values: readonly number[], options?: QuantilesOptions): readonly number[] {
  const aggregate = quantiles('value', FRACTIONS, options)
  return aggregate.result(values.reduce((before, value) => aggregate.add(before, { value }), aggregate.create()))
}

/** By definition: the least value that at least this share of the values does not exceed. */
function naive(values: readonly number[]): readonly number[] {
  const sorted = values.toSorted((a, b) => (Number.isNaN(a) ? 1 : Number.isNaN(b) ? -1 : a < b ? -1 : 1))
  return FRACTIONS.map(fraction => sorted[Math.max(0, Math.ceil(fraction * values.length) - 1)] as number)
}

const any = fc.array(fc.double(), { minLength: 1, maxLength: 200 })
const narrow = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 200 })

function withinError(value: number, exact: number, relativeError: number): boolean {
  if (!Number.isFinite(exact)) return Object.is(value, exact)
  if (Math.abs(exact) < 1e-300) return value === 0
  return Math.abs(value - exact) <= Math.abs(exact) * (relativeError + 1e-9)
}

describe('quantiles', () => {
  test('are exact while different values are few', () => {
    fc.assert(
      fc.property(fc.oneof(any, narrow), values => {
        assert.deepEqual(
          found(values).map(value => value + 0),
          naive(values).map(value => value + 0),
        )
      }),
    )
  })

  for (const relativeError of [0.001, 0.01, 0.5]) {
    test(`of many different values are within ${relativeError} of the exact ones`, () => {
      fc.assert(
        fc.property(any, values => {
          const exact = naive(values)
          const rounded = found(values, { relativeError, exactValuesMax: 0 })
          for (const [i, value] of rounded.entries()) {
            assert.ok(withinError(value, exact[i] as number, relativeError), `${value} for ${exact[i]}`)
          }
        }),
        { examples: [[[Number.MAX_VALUE]], [[-Number.MAX_VALUE, Number.MIN_VALUE]], [[1e-300, NaN, Infinity]]] },
      )
    })
  }

  test('keep a bounded number of buckets', () => {
    const aggregate = quantiles('value', [0.5])
    let numbers = aggregate.create()
    for (let i = 0; i < 100_000; i++) numbers = aggregate.add(numbers, { value: 1 + i / 10 })
    const { times } = numbers as { readonly times: ReadonlyMap<number, number> }
    assert.ok(times.size < 500, `${times.size} buckets`)
    assert.ok(withinError(aggregate.result(numbers)[0] as number, 5000.9, 0.01))
  })

  test('refuse fractions and errors that make no sense', () => {
    for (const fractions of [[], [1.5], [-0.1], [NaN], 0.5 as never, new Array(101).fill(0.5)]) {
      assert.throws(() => quantiles('value', fractions), /OPTION_INVALID: quantiles\(value\): (a|the) fraction/)
    }
    for (const relativeError of [0, 1, NaN]) {
      assert.throws(() => quantiles('value', [0.5], { relativeError }), /OPTION_INVALID: .*relativeError is/)
    }
    assert.throws(() => quantiles('value', [0.5], { exactValuesMax: -1 }), /OPTION_INVALID: .*exactValuesMax is -1/)
  })
})
