// The error of approximate counts, measured over sizes and kinds of values: the standard error holds, and nothing is systematically off.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { approximateDistinctCount } from './approximate-distinct-count.ts'

const KINDS: Readonly<Record<string, (index: number) => unknown>> = {
  'whole numbers': index => index,
  fractions: index => index / 7,
  'great numbers': index => index * 2 ** 30,
  texts: index => `user-${index}`,
  'texts of two letters, thrice': index =>
    String.fromCharCode(97 + (index % 26), 97 + ((index / 26) % 26), index / 676 + 32),
  bigints: index => BigInt(index) ** 3n,
  tuples: index => [index % 100, `${Math.floor(index / 100)}`],
}
const SIZES = [1, 10, 300, 1000, 3000, 10_000, 40_000]
const RUNS = 12

interface Value {
  readonly value: unknown
}

/** Relative errors of counts of disjoint ranges of a kind. */
function errorsOf(kind: (index: number) => unknown, size: number, standardError: number): number[] {
  const aggregate = approximateDistinctCount((record: Value) => record.value, { standardError })
  return Array.from({ length: RUNS }, (_, run) => {
    let sketch = aggregate.create()
    for (let i = 0; i < size; i++) sketch = aggregate.add(sketch, { value: kind(run * size + i) })
    for (let i = 0; i < size; i += 3) sketch = aggregate.add(sketch, { value: kind(run * size + i) })
    return aggregate.result(sketch) / size - 1
  })
}

const rms = (errors: readonly number[]): number => Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / errors.length)
const mean = (errors: readonly number[]): number => errors.reduce((sum, e) => sum + e, 0) / errors.length

describe('approximateDistinctCount', () => {
  test('is within its standard error for every kind of values', () => {
    for (const [name, kind] of Object.entries(KINDS)) {
      const errors = SIZES.filter(size => size < 20_000).flatMap(size => errorsOf(kind, size, 0.05))
      assert.ok(rms(errors) <= 0.05, `${name}: ${rms(errors)}`)
      assert.ok(
        errors.every(error => Math.abs(error) <= 4 * 0.05),
        `${name}: ${errors}`,
      )
    }
  })

  test('is within its standard error for every size, and not off to one side', () => {
    const kind = KINDS['whole numbers'] as (index: number) => unknown
    for (const standardError of [0.25, 0.02, 0.005]) {
      const all = SIZES.flatMap(size => {
        const errors = errorsOf(kind, size, standardError)
        assert.ok(rms(errors) <= 1.4 * standardError, `${standardError} of ${size}: ${rms(errors)}`)
        return errors
      })
      assert.ok(Math.abs(mean(all)) <= standardError / 2, `${standardError}: mean ${mean(all)}`)
    }
  })

  test('of few values is exact, and 0 of none', () => {
    const aggregate = approximateDistinctCount('value')
    assert.equal(aggregate.result(aggregate.create()), 0)
    let sketch = aggregate.create()
    for (const value of [null, undefined, 1, 1, -0, 0, NaN, Number.NaN, '1', [1], true, 'true', 1n]) {
      sketch = aggregate.add(sketch, { value })
    }
    assert.equal(aggregate.result(sketch), 8)
  })

  test('refuses an error it cannot keep', () => {
    for (const standardError of [0, 0.001, 0.5, NaN, '1%' as never]) {
      assert.throws(() => approximateDistinctCount('value', { standardError }), /OPTION_INVALID: .*standardError is/)
    }
  })
})
