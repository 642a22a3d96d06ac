// Rolling aggregations of records that are taken back. No step before them makes such records yet, so the operator stands alone here.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import fc from 'fast-check'
import type { AggregateFunction } from '../model/functions.ts'
import type { Vertex } from '../model/graph.ts'
import { type CurrentRecord, NO_TIMESTAMP, type OperatorContext } from './operator.ts'
import { rollingOperator } from './rolling.ts'

interface Word {
  readonly word: string
  readonly n: number
}

interface Emitted {
  readonly value: unknown
  readonly isRetraction: boolean
}

const total: AggregateFunction<Word, number, number> = {
  create: () => 0,
  add: (sum, { n }) => sum + n,
  merge: (a, b) => a + b,
  result: sum => sum,
  retract: (sum, { n }) => sum - n,
}

interface Numbers {
  readonly first: number | undefined
  readonly count: number
}

/** How many numbers a word has, with the first that came, which stays when it is taken back: of no records there is none. */
const counted: AggregateFunction<Word, Numbers, Numbers> = {
  create: () => ({ first: undefined, count: 0 }),
  add: ({ first, count }, { n }) => ({ first: first ?? n, count: count + 1 }),
  merge: (a, b) => ({ first: a.first ?? b.first, count: a.count + b.count }),
  result: numbers => numbers,
  retract: ({ first, count }) => ({ first, count: count - 1 }),
  needsRecords: true,
}

const vertex = { name: 'step', maxParallelism: 128 } as Vertex

/** An operator with its current record; `add` and `takeBack` give what it emits. */
function rolling<A>(aggregate: AggregateFunction<Word, A, unknown>) {
  const record: CurrentRecord = { timestamp: NO_TIMESTAMP, key: undefined, isRetraction: false }
  const emitted: Emitted[] = []
  const operator = rollingOperator(
    aggregate as never,
    {
      vertex,
      record,
      output: value => emitted.push({ value, isRetraction: record.isRetraction }),
      keyOf: () => (word: Word) => word.word,
    } as Partial<OperatorContext> as OperatorContext,
  )
  const send = (word: string, n: number, isRetraction: boolean): readonly Emitted[] => {
    record.isRetraction = isRetraction
    operator.inputs[0]?.({ word, n } satisfies Word)
    assert.equal(record.isRetraction, isRetraction)
    return emitted.splice(0)
  }
  return {
    add: (word: string, n: number) => send(word, n, false),
    takeBack: (word: string, n: number) => send(word, n, true),
  }
}

const plainly = (...values: unknown[]): readonly Emitted[] => values.map(value => ({ value, isRetraction: false }))

describe('a rolling aggregation of records that are taken back', () => {
  test('emits the new result, which takes nothing back itself', () => {
    const totals = rolling(total)
    assert.deepEqual(totals.add('a', 5), plainly(5))
    assert.deepEqual(totals.add('a', 2), plainly(7))
    assert.deepEqual(totals.add('b', 1), plainly(1))
    assert.deepEqual(totals.takeBack('a', 5), plainly(2))
    assert.deepEqual(totals.add('a', 1), plainly(3))
  })

  test('emits the result of no records where there is one', () => {
    const totals = rolling({ ...total, create: () => 100 })
    totals.add('a', 5)
    assert.deepEqual(totals.takeBack('a', 5), plainly(100))
    assert.deepEqual(totals.add('a', 2), plainly(102))
  })

  test('emits nothing without records where it needs them, and begins anew with the next', () => {
    const numbers = rolling(counted)
    numbers.add('a', 5)
    assert.deepEqual(numbers.takeBack('a', 5), [])
    assert.throws(() => numbers.takeBack('a', 5), /RETRACTION_UNMATCHED/)
    assert.deepEqual(numbers.add('a', 2), plainly({ first: 2, count: 1 }))
  })

  test('is that of the records that are left', () => {
    const script = fc.array(
      fc.record({ word: fc.constantFrom('a', 'b'), n: fc.integer({ min: -9, max: 9 }), back: fc.boolean() }),
    )
    fc.assert(
      fc.property(script, steps => {
        const operator = rolling(total)
        const left: Word[] = []
        for (const { word, n, back } of steps) {
          const at = back ? left.findIndex(each => each.word === word) : -1
          const emitted = at < 0 ? operator.add(word, n) : operator.takeBack(word, left.splice(at, 1)[0]?.n as number)
          if (at < 0) left.push({ word, n })
          const numbers = left.filter(each => each.word === word).map(each => each.n)
          assert.deepEqual(emitted, plainly(numbers.reduce((a, b) => a + b, 0)))
        }
      }),
    )
  })

  test('fails where the key holds no records, and where the aggregate cannot take back', () => {
    const totals = rolling(total)
    totals.add('a', 1)
    assert.throws(() => totals.takeBack('b', 1), /^Error: RETRACTION_UNMATCHED: step "step": a record is taken back/)
    const greatest = rolling({ ...total, retract: undefined })
    greatest.add('a', 1)
    assert.throws(
      () => greatest.takeBack('a', 1),
      /USER_FUNCTION_RESULT: step "step": the aggregate has no retract\(\)/,
    )
    const forgetful = rolling({ ...total, retract: () => undefined as never })
    forgetful.add('a', 1)
    assert.throws(() => forgetful.takeBack('a', 1), /retract\(\) of the aggregate returned undefined/)
  })
})
