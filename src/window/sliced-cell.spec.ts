import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import fc from 'fast-check'
import type { AggregateFunction } from '../model/functions.ts'
import { SlicedCell } from './sliced-cell.ts'

type Numbers = AggregateFunction<unknown, unknown, unknown>

/** Not commutative, so the order of slices shows; not invertible. */
const TEXT = {
  create: () => '',
  add: (text: string, record: number) => `${text}${record},`,
  merge: (a: string, b: string) => a + b,
  result: (text: string) => text,
  retract: (text: string, record: number) => text.replace(`${record},`, ''),
} as unknown as Numbers

const SUM = {
  create: () => ({ sum: 0 }),
  add: (total: { sum: number }, record: number) => {
    total.sum += record
    return total
  },
  merge: (a: { sum: number }, b: { sum: number }) => {
    a.sum += b.sum
    return a
  },
  subtract: (a: { sum: number }, b: { sum: number }) => {
    a.sum -= b.sum
    return a
  },
  retract: (total: { sum: number }, record: number) => {
    total.sum -= record
    return total
  },
  result: (total: { sum: number }) => total.sum,
} as unknown as Numbers

function without(aggregate: Numbers, method: 'subtract'): Numbers {
  const { [method]: _left, ...rest } = aggregate
  return rest as Numbers
}

interface Held {
  readonly slice: number
  readonly n: number
}

/** What a window must hold: its slices in order, their records in the order they came. */
function expectedText(records: readonly Held[], start: number, end: number): string | undefined {
  const inside = records.filter(({ slice }) => slice >= start && slice < end)
  if (inside.length === 0) return undefined
  return inside
    .toSorted((a, b) => a.slice - b.slice)
    .map(({ n }) => `${n},`)
    .join('')
}

function expectedSum(records: readonly Held[], start: number, end: number): number | undefined {
  const inside = records.filter(({ slice }) => slice >= start && slice < end)
  return inside.length === 0 ? undefined : inside.reduce((sum, { n }) => sum + n, 0)
}

/** How many slices a window spans, and before each window: records by slices ahead of its start, and which of the held ones go. */
const scripts = fc.record({
  width: fc.integer({ min: 1, max: 6 }),
  steps: fc.array(
    fc.record({
      added: fc.array(fc.integer({ min: 0, max: 8 }), { maxLength: 5 }),
      takenBack: fc.array(fc.nat(), { maxLength: 2 }),
      isLooked: fc.boolean(),
    }),
    { maxLength: 30 },
  ),
})

function agrees<E>(aggregate: Numbers, expected: (records: readonly Held[], start: number, end: number) => E): void {
  fc.assert(
    fc.property(scripts, ({ width, steps }) => {
      const cell = new SlicedCell('a', 0)
      let records: Held[] = []
      let n = 0
      for (const [start, { added, takenBack, isLooked }] of steps.entries()) {
        for (const ahead of added) {
          const slice = start + ahead
          cell.add(aggregate, slice, ++n)
          records.push({ slice, n })
        }
        for (const pick of takenBack) {
          const gone = records[pick % Math.max(1, records.length)]
          if (gone === undefined) continue
          cell.takeBack(aggregate, gone.slice, gone.n)
          records = records.filter(held => held !== gone)
        }
        // A key may have windows that nobody asks for.
        if (isLooked) {
          const has = cell.moveTo(aggregate, { start, end: start + width })
          const found = has ? aggregate.result(cell.content) : undefined
          assert.equal(found, expected(records, start, start + width))
        }
        cell.leave(start + 1, aggregate)
        records = records.filter(({ slice }) => slice > start)
        assert.equal(cell.isEmpty(), records.length === 0)
      }
    }),
    { numRuns: 500 },
  )
}

