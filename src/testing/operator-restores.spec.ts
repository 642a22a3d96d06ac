// Operators whose snapshots are wrong, and operators whose snapshots are right, under the operator harness.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { KeyedProcessFunction, ProcessFunction } from '../model/functions.ts'
import { fieldSelector } from '../model/key.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import { operatorList } from '../model/operator-state.ts'
import { value } from '../model/state.ts'
import { verifyOperator } from './operator-harness.ts'
import { runLined, runRestored } from './operator-restores.ts'
import { end, out, processingTime, record, watermark, watermarkOut } from './operator-script.ts'

interface Row {
  readonly k: string
  readonly n: number
}

const row = (k: string, n: number) => record({ k, n } satisfies Row, { timestamp: n })
const SCRIPT = [row('a', 1), row('b', 2), watermark(5), row('a', 6), processingTime(3), row('b', 7), row('a', 8), end]
const keySelectors = [fieldSelector('k')]

/** Emits how many records of its key came, kept where `count` says, and at each end of five ms the newest. */
function counting(count: (key: string, stored: () => number, store: (count: number) => void) => number): OperatorSpec {
  const user: KeyedProcessFunction<string, Row, string, { count: ReturnType<typeof value<number>> }> = {
    state: { count: value<number>() },
    onRecord({ n }, ctx, out) {
      const { state, key } = ctx
      const now = count(
        key,
        () => state.count.get() ?? 0,
        next => state.count.set(next),
      )
      out.collect(`${key} ${now}`)
      ctx.timers.registerEventTimeTimer(n - (n % 5) + 4)
    },
    onTimer: (timestampMs, { key, state }, out) => out.collect(`${key} ${state.count.get()} at ${timestampMs}`),
  }
  return { kind: 'keyed-process', function: user as never }
}

const inState = () =>
  counting((_key, stored, store) => {
    store(stored() + 1)
    return stored()
  })

const inClosure = () => {
  const counts = new Map<string, number>()
  return counting((key, _stored, store) => {
    counts.set(key, (counts.get(key) ?? 0) + 1)
    store(counts.get(key) as number)
    return counts.get(key) as number
  })
}

const listing: ProcessFunction<number, number, { seen: ReturnType<typeof operatorList<number>> }> = {
  operatorState: { seen: operatorList<number>() },
  onRecord(n, { operatorState }, out) {
    operatorState.seen.add(n)
    out.collect(operatorState.seen.get().length)
  },
}

const EXPECTED = [
  out('a 1', 1),
  out('b 1', 2),
  out('a 1 at 4', 4),
  out('b 1 at 4', 4),
  watermarkOut(5),
  out('a 2', 6),
  out('b 2', 7),
  out('a 3', 8),
  out('a 3 at 9', 9),
  out('b 2 at 9', 9),
  watermarkOut(Infinity),
]

describe('an operator that is restored between two lines', () => {
  test('goes on with its state and its timers, as one subtask and as two', () =>
    verifyOperator({ operator: inState, keySelectors, script: SCRIPT, expect: { output: EXPECTED } }))

  test('is found out when its function keeps something that no snapshot holds', () =>
    assert.rejects(
      verifyOperator({ operator: inClosure, keySelectors, script: SCRIPT, expect: { output: EXPECTED } }),
      /operator keyed-process, restored before line \d.*: line 3, main: got \[\{"value":"a 1","timestamp":6\}\], without it \[\{"value":"a 2"/,
    ))

  test('is not restored where the test says so', () =>
    verifyOperator({
      operator: inClosure,
      keySelectors,
      script: SCRIPT,
      expect: { output: EXPECTED },
      snapshots: 'off',
    }))

  test('takes over lists that belong to no key', () =>
    verifyOperator({
      operator: { kind: 'process', function: listing as never },
      script: [record(5), record(6), record(7), end],
      expect: { output: [out(1), out(2), out(3), watermarkOut(Infinity)] },
    }))

  test('sends what it sends without, in each way of restoring', async () => {
    const setup = () => ({ operator: inState(), keySelectors, sideOutputTags: [] })
    const whole = await runLined(setup(), SCRIPT)
    const values = (run: typeof whole) =>
      (run.outputs.get('main') ?? []).flatMap(element => ('value' in element ? [element.value] : [])).sort()
    assert.equal(values(whole).length, 9)
    for (let cut = 0; cut < SCRIPT.length; cut++) {
      for (const kind of ['full', 'changes', 'every-line'] as const) {
        const run = await runRestored(setup(), SCRIPT, { kind, cut })
        assert.deepEqual([run.failure, values(run)], [undefined, values(whole)], `${kind} ${cut}`)
      }
      const run = await runRestored(setup(), SCRIPT, { kind: 'rescaled', cut, middle: 64 })
      assert.deepEqual([run.failure, values(run), run.keysHeld], [undefined, values(whole), 2], `rescaled ${cut}`)
    }
  })
})
