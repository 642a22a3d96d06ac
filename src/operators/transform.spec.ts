// map, filter and flat-map, and what users are told when their functions go wrong.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { OperatorSpec, TransformShape } from '../model/operator-spec.ts'
import { type Expectation, verifyOperator } from '../testing/operator-harness.ts'
import {
  active,
  end,
  idle,
  out,
  record,
  type ScriptStep,
  statusOut,
  stop,
  watermark,
  watermarkOut,
} from '../testing/operator-script.ts'

function transform(shape: TransformShape, fn: (record: never) => unknown): OperatorSpec {
  return { kind: 'transform', shape, function: fn }
}

function numbers(...values: readonly number[]): ScriptStep[] {
  return values.map(value => record(value))
}

describe('map', () => {
  test('gives one record for each, with its timestamp; watermarks and statuses pass in their place', () =>
    verifyOperator({
      operator: transform('map', (n: number) => n * 10),
      script: [
        record(1, { timestamp: 5 }),
        record(2),
        watermark(5),
        idle(),
        active(),
        record(3, { timestamp: 7 }),
        end,
      ],
      expect: {
        output: [
          out(10, 5),
          out(20),
          watermarkOut(5),
          statusOut(true),
          statusOut(false),
          out(30, 7),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('may give null and undefined', () =>
    verifyOperator({
      operator: transform('map', (n: number) => (n === 1 ? null : undefined)),
      script: [...numbers(1, 2), end],
      expect: { output: [out(null), out(undefined), watermarkOut(Infinity)] },
    }))

  test('ends with a stop as well, without the final watermark', () =>
    verifyOperator({
      operator: transform('map', (n: number) => n),
      script: [record(1), watermark(3), stop],
      expect: { output: [out(1), watermarkOut(3)] },
    }))
})

describe('filter', () => {
  test('keeps the records for which the predicate is true, or truthy', () =>
    verifyOperator({
      operator: transform('filter', (n: number) => (n < 5 ? n % 2 === 0 : n % 2)),
      script: [...numbers(1, 2, 3, 4, 5, 6), end],
      expect: { output: [out(2), out(4), out(5), watermarkOut(Infinity)] },
    }))
})

describe('flat-map', () => {
  test('gives the elements of arrays, also none', () =>
    verifyOperator({
      operator: transform('flat-map', (n: number) => new Array(n).fill(n)),
      script: [record(0), record(2, { timestamp: 3 }), record(1), end],
      expect: { output: [out(2, 3), out(2, 3), out(1), watermarkOut(Infinity)] },
    }))

  test('gives the elements of sets and generators', () =>
    verifyOperator({
      operator: transform('flat-map', function* (n: number) {
        yield* new Set([n, n, -n])
      }),
      script: [...numbers(1, 2), end],
      expect: { output: [out(1), out(-1), out(2), out(-2), watermarkOut(Infinity)] },
    }))

  test('a generator that throws fails with what it gave before', () =>
    verifyOperator({
      operator: transform('flat-map', function* (n: number) {
        yield n
        if (n === 2) throw new Error('halfway')
        yield -n
      }),
      script: [...numbers(1, 2, 3), end],
      expect: {
        output: [out(1), out(-1), out(2)],
        failure: { code: 'USER_FUNCTION_FAILED', message: /on record 2: Error: halfway \(record 2 of subtask 0\)/ },
      },
    }))

  test('a generator whose records nobody can take is told to finish', async () => {
    let finished = 0
    await verifyOperator({
      // A function that is made anew counts anew.
      snapshots: 'off',
      operator: () => {
        finished = 0
        return transform('flat-map', function* (n: number) {
          try {
            yield n
          } finally {
            finished++
          }
        })
      },
      script: [...numbers(1, 2), end],
      observe: () => finished,
      expect: { output: [out(1), out(2), watermarkOut(Infinity)], observed: 2 },
    })
  })
})

describe('a mistake of the user', () => {
  const location = { file: 'file:///jobs/job.ts', line: 12, column: 3 }

  function fails(shape: TransformShape, fn: (n: number) => unknown, failure: Expectation['failure']): Promise<void> {
    return verifyOperator({
      operator: transform(shape, n => ((n as number) < 3 ? (shape === 'flat-map' ? [] : false) : fn(n as number))),
      name: 'my step',
      location,
      script: [...numbers(1, 2, 3, 4), end],
      expect: { failure },
    })
  }

  for (const shape of ['map', 'filter', 'flat-map'] as const) {
    test(`in ${shape}: what it threw, with step, place, record and its number`, () =>
      fails(
        shape,
        n => {
          throw new TypeError(`no ${n}`)
        },
        {
          code: 'USER_FUNCTION_FAILED',
          message:
            /^USER_FUNCTION_FAILED: step "my step" \(\/jobs\/job.ts:12\): its function threw on record 3: TypeError: no 3 \(record 3 of subtask 0\); mend the function/,
        },
      ))
  }

  test('that throws something else than an error is told all the same', () =>
    fails(
      'map',
      () => {
        throw 'text'
      },
      { code: 'USER_FUNCTION_FAILED', message: /threw on record 3: "text" \(record 3/ },
    ))

  test('an asynchronous predicate is USER_FUNCTION_ASYNC', () =>
    fails('filter', async () => true, {
      code: 'USER_FUNCTION_ASYNC',
      message: /predicate returned a promise on record 3/,
    }))

  test('an asynchronous flat-map is USER_FUNCTION_ASYNC', () =>
    fails('flat-map', async () => [1], { code: 'USER_FUNCTION_ASYNC', message: /returned a promise on record 3/ }))

  for (const [what, value] of [
    ['nothing', undefined],
    ['a number', 7],
    ['a text, which would be taken letter by letter', 'abc'],
    ['an object', { a: 1 }],
  ] as const) {
    test(`a flat-map that returns ${what} is USER_FUNCTION_RESULT`, () =>
      fails('flat-map', () => value, {
        code: 'USER_FUNCTION_RESULT',
        message:
          /on record 3; expected an array or another iterable \(record 3 of subtask 0\); return \[\] for no record/,
      }))
  }
})

describe('the harness', () => {
  const map = transform('map', (n: number) => n)

  test('sees a record too few, a wrong timestamp, and a missing failure', async () => {
    const script = [record(1, { timestamp: 5 }), end]
    const differing = /main output: got \[1 at 5, watermark Infinity\], expected/
    await assert.rejects(verifyOperator({ operator: map, script, expect: { output: [] } }), differing)
    await assert.rejects(
      verifyOperator({ operator: map, script, expect: { output: [out(1, 6), watermarkOut(Infinity)] } }),
      differing,
    )
    const failure = { code: 'USER_FUNCTION_FAILED', message: /x/ }
    await assert.rejects(verifyOperator({ operator: map, script, expect: { failure } }), /it did not fail/)
  })

  test('sees an operator that depends on how records come: its first variant passes, another does not', async () => {
    let calls = 0
    const operator = (): OperatorSpec => transform('map', () => ++calls)
    await assert.rejects(
      verifyOperator({ operator, script: [record('a'), end], expect: { output: [out(1), watermarkOut(Infinity)] } }),
      /batch of one, an outbox full every other call, steps of 1: main output: got \[2/,
    )
  })
})

test('refuses a promise from map, which would travel on instead of its value', () =>
  verifyOperator({
    operator: { kind: 'transform', shape: 'map', function: () => Promise.resolve(1) },
    script: [record(1), end],
    expect: { failure: { code: 'USER_FUNCTION_ASYNC', message: /returned a promise on record 1/ } },
  }))