describe('the slices of a key', () => {
  test('give each window what a recomputation gives, in order, where there is no inverse', () =>
    agrees(TEXT, expectedText))

  test('do so where accumulators are changed in place', () => agrees(without(SUM, 'subtract'), expectedSum))

  test('do so with an inverse', () => agrees(SUM, expectedSum))

  test('cost about three joins a slice, however many slices a window has', () => {
    let merges = 0
    const counted = {
      ...without(SUM, 'subtract'),
      merge: (a: { sum: number }, b: { sum: number }) => {
        merges++
        return { sum: a.sum + b.sum }
      },
    } as unknown as Numbers
    const cell = new SlicedCell('a', 0)
    const slices = 2000
    for (let slice = 0; slice < slices; slice++) cell.add(counted, slice, 1)
    for (let start = 0; start + 100 <= slices; start++) {
      assert.equal(cell.moveTo(counted, { start, end: start + 100 }), true)
      assert.equal(counted.result(cell.content), 100)
      cell.leave(start + 1, counted)
    }
    assert.ok(merges < 6 * slices, `${merges} joins`)
  })

  test('keep only what windows to come need', () => {
    const cell = new SlicedCell('a', 0)
    for (const slice of [30, 10, 20]) cell.add(SUM, slice, slice)
    assert.equal(cell.firstStart, 10)
    cell.leave(20, SUM)
    assert.equal(cell.firstStart, 20)
    cell.leave(31, SUM)
    assert.equal(cell.isEmpty(), true)
    assert.equal(cell.moveTo(SUM, { start: 31, end: 61 }), false)
  })

  test('go when their last record is taken back', () => {
    const cell = new SlicedCell('a', 0)
    cell.add(SUM, 10, 5)
    cell.add(SUM, 10, 6)
    cell.takeBack(SUM, 10, 5)
    assert.equal(cell.isEmpty(), false)
    assert.equal(cell.takeBack(SUM, 10, 6), true)
    assert.equal(cell.isEmpty(), true)
    assert.equal(cell.takeBack(SUM, 10, 6), false)
    assert.equal(cell.isEmpty(), true)
  })

  test('refuse an aggregate whose merge gives back its second argument, which other windows use as well', () => {
    const cell = new SlicedCell('a', 0)
    const wrong = { ...SUM, merge: (_a: unknown, b: unknown) => b } as Numbers
    cell.add(wrong, 0, 1)
    assert.throws(() => cell.moveTo(wrong, { start: 0, end: 10 }), {
      code: 'USER_FUNCTION_RESULT',
      message: /merge\(\) of the aggregate returned its second argument; .*slices\('separate'\)/,
    })
  })

  test('refuse an aggregate that forgets to return its accumulator', () => {
    const cell = new SlicedCell('a', 0)
    const wrong = { ...SUM, add: () => undefined } as Numbers
    assert.throws(() => cell.add(wrong, 0, 1), { code: 'USER_FUNCTION_RESULT', message: /add\(\) of the aggregate/ })
  })

  test('go on as they were from the data that they were stored as', () => {
    const cell = new SlicedCell('k', 3)
    for (const [slice, n] of [
      [0, 1],
      [5, 2],
      [10, 3],
    ] as const) {
      cell.add(TEXT, slice, n)
    }
    assert.equal(cell.moveTo(TEXT, { start: 0, end: 10 }), true)
    cell.leave(5, TEXT)
    const restored = new SlicedCell('k', 3)
    restored.restore(structuredClone(cell.stored()))
    assert.deepEqual([restored.sliceStarts, restored.window.end, restored.isEmpty()], [[5, 10], 10, false])
    restored.add(TEXT, 10, 4)
    assert.equal(restored.moveTo(TEXT, { start: 5, end: 15 }), true)
    assert.equal(TEXT.result(restored.content), '2,3,4,')
    assert.equal(restored.takeBack(TEXT, 5, 2), true)
    assert.deepEqual([restored.sliceStarts, cell.sliceStarts], [[10], [5, 10]])
  })
})
