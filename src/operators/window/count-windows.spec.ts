// Count windows, with the numbers that Flink's countWindow gives.
import test, { describe } from 'node:test'
import { fieldSelector } from '../../model/key.ts'
import type { OperatorSpec } from '../../model/operator-spec.ts'
import { WINDOW_DEFAULTS, type WindowSpec } from '../../model/window-spec.ts'
import { verifyOperator } from '../../testing/operator-harness.ts'
import { end, out, record, type ScriptStep, watermarkOut } from '../../testing/operator-script.ts'

const keySelectors = [fieldSelector('k')]

function countWindow(rest: Pick<WindowSpec, 'trigger'> & Partial<WindowSpec>): OperatorSpec {
  const window: WindowSpec = {
    ...WINDOW_DEFAULTS,
    timeDomain: 'processing-time',
    assigner: { kind: 'global', restarts: true },
    finalPane: 'never',
    function: {
      kind: 'process',
      function: {
        onWindow: (elements, { key, window }, collector) => {
          const numbers = (elements as readonly { n: number }[]).map(({ n }) => n)
          collector.collect([key, window.start, window.end, numbers])
        },
      },
    },
    ...rest,
  }
  return { kind: 'window', window }
}

/** The newest `size` records, every `slide` records. */
function slidingCount(size: number, slide: number): OperatorSpec {
  return countWindow({
    assigner: { kind: 'global', restarts: false },
    trigger: { kind: 'repeatedly', trigger: { kind: 'after-count', count: slide } },
    evictor: { kind: 'count', count: size, after: false },
  })
}

function numbers(k: string, from: number, to: number): ScriptStep[] {
  return Array.from({ length: to - from + 1 }, (_, i) => record({ k, n: from + i }))
}

function fired(k: string, ...elements: readonly number[]) {
  return out([k, -Infinity, Infinity, elements])
}

describe('count windows', () => {
  test('fire when they are full, per key, and begin anew; what is not full at the end does not fire', () =>
    verifyOperator({
      operator: countWindow({ trigger: { kind: 'after-count', count: 3 } }),
      keySelectors,
      script: [...numbers('a', 1, 2), ...numbers('b', 10, 11), ...numbers('a', 3, 7), ...numbers('b', 12, 12), end],
      expect: { output: [fired('a', 1, 2, 3), fired('a', 4, 5, 6), fired('b', 10, 11, 12), watermarkOut(Infinity)] },
    }))

  test('give the newest timestamp of their records', () =>
    verifyOperator({
      operator: countWindow({ trigger: { kind: 'after-count', count: 2 } }),
      keySelectors,
      script: [record({ k: 'a', n: 1 }, { timestamp: 50 }), record({ k: 'a', n: 2 }, { timestamp: 20 }), end],
      expect: { output: [out(['a', -Infinity, Infinity, [1, 2]], 50), watermarkOut(Infinity)] },
    }))

  test('that slide fire every slide with the newest records: the first ones are not full', () =>
    verifyOperator({
      operator: slidingCount(4, 2),
      keySelectors,
      script: [...numbers('a', 1, 7), end],
      expect: { output: [fired('a', 1, 2), fired('a', 1, 2, 3, 4), fired('a', 3, 4, 5, 6), watermarkOut(Infinity)] },
    }))

  test('that slide by one fire with every record', () =>
    verifyOperator({
      operator: slidingCount(2, 1),
      keySelectors,
      script: [...numbers('a', 1, 3), end],
      expect: { output: [fired('a', 1), fired('a', 1, 2), fired('a', 2, 3), watermarkOut(Infinity)] },
    }))

  test('that slide further than their size leave records out', () =>
    verifyOperator({
      operator: slidingCount(2, 3),
      keySelectors,
      script: [...numbers('a', 1, 6), end],
      expect: { output: [fired('a', 2, 3), fired('a', 5, 6), watermarkOut(Infinity)] },
    }))

  test('that slide aggregate their newest records', () =>
    verifyOperator({
      operator: countWindow({
        assigner: { kind: 'global', restarts: false },
        trigger: { kind: 'repeatedly', trigger: { kind: 'after-count', count: 2 } },
        evictor: { kind: 'count', count: 3, after: false },
        function: {
          kind: 'aggregate',
          aggregate: {
            create: () => 0,
            add: (total: never, record: never) => (total as number) + (record as { n: number }).n,
            merge: () => 0,
            result: total => total,
          },
        },
      }),
      keySelectors,
      script: [...numbers('a', 1, 6), end],
      expect: { output: [out(3), out(9), out(15), watermarkOut(Infinity)] },
    }))

  test('may keep what they are given: later records do not change it', () => {
    const kept: unknown[] = []
    return verifyOperator({
      // A restored function would keep what it is given elsewhere.
      snapshots: 'off',
      operator: () => {
        kept.length = 0
        return countWindow({
          assigner: { kind: 'global', restarts: false },
          trigger: { kind: 'repeatedly', trigger: { kind: 'after-count', count: 1 } },
          evictor: { kind: 'count', count: 2, after: false },
          function: { kind: 'process', function: { onWindow: elements => void kept.push(elements) } },
        })
      },
      keySelectors,
      script: [...numbers('a', 1, 3), end],
      observe: () => kept.map(elements => (elements as { n: number }[]).map(({ n }) => n)),
      expect: { output: [watermarkOut(Infinity)], observed: [[1], [1, 2], [2, 3]] },
    })
  })
})
