// Asynchronous calls that take too long or fail: what their time-outs and further attempts come to.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { AsyncContext, AsyncSpec } from '../model/async-spec.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import { verifyOperator } from '../testing/operator-harness.ts'
import { end, out, processingTime, record, watermarkOut } from '../testing/operator-script.ts'
import type { SimulatedJob } from '../testing/simulate.ts'

const RETRY = {
  attempts: 3,
  delayMs: 10,
  backoffFactor: 2,
  delayMsMax: 1000,
  onError: () => true,
  onResult: () => false,
} as const

function asynchronous<T>(
  call: (record: T, ctx: AsyncContext) => unknown,
  change: Partial<AsyncSpec> = {},
): OperatorSpec {
  const defaults = { results: 'one', order: 'ordered', capacity: 100, timeoutMs: Infinity } as const
  return { kind: 'async', async: { ...defaults, onTimeout: undefined, retry: undefined, function: call, ...change } }
}

/** Calls that take so many ms of processing time as the record says. */
function sleeping(change: Partial<AsyncSpec> = {}): (clock: SimulatedJob['clock']) => OperatorSpec {
  return clock =>
    asynchronous<{ name: string; ms: number }>(async ({ name, ms }) => {
      await clock.sleep(ms)
      return name
    }, change)
}

describe('a record whose time is over', () => {
  test('fails the job with ASYNC_TIMEOUT', () =>
    verifyOperator({
      operator: sleeping({ timeoutMs: 100 }),
      script: [
        record({ name: 'a', ms: 99 }),
        record({ name: 'b', ms: 101 }),
        record({ name: 'c', ms: 0 }),
        processingTime(99),
        processingTime(100),
      ],
      expect: {
        failure: {
          code: 'ASYNC_TIMEOUT',
          message:
            /step "step": the calls for record {"name":"b","ms":101} took longer than 100 ms \(attempt 1 of 1\) \(record 2 of subtask 0\); raise timeoutMs, or give onTimeout/,
        },
      },
    }))

  test('gives what onTimeout returns, and its call is aborted and counts for nothing', async () => {
    let aborted = 0
    await verifyOperator({
      // Calls under way are made again.
      snapshots: 'off',
      operator: clock =>
        asynchronous<string>(
          async (name, { signal }) => {
            signal.addEventListener('abort', () => aborted++)
            await clock.sleep(name === 'slow' ? 30 : 1)
            return name
          },
          { timeoutMs: 20, onTimeout: (name: string) => `no answer for ${name}` },
        ),
      script: [
        record('slow', { timestamp: 1 }),
        record('fast', { timestamp: 2 }),
        processingTime(1),
        processingTime(20),
        processingTime(40),
        end,
      ],
      expect: {
        output: [out('no answer for slow', 1), out('fast', 2), watermarkOut(Infinity)],
        observed: 1,
      },
      observe: () => {
        const count = aborted
        aborted = 0
        return count
      },
    })
  })

  test('is over as well while it waits for a further attempt, and when nothing else is left', () =>
    verifyOperator({
      operator: asynchronous<string>(() => Promise.reject(new Error('down')), {
        results: 'many',
        timeoutMs: 35,
        onTimeout: (name: string) => [name, 'given up'],
        retry: { ...RETRY, attempts: 100 },
      }),
      script: [record('a'), end, processingTime(10), processingTime(30), processingTime(35)],
      expect: { output: [out('a'), out('given up'), watermarkOut(Infinity)] },
    }))

  test('is over also when the outbox is full', () =>
    verifyOperator({
      // Calls under way are made again.
      snapshots: 'off',
      operator: sleeping({ timeoutMs: 5, onTimeout: () => 'over', capacity: 2 }),
      script: [1, 9, 1, 9, 1, 9]
        .map(ms => record({ name: 'done', ms }))
        .concat([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15].map(processingTime), end),
      expect: {
        output: [out('done'), out('over'), out('done'), out('over'), out('done'), out('over'), watermarkOut(Infinity)],
      },
    }))

  for (const [what, onTimeout, code, message] of [
    [
      'that throws',
      () => assert.fail('no idea'),
      'USER_FUNCTION_FAILED',
      /threw in onTimeout on record "a": .*no idea/,
    ],
    [
      'that is asynchronous',
      async () => 'b',
      'USER_FUNCTION_ASYNC',
      /returned a promise; .*in onTimeout on record "a"/,
    ],
  ] as const) {
    test(`fails the job by an onTimeout ${what}`, () =>
      verifyOperator({
        operator: asynchronous(() => new Promise(() => {}), { timeoutMs: 1, onTimeout }),
        script: [record('a'), processingTime(1)],
        expect: { failure: { code, message } },
      }))
  }
})

