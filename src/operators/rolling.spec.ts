// Keyed aggregations that emit after each record.
import test, { describe } from 'node:test'
import type { AggregateFunction } from '../model/functions.ts'
import { fieldSelector, functionSelector } from '../model/key.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import { verifyOperator } from '../testing/operator-harness.ts'
import { end, out, record, watermark, watermarkOut } from '../testing/operator-script.ts'

interface Word {
  readonly word: string
  readonly n: number
}

function rolling<A>(aggregate: Partial<AggregateFunction<Word, A, unknown>>): OperatorSpec {
  return { kind: 'rolling', aggregate: { merge: () => {}, ...aggregate } as never }
}

const sum = rolling<{ total: number }>({
  create: () => ({ total: 0 }),
  add: (accumulator, { n }) => {
    accumulator.total += n
    return accumulator
  },
  result: ({ total }) => total,
})

const keySelectors = [fieldSelector('word')]

describe('a rolling aggregation', () => {
  test('emits the result of its key after each record, with the timestamp of the record', () =>
    verifyOperator({
      operator: sum,
      keySelectors,
      script: [
        record({ word: 'a', n: 1 }, { timestamp: 3 }),
        record({ word: 'b', n: 10 }),
        watermark(5),
        record({ word: 'a', n: 2 }, { timestamp: 1 }),
        end,
      ],
      expect: { output: [out(1, 3), out(10), watermarkOut(5), out(3, 1), watermarkOut(Infinity)] },
    }))

  test('may have accumulators that are replaced by each record, false and zero among them', () =>
    verifyOperator({
      operator: rolling<number>({ create: () => 0, add: (total, { n }) => total + n, result: total => total }),
      keySelectors,
      script: [record({ word: 'a', n: 0 }), record({ word: 'a', n: 5 }), record({ word: 'a', n: -5 }), end],
      expect: { output: [out(0), out(5), out(0), watermarkOut(Infinity)] },
    }))

  test('compares keys by value', () =>
    verifyOperator({
      operator: sum,
      keySelectors: [functionSelector(({ word }: Word) => [word, { length: word.length }])],
      script: [record({ word: 'a', n: 1 }), record({ word: 'a', n: 2 }), record({ word: 'ab', n: 4 }), end],
      expect: { output: [out(1), out(3), out(4), watermarkOut(Infinity)] },
    }))

  for (const forgets of [0, 1]) {
    test(`whose add returns nothing for record ${forgets + 1} of a key is USER_FUNCTION_RESULT`, () => {
      let calls = 0
      return verifyOperator({
        operator: () => {
          calls = 0
          return rolling<object>({
            create: () => ({}),
            add: accumulator => (calls++ === forgets ? (undefined as never) : accumulator),
            result: () => 'result',
          })
        },
        keySelectors,
        script: [record({ word: 'a', n: 1 }), record({ word: 'a', n: 2 }), end],
        expect: {
          failure: {
            code: 'USER_FUNCTION_RESULT',
            message: new RegExp(`add\\(\\) of the aggregate returned undefined.*record ${forgets + 1} of subtask 0`),
          },
        },
      })
    })
  }

  for (const part of ['create', 'add', 'result'] as const) {
    test(`whose ${part} throws names step and record`, () =>
      verifyOperator({
        operator: rolling<number>({
          create: () => 0,
          add: total => total,
          result: total => total,
          [part]: () => {
            throw new Error('boom')
          },
        }),
        keySelectors,
        script: [record({ word: 'a', n: 1 }), end],
        expect: {
          failure: { code: 'USER_FUNCTION_FAILED', message: /step "step".*record {"word":"a","n":1}: Error: boom/ },
        },
      }))
  }
})
