// Asynchronous calls: the order of their results around watermarks, what is under way at most, time-outs, further attempts, and the end.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { silentLogger } from '../base/logger.ts'
import type { AsyncContext, AsyncSpec } from '../model/async-spec.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import type { VirtualClock } from '../runtime/simulated-scheduler.ts'
import { customConnectors } from '../testing/collections.ts'
import { verifyOperator } from '../testing/operator-harness.ts'
import {
  active,
  end,
  idle,
  out,
  processingTime,
  record,
  type ScriptStep,
  statusOut,
  stop,
  watermark,
  watermarkOut,
} from '../testing/operator-script.ts'
import { AsyncFunctionOperator } from './async-function.ts'
import type { CurrentRecord, OperatorContext } from './operator.ts'

const DEFAULTS: Omit<AsyncSpec, 'function'> = {
  results: 'one',
  order: 'ordered',
  capacity: 100,
  timeoutMs: Infinity,
  onTimeout: undefined,
  retry: undefined,
}

const RETRY = {
  attempts: 3,
  delayMs: 10,
  backoffFactor: 2,
  delayMsMax: 1000,
  onError: () => true,
  onResult: () => false,
} as const

type Call<T> = (record: T, ctx: AsyncContext) => unknown

function asynchronous<T>(call: Call<T>, change: Partial<AsyncSpec> = {}): OperatorSpec {
  return { kind: 'async', async: { ...DEFAULTS, function: call, ...change } }
}

interface Named {
  readonly name: string
  /** The results that this record's call sets free, in this order; its own may be among them. */
  readonly frees?: readonly string[]
}

/** Calls whose results come when a later record (or the record itself) sets them free. */
function freedByOthers(change: Partial<AsyncSpec> = {}): () => OperatorSpec {
  return () => {
    const waiting = new Map<string, () => void>()
    return asynchronous<Named>(({ name, frees = [] }) => {
      const result = new Promise(resolve => waiting.set(name, () => resolve(name)))
      for (const other of frees) waiting.get(other)?.()
      return result
    }, change)
  }
}

/** Calls that take so many ms of processing time as the record says. */
function sleeping(change: Partial<AsyncSpec> = {}): (clock: VirtualClock) => OperatorSpec {
  return clock =>
    asynchronous<{ name: string; ms: number }>(async ({ name, ms }) => {
      await clock.sleep(ms)
      return name
    }, change)
}

function named(name: string, timestamp: number, frees: readonly string[] = []): ScriptStep {
  return record({ name, frees }, { timestamp })
}

describe('ordered results', () => {
  test('go on in the order of their records, with their timestamps', () =>
    verifyOperator({
      operator: freedByOthers(),
      script: [named('a', 1), named('b', 2, ['b']), named('c', 3, ['c', 'a']), end],
      expect: { output: [out('a', 1), out('b', 2), out('c', 3), watermarkOut(Infinity)] },
    }))

  test('keep the watermarks between them where they were, and the input goes on meanwhile', () =>
    verifyOperator({
      operator: freedByOthers(),
      script: [
        named('a', 1),
        watermark(5),
        named('b', 6, ['b']),
        watermark(7),
        watermark(8),
        named('c', 9, ['c', 'a']),
        end,
      ],
      expect: {
        output: [out('a', 1), watermarkOut(5), out('b', 6), watermarkOut(8), out('c', 9), watermarkOut(Infinity)],
      },
    }))

  test('may be no promises at all', () =>
    verifyOperator({
      operator: asynchronous((n: number) => n * 2),
      script: [record(1), record(2, { timestamp: 5 }), watermark(5), record(3), end],
      expect: { output: [out(2), out(4, 5), watermarkOut(5), out(6), watermarkOut(Infinity)] },
    }))

  test('of many records each go on in their own order', () =>
    verifyOperator({
      operator: asynchronous(async (n: number) => new Set([n, n * 10]), { results: 'many' }),
      script: [record(1, { timestamp: 1 }), record(2), end],
      expect: { output: [out(1, 1), out(10, 1), out(2), out(20), watermarkOut(Infinity)] },
    }))
})

describe('unordered results', () => {
  test('go on as they come', () =>
    verifyOperator({
      operator: freedByOthers({ order: 'unordered' }),
      script: [named('a', 1), named('b', 2), named('c', 3, ['b', 'a', 'c']), end],
      expect: { output: [out('b', 2), out('a', 1), out('c', 3), watermarkOut(Infinity)] },
    }))

  test('pass no watermark, neither one before nor one behind their record', () =>
    verifyOperator({
      operator: freedByOthers({ order: 'unordered' }),
      script: [
        named('a', 1),
        named('b', 2),
        watermark(5),
        named('c', 6, ['c', 'b']),
        watermark(7),
        named('d', 8, ['d', 'a']),
        end,
      ],
      expect: {
        output: [
          out('b', 2),
          out('a', 1),
          watermarkOut(5),
          out('c', 6),
          watermarkOut(7),
          out('d', 8),
          watermarkOut(Infinity),
        ],
      },
    }))
})