describe('a call that fails', () => {
  for (const [what, call] of [
    ['rejects', () => Promise.reject(new TypeError('no such user'))],
    [
      'throws',
      () => {
        throw new TypeError('no such user')
      },
    ],
  ] as const) {
    test(`and ${what} fails the job, naming its record and not the newest`, () =>
      verifyOperator({
        operator: asynchronous<number>(n => (n === 2 ? call() : n)),
        script: [record(1), record(2), record(3)],
        expect: {
          failure: {
            code: 'USER_FUNCTION_FAILED',
            message:
              /step "step": its function threw on record 2: TypeError: no such user \(record 2 of subtask 0\); mend/,
          },
        },
      }))
  }

  test('is made again after growing waits, in its place', () =>
    verifyOperator({
      // Calls under way are made again.
      snapshots: 'off',
      operator: clock =>
        asynchronous<string>(
          async (name, { attempt }) => {
            if (name === 'b' && attempt < 4) throw new Error('down')
            return `${name} ${attempt} at ${clock.now()}`
          },
          { retry: { ...RETRY, attempts: 4, delayMsMax: 25 } },
        ),
      script: [
        record('a'),
        record('b'),
        record('c'),
        processingTime(10),
        processingTime(30),
        processingTime(54),
        processingTime(55),
        end,
      ],
      expect: { output: [out('a 1 at 0'), out('b 4 at 55'), out('c 1 at 0'), watermarkOut(Infinity)] },
    }))

  test('for the last time fails the job', () =>
    verifyOperator({
      operator: asynchronous<string>(() => Promise.reject(new Error('down')), { retry: { ...RETRY, attempts: 2 } }),
      script: [record('a'), processingTime(10)],
      expect: {
        failure: {
          code: 'USER_FUNCTION_FAILED',
          message: /its function threw at attempt 2 of 2 on record "a": Error: down \(record 1 of subtask 0\)/,
        },
      },
    }))

  test('is not made again where onError says so', () =>
    verifyOperator({
      operator: asynchronous<string>(() => Promise.reject(new RangeError('never')), {
        retry: { ...RETRY, onError: error => !(error instanceof RangeError) },
      }),
      script: [record('a')],
      expect: {
        failure: { code: 'USER_FUNCTION_FAILED', message: /at attempt 1 of 3 on record "a": RangeError: never/ },
      },
    }))

  test('is made again where onResult says so, and the last result goes on as it is', () =>
    verifyOperator({
      // Calls under way are made again.
      snapshots: 'off',
      operator: asynchronous<string>(async (name, { attempt }) => `${name}${attempt}`, {
        retry: { ...RETRY, backoffFactor: 1, onResult: (result: string) => result !== 'b2' },
      }),
      script: [record('a'), record('b'), processingTime(10), processingTime(20), end],
      expect: { output: [out('a3'), out('b2'), watermarkOut(Infinity)] },
    }))

  test('by a predicate of its retry fails the job', () =>
    verifyOperator({
      operator: asynchronous<string>(async name => name, {
        retry: { ...RETRY, onResult: (() => Promise.resolve(true)) as never },
      }),
      script: [record('a')],
      expect: { failure: { code: 'USER_FUNCTION_ASYNC', message: /returned a promise/ } },
    }))

  test('to give an iterable is USER_FUNCTION_RESULT', () =>
    verifyOperator({
      operator: asynchronous<string>(async name => name, { results: 'many' }),
      script: [record('abc')],
      expect: {
        failure: {
          code: 'USER_FUNCTION_RESULT',
          message: /its function returned "abc" on record "abc"; expected an array.*\(record 1 of subtask 0\)/,
        },
      },
    }))
})

test('a thenable that answers twice counts once', () =>
  verifyOperator({
    operator: asynchronous<string>(name => ({
      // biome-ignore lint/suspicious/noThenProperty: it is what a thenable is.
      then(resolve: (result: string) => void, reject: (error: unknown) => void) {
        resolve(name)
        resolve('again')
        reject(new Error('and an error'))
      },
    })),
    script: [record('a'), record('b'), end],
    expect: { output: [out('a'), out('b'), watermarkOut(Infinity)] },
  }))

test('what an attempt says when the next one is under way counts for nothing', () => {
  let again: ((error: unknown) => void) | undefined
  return verifyOperator({
    // Calls under way are made again.
    snapshots: 'off',
    operator: clock =>
      asynchronous<string>(
        (name, { attempt }) => {
          if (attempt === 2) {
            again?.(new Error('down again'))
            return clock.sleep(5).then(() => name)
          }
          return {
            // biome-ignore lint/suspicious/noThenProperty: it is what a thenable is.
            then(_resolve: unknown, reject: (error: unknown) => void) {
              again = reject
              reject(new Error('down'))
            },
          }
        },
        { retry: { ...RETRY, attempts: 2 } },
      ),
    script: [record('a'), processingTime(10), processingTime(15), end],
    expect: { output: [out('a'), watermarkOut(Infinity)] },
  })
})
