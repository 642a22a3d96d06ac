// What every built-in aggregate must keep, whatever it computes: parts and order of merging make no difference, what was merged stays whole, a
// result handed out never changes, and what was taken back was never there.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import fc from 'fast-check'
import type { AggregateFunction } from '../model/functions.ts'
import { approximateDistinctCount } from './approximate-distinct-count.ts'
import { composite } from './composite.ts'
import { collectList, collectSet, distinctCount } from './distinct-values.ts'
import { maxByOf, maxOf, minByOf, minOf, reduceOf, sumOf } from './field-aggregates.ts'
import { avg, count, max, min, sum } from './number-aggregates.ts'
import { quantiles } from './quantiles.ts'
import { topN } from './top-n.ts'

interface Sale {
  readonly id: number
  readonly city: string | null
  readonly euros: number
}

type Aggregate = AggregateFunction<Sale, unknown, unknown>

const AGGREGATES: Readonly<Record<string, AggregateFunction<never, unknown, unknown>>> = {
  'sum, whole records': sumOf<Sale>('euros'),
  'min, whole records': minOf<Sale>('euros'),
  'max, whole records': maxOf<Sale>('euros'),
  minBy: minByOf<Sale>('euros'),
  maxBy: maxByOf<Sale>('euros'),
  reduce: reduceOf<Sale>((a, b) => ({ id: a.id, city: `${a.city}${b.city}`, euros: b.euros })) as Aggregate,
  count: count(),
  'count of a field': count('city'),
  sum: sum('euros'),
  'sum by function': sum((sale: Sale) => -sale.euros),
  avg: avg('euros'),
  min: min('euros'),
  max: max('euros'),
  topN: topN<Sale>(3, { by: 'euros' }),
  'topN, ascending': topN<Sale>(2, { by: sale => sale.euros, order: 'ascending' }),
  distinctCount: distinctCount('city'),
  'distinctCount of tuples': distinctCount((sale: Sale) => [sale.city, sale.euros]),
  collectSet: collectSet((sale: Sale) => sale.city),
  collectList: collectList((sale: Sale) => sale.id),
  approximateDistinctCount: approximateDistinctCount((sale: Sale) => sale.id, { standardError: 0.2 }),
  'quantiles, exact': quantiles('euros', [0, 0.25, 0.5, 1]),
  'quantiles in buckets': quantiles('euros', [0.9, 0.1], { exactValuesMax: 0 }),
  composite: composite({ total: sum('euros'), cities: distinctCount('city'), sales: count() }),
  'composite that takes nothing back': composite({ most: max('euros'), first: topN<Sale>(1, { by: 'euros' }) }),
}

// Whole numbers add up exactly in any order; NaN and the infinities are among them where the aggregate promises an order of them.
const euros = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -6, max: 6 }) },
  fc.constantFrom(NaN, Infinity, -Infinity),
)
const city = fc.constantFrom('Cork', 'Ennis', 'Sligo', null)
const sales = (name: string, minLength = 0): fc.Arbitrary<Sale[]> =>
  fc
    .array(fc.record({ city, euros: name === 'sum, whole records' ? fc.integer({ min: -6, max: 6 }) : euros }), {
      minLength,
      maxLength: 30,
    })
    .map(list => list.map((sale, id) => Object.freeze({ ...sale, id })))

function added(aggregate: Aggregate, records: readonly Sale[], accumulator = aggregate.create()): unknown {
  return records.reduce((before, record) => aggregate.add(before, record), accumulator)
}

/** A result as values that deepStrictEqual compares: it tells -0 from 0, which are the same number here. */
function shown(aggregate: Aggregate, accumulator: unknown): unknown {
  return positiveZeros(aggregate.result(accumulator))
}

function positiveZeros(value: unknown): unknown {
  if (typeof value === 'number') return value === 0 ? 0 : value
  if (Array.isArray(value)) return value.map(positiveZeros)
  if (value instanceof Set) return new Set([...value].map(positiveZeros))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, positiveZeros(each)]))
}

