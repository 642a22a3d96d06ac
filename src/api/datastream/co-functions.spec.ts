import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { coFlatMapFunction, coMapFunction, type TwoInputFunction } from './co-functions.ts'

/** What the function collects for one record of each input. */
function collected<O>(fn: TwoInputFunction<number, string, O>, first: number, second: string): O[] {
  const records: O[] = []
  const out = { collect: (record: O) => void records.push(record) }
  fn.onFirst(first, undefined, out)
  fn.onSecond(second, undefined, out)
  return records
}

test('coMap gives one record for each record, by the function of its input', () => {
  const fn = coMapFunction(
    (number: number) => number * 2,
    (text: string) => [text],
  )
  assert.deepEqual(collected(fn, 4, 'be'), [8, ['be']])
})

describe('coFlatMap', () => {
  test('gives the elements of arrays, sets and generators', () => {
    const generated = function* (text: string): Generator<string> {
      yield* text
    }
    const fn = coFlatMapFunction((number: number) => [number, number], generated)
    assert.deepEqual(collected(fn, 4, 'be'), [4, 4, 'b', 'e'])
    const unique = coFlatMapFunction(
      (number: number) => new Set([number, number]),
      () => [],
    )
    assert.deepEqual(collected(unique, 4, 'be'), [4])
  })

  test('refuses what is no iterable object: texts, numbers, null, promises', () => {
    const returning = (result: unknown) =>
      coFlatMapFunction(
        (_: number) => result as Iterable<unknown>,
        (_: string) => [],
      )
    for (const result of ['be', 5, null, undefined, {}]) {
      assert.throws(
        () => collected(returning(result), 4, ''),
        /USER_FUNCTION_RESULT: its function returned .*; return \[\]/,
      )
    }
    assert.throws(() => collected(returning(Promise.resolve([])), 4, ''), /USER_FUNCTION_ASYNC/)
  })
})
