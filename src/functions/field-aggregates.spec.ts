import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import fc from 'fast-check'
import type { AggregateFunction } from '../model/functions.ts'
import { FIELD_AGGREGATES, maxByOf, maxOf, minByOf, minOf, reduceOf, sumOf } from './field-aggregates.ts'

interface Sale {
  readonly city: string
  readonly euros: number
}

const sales = fc.array(
  fc.record({ city: fc.constantFrom('Cork', 'Ennis', 'Sligo'), euros: fc.integer({ min: -5, max: 5 }) }),
  { minLength: 1, maxLength: 20 },
)

/** What the aggregation gives after each record, as a rolling operator would emit it. */
function rolling<T, A, R>(aggregate: AggregateFunction<T, A, R>, records: readonly T[]): R[] {
  let accumulator = aggregate.create()
  return records.map(record => {
    accumulator = aggregate.add(accumulator, record)
    return aggregate.result(accumulator)
  })
}

/** What the aggregation gives at the end when the records come in two parts. */
function merged<T, A, R>(aggregate: AggregateFunction<T, A, R>, parts: readonly [readonly T[], readonly T[]]): R {
  const [first, second] = parts.map(part => part.reduce(aggregate.add, aggregate.create()))
  return aggregate.result(aggregate.merge(first as A, second as A))
}

/** The naive answer for the first `count` records. */
type Naive = (records: readonly Sale[]) => Sale

const withEuros = (records: readonly Sale[], euros: number): Sale => ({ city: (records[0] as Sale).city, euros })
const eurosOf = (records: readonly Sale[]): number[] => records.map(record => record.euros)
const firstWith = (records: readonly Sale[], euros: number): Sale =>
  records.find(record => record.euros === euros) as Sale

const NAIVE: Readonly<Record<keyof typeof FIELD_AGGREGATES, Naive>> = {
  sum: records =>
    withEuros(
      records,
      eurosOf(records).reduce((a, b) => a + b),
    ),
  min: records => withEuros(records, Math.min(...eurosOf(records))),
  max: records => withEuros(records, Math.max(...eurosOf(records))),
  minBy: records => firstWith(records, Math.min(...eurosOf(records))),
  maxBy: records => firstWith(records, Math.max(...eurosOf(records))),
}

// -0 and 0 are the same sum; JSON says so.
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

describe('the aggregations of a field', () => {
  for (const [name, naive] of Object.entries(NAIVE) as [keyof typeof FIELD_AGGREGATES, Naive][]) {
    const aggregate = FIELD_AGGREGATES[name]<Sale>('euros')

    test(`${name} gives after each record what a fold over all records so far gives`, () => {
      fc.assert(
        fc.property(sales, records => {
          const expected = records.map((_, index) => naive(records.slice(0, index + 1)))
          assert.deepEqual(plain(rolling(aggregate, records)), plain(expected))
        }),
      )
    })

    test(`${name} of two merged parts is that of the whole, and never changes a record`, () => {
      fc.assert(
        fc.property(sales, fc.nat(20), (records, cut) => {
          const frozen = records.map(record => Object.freeze(record))
          const result = merged(aggregate, [frozen.slice(0, cut), frozen.slice(cut)])
          assert.deepEqual(plain(result), plain(naive(records)))
        }),
      )
    })
  }

  test('keep an emitted record as it was when later records arrive', () => {
    for (const aggregate of [sumOf<Sale>('euros'), minOf<Sale>('euros'), maxOf<Sale>('euros')]) {
      const emitted = rolling(aggregate, [
        { city: 'Cork', euros: 5 },
        { city: 'Ennis', euros: 7 },
        { city: 'Sligo', euros: 3 },
      ])
      assert.equal(new Set(emitted).size, 3)
      assert.deepEqual(emitted[0], { city: 'Cork', euros: 5 })
    }
  })

  test('minBy and maxBy give the very record, the first one of equals', () => {
    const records = [4, 9, 1, 9, 1].map((euros, index) => ({ city: `c${index}`, euros }))
    assert.equal(rolling(minByOf<Sale>('euros'), records).at(-1), records[2])
    assert.equal(rolling(maxByOf<Sale>('euros'), records).at(-1), records[1])
    assert.equal(merged(maxByOf<Sale>('euros'), [records.slice(0, 3), records.slice(3)]), records[1])
  })

  test('keep tuples and instances of classes what they are', () => {
    class Temperature {
      readonly celsius: number
      constructor(celsius: number) {
        this.celsius = celsius
      }
      get isFrost(): boolean {
        return this.celsius < 0
      }
    }
    const [, coldest] = rolling(minOf<Temperature>('celsius'), [new Temperature(3), new Temperature(-2)])
    assert.ok(coldest instanceof Temperature && coldest.isFrost)
    assert.deepEqual(
      rolling(sumOf<[string, number]>('1'), [
        ['a', 1],
        ['b', 2],
      ]),
      [
        ['a', 1],
        ['a', 3],
      ],
    )
  })

  test('fail on a field that is not a number, naming call, field and value', () => {
    for (const record of [{ city: 'Cork', euros: '5' }, { city: 'Cork' }, null]) {
      const add = () => rolling(maxByOf<Sale>('euros'), [record as unknown as Sale])
      assert.throws(
        add,
        /^StreamError: FIELD_NOT_NUMBER: maxBy\(euros\): field "euros" is ("5"|undefined), expected a number/,
      )
    }
  })
})

describe('reduce', () => {
  const joined = reduceOf<string>((earlier, later) => `${earlier}+${later}`)

  test('joins records in their order, the first one alone as it is', () => {
    assert.deepEqual(rolling(joined, ['a', 'b', 'c']), ['a', 'a+b', 'a+b+c'])
  })

  test('of two merged parts is that of the whole, also when a part is empty', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), fc.nat(10), (texts, cut) => {
        assert.equal(merged(joined, [texts.slice(0, cut), texts.slice(cut)]), texts.join('+'))
      }),
    )
  })

  test('tells an undefined record from none', () => {
    const last = reduceOf<number | undefined>((_, later) => later)
    assert.deepEqual(rolling(last, [1, undefined, 2]), [1, undefined, 2])
    assert.equal(merged(last, [[1], [undefined]]), undefined)
  })

  test('refuses a promise', () => {
    const asynchronous = reduceOf<unknown>(earlier => Promise.resolve(earlier))
    assert.throws(() => rolling(asynchronous, [1, 2]), /USER_FUNCTION_ASYNC: reduce\(\)/)
  })
})