for (const [name, typed] of Object.entries(AGGREGATES)) {
  const aggregate = typed as Aggregate

  describe(name, () => {
    test('of merged parts is that of all records, however the merges are nested', () => {
      fc.assert(
        fc.property(sales(name, 1), fc.nat(30), fc.nat(30), (records, i, j) => {
          const [low, high] = [Math.min(i, j), Math.max(i, j)]
          const part = (from: number, to?: number) => added(aggregate, records.slice(from, to))
          const expected = shown(aggregate, added(aggregate, records))
          const left = aggregate.merge(aggregate.merge(part(0, low), part(low, high)), part(high))
          const right = aggregate.merge(part(0, low), aggregate.merge(part(low, high), part(high)))
          assert.deepStrictEqual(shown(aggregate, left), expected)
          assert.deepStrictEqual(shown(aggregate, right), expected)
        }),
      )
    })

    test('leaves the part that is merged in as it is, whatever comes to either of them later', () => {
      fc.assert(
        fc.property(sales(name), sales(name, 1), sales(name, 1), (first, second, later) => {
          const part = added(aggregate, second)
          const whole = aggregate.merge(added(aggregate, first), part)
          const expected = shown(aggregate, whole)
          const partBefore = shown(aggregate, part)
          const partLater = added(aggregate, later, part)
          assert.deepStrictEqual(shown(aggregate, whole), expected)
          const partAfter = shown(aggregate, partLater)
          added(aggregate, later, whole)
          assert.deepStrictEqual(shown(aggregate, partLater), partAfter)
          assert.deepStrictEqual(shown(aggregate, added(aggregate, second)), partBefore)
        }),
      )
    })

    test('gives results that later records do not change', () => {
      fc.assert(
        fc.property(sales(name, 1), sales(name, 1), (records, later) => {
          const accumulator = added(aggregate, records)
          const result = aggregate.result(accumulator)
          const before = structuredClone(result)
          aggregate.merge(added(aggregate, later, accumulator), added(aggregate, later))
          assert.deepStrictEqual(result, before)
        }),
      )
    })

    test('does not depend on whether results were asked for between', () => {
      fc.assert(
        fc.property(sales(name, 1), records => {
          let accumulator = aggregate.create()
          for (const [index, record] of records.entries()) {
            accumulator = aggregate.add(accumulator, record)
            const expected = shown(aggregate, added(aggregate, records.slice(0, index + 1)))
            assert.deepStrictEqual(shown(aggregate, accumulator), expected)
          }
        }),
      )
    })

    if (aggregate.retract !== undefined) {
      test('of records of which some are taken back is that of the others', () => {
        fc.assert(
          fc.property(sales(name, 2), fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }), (records, isKept) => {
            // The first one stays: of it sum has the other fields.
            const [kept, taken] = [true, false].map(keep =>
              records.filter(({ id }) => (id === 0 || isKept[id]) === keep),
            )
            let accumulator = added(aggregate, records)
            for (const record of taken as Sale[]) accumulator = aggregate.retract?.(accumulator, record)
            assert.deepStrictEqual(shown(aggregate, accumulator), shown(aggregate, added(aggregate, kept as Sale[])))
          }),
        )
      })

      test('is the same when records are taken back in a part of their own', () => {
        fc.assert(
          fc.property(sales(name, 1), sales(name, 1), (kept, taken) => {
            let back = aggregate.create()
            for (const record of taken) back = aggregate.retract?.(back, record)
            const expected = shown(aggregate, added(aggregate, kept))
            const whole = added(aggregate, [...kept, ...taken])
            // The sum of whole records has the other fields of the first one, were it one taken back.
            if (name !== 'sum, whole records') {
              assert.deepStrictEqual(shown(aggregate, aggregate.merge(structuredClone(back), whole)), expected)
            }
            assert.deepStrictEqual(shown(aggregate, aggregate.merge(whole, back)), expected)
          }),
        )
      })
    }

    if (aggregate.subtract !== undefined) {
      test('without its oldest part is that of the rest, and leaves the part as it is', () => {
        fc.assert(
          fc.property(sales(name, 2), fc.nat(28), (records, cut) => {
            const oldest = records.slice(0, Math.min(cut, records.length - 1))
            const part = added(aggregate, oldest)
            const rest = aggregate.subtract?.(added(aggregate, records), part)
            const expected = shown(aggregate, added(aggregate, records.slice(oldest.length)))
            assert.deepStrictEqual(shown(aggregate, rest), expected)
            assert.deepStrictEqual(shown(aggregate, part), shown(aggregate, added(aggregate, oldest)))
          }),
        )
      })
    }
  })
}

test('what takes records back is told by its methods', () => {
  const having = (method: 'retract' | 'subtract') =>
    Object.keys(AGGREGATES).filter(name => AGGREGATES[name]?.[method] !== undefined)
  const numbers = [
    'count',
    'count of a field',
    'sum',
    'sum by function',
    'avg',
    'distinctCount',
    'distinctCount of tuples',
    'collectSet',
    'quantiles, exact',
    'quantiles in buckets',
    'composite',
  ]
  assert.deepEqual(having('subtract'), numbers)
  assert.deepEqual(having('retract'), ['sum, whole records', ...numbers])
})