describe('the capacity', () => {
  for (const order of ['ordered', 'unordered'] as const) {
    test(`is never exceeded, and records that wait for it are taken when results went on (${order})`, async () => {
      let underWay = 0
      let peak = 0
      const names = Array.from({ length: 20 }, (_, index) => `${index}`)
      await verifyOperator({
        operator: clock =>
          asynchronous<string>(
            async name => {
              peak = Math.max(peak, ++underWay)
              await clock.sleep(1)
              underWay--
              return name
            },
            { capacity: 3, order },
          ),
        script: [
          ...names.map((name, index) => record(name, { timestamp: index })),
          ...names.map((_, index) => processingTime(index + 1)),
          end,
        ],
        expect: { output: [...names.map((name, index) => out(name, index)), watermarkOut(Infinity)], observed: 3 },
        observe: () => peak,
      })
    })
  }

  // The watermark between is behind records of the same batch that have not come in yet.
  test('of one lets a watermark in the middle of what is under way pass', () =>
    verifyOperator({
      operator: sleeping({ capacity: 1, order: 'unordered' }),
      script: [
        record({ name: 'a', ms: 5 }),
        watermark(1),
        record({ name: 'b', ms: 1 }),
        record({ name: 'c', ms: 1 }),
        watermark(2),
        ...[5, 6, 7, 8].map(processingTime),
        end,
      ],
      expect: {
        output: [out('a'), watermarkOut(1), out('b'), out('c'), watermarkOut(2), watermarkOut(Infinity)],
      },
    }))
})

describe('the end', () => {
  test('of input waits for what is under way, and the final watermark for its results', () =>
    verifyOperator({
      operator: sleeping(),
      script: [record({ name: 'a', ms: 50 }), record({ name: 'b', ms: 10 }), end, processingTime(50)],
      expect: { output: [out('a'), out('b'), watermarkOut(Infinity)] },
    }))

  test('of input lets the watermarks before it go on as soon as they may', () =>
    verifyOperator({
      operator: sleeping({ order: 'unordered' }),
      script: [
        record({ name: 'a', ms: 10 }),
        watermark(1),
        record({ name: 'b', ms: 20 }),
        watermark(2),
        record({ name: 'c', ms: 15 }),
        end,
        processingTime(10),
        processingTime(15),
        processingTime(20),
      ],
      expect: {
        output: [out('a'), watermarkOut(1), out('b'), watermarkOut(2), out('c'), watermarkOut(Infinity)],
      },
    }))

  test('by a stop waits as well, and there is no final watermark', () =>
    verifyOperator({
      operator: sleeping({ order: 'unordered' }),
      script: [
        record({ name: 'a', ms: 50 }),
        record({ name: 'b', ms: 10 }),
        stop,
        processingTime(10),
        processingTime(50),
      ],
      expect: { output: [out('b'), out('a')] },
    }))

  test('by a cancel aborts what is under way, and what it says later counts for nothing', async () => {
    const aborted: string[] = []
    let free: ((result: string) => void) | undefined
    await verifyOperator({
      operator: asynchronous<string>((name, { signal }) => {
        signal.addEventListener('abort', () => {
          aborted.push(`${name} ${signal.aborted}`)
          free?.('too late')
        })
        const removed = (): void => assert.fail('a listener that was removed is called')
        signal.addEventListener('abort', removed)
        signal.removeEventListener('abort', removed)
        return new Promise<string>(resolve => {
          free = resolve
        })
      }),
      // Without an end the harness closes the operator as a cancel does.
      script: [record('a'), record('b')],
      expect: { output: [], observed: ['a true', 'b true'] },
      observe: () => aborted.splice(0),
    })
  })
})

describe('an idle input', () => {
  test('is told only after what is under way: its results would be late', () =>
    verifyOperator({
      operator: sleeping(),
      script: [
        record({ name: 'a', ms: 10 }, { timestamp: 1 }),
        watermark(5),
        idle(),
        processingTime(10),
        active(),
        end,
      ],
      expect: {
        output: [out('a', 1), watermarkOut(5), statusOut(true), statusOut(false), watermarkOut(Infinity)],
      },
    }))
})

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

test('what takes a record back is called for like any other, and its result takes back', () => {
  const current: CurrentRecord = { timestamp: -Infinity, key: 'k', isRetraction: false }
  const emitted: unknown[] = []
  const spec = asynchronous((n: number) => n * 10)
  const context = {
    record: current,
    vertex: { operator: spec } as OperatorContext['vertex'],
    output: value => emitted.push([value, current.timestamp, current.isRetraction]),
    capacity: { blocked: 0, budget: 10, untilMonotonicMs: Infinity },
    clock: { now: () => 0, monotonicMs: () => 0 },
    mailbox: { post: letter => letter() },
    logger: silentLogger,
    connectors: customConnectors,
    subtaskIndex: 0,
    splits: [],
    counters: { recordsIn: 0, recordsOut: 0, lateRecordsDropped: 0, timersDropped: 0 },
    sideOutput: () => undefined,
    keyOf: () => () => undefined,
  } satisfies OperatorContext
  const operator = new AsyncFunctionOperator((spec as { async: AsyncSpec }).async, context)
  const [input] = operator.inputs
  Object.assign(current, { timestamp: 1, isRetraction: true })
  input?.(1)
  Object.assign(current, { timestamp: 2, isRetraction: false })
  input?.(2)
  assert.equal(operator.emitReady(), true)
  assert.deepEqual(emitted, [
    [10, 1, true],
    [20, 2, false],
  ])
  assert.deepEqual(current, { timestamp: 2, key: 'k', isRetraction: false })
})
