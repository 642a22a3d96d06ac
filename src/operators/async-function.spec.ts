// Asynchronous calls: the order of their results around watermarks, what is under way at most, and the end. Time-outs and further
// attempts have a spec of their own.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { silentLogger } from '../base/logger.ts'
import type { AsyncContext, AsyncSpec } from '../model/async-spec.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
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
import type { SimulatedJob } from '../testing/simulate.ts'
import { AlignmentCoordinator } from '../time/alignment-coordinator.ts'
import { AsyncFunctionOperator } from './async-function.ts'
import { type CurrentRecord, newCounters, type OperatorContext } from './operator.ts'

const DEFAULTS: Omit<AsyncSpec, 'function'> = {
  results: 'one',
  order: 'ordered',
  capacity: 100,
  timeoutMs: Infinity,
  onTimeout: undefined,
  retry: undefined,
}

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
function sleeping(change: Partial<AsyncSpec> = {}): (clock: SimulatedJob['clock']) => OperatorSpec {
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
      // Calls under way are made again.
      snapshots: 'off',
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
      // Calls under way are made again.
      snapshots: 'off',
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
        // Calls under way are made again.
        snapshots: 'off',
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
      // Calls under way are made again.
      snapshots: 'off',
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
      // Calls under way are made again.
      snapshots: 'off',
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

test('what takes a record back is called for like any other, and its result takes back', () => {
  const current: CurrentRecord = { timestamp: -Infinity, key: 'k', isRetraction: false }
  const emitted: unknown[] = []
  const spec = asynchronous((n: number) => n * 10)
  const context = {
    record: current,
    vertex: { operator: spec } as OperatorContext['vertex'],
    output: value => emitted.push([value, current.timestamp, current.isRetraction]),
    capacity: { blocked: 0, budget: 10, untilMonotonicMs: Infinity, isTimeNews: false },
    alignment: new AlignmentCoordinator(),
    clock: { now: () => 0, monotonicMs: () => 0 },
    mailbox: { post: letter => letter() },
    logger: silentLogger,
    connectors: customConnectors,
    subtaskIndex: 0,
    splits: [],
    isCheckpointed: false,
    takesRetractions: false,
    jobName: 'job',
    attempt: 1,
    startedFromId: undefined,
    counters: newCounters(),
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
