import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { fieldSelector } from '../model/key.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import type { EvictorContext, TimestampedElement } from '../model/window-functions.ts'
import { type EvictorSpec, WINDOW_DEFAULTS, type WindowSpec } from '../model/window-spec.ts'
import { verifyOperator } from '../testing/operator-harness.ts'
import { end, out, record, type ScriptStep, watermark, watermarkOut } from '../testing/operator-script.ts'
import { evictors } from './evictors.ts'

const keySelectors = [fieldSelector('k')]
const NOBODY = {} as EvictorContext

function kept(spec: EvictorSpec, elements: readonly (readonly [number, number])[]): unknown {
  const { before, after } = evictors(spec)
  const keep = before ?? after
  return keep?.(
    elements.map(([value, timestamp]) => ({ value, timestamp })),
    NOBODY,
  ).map(({ value }) => value)
}

describe('an evictor', () => {
  test('by count keeps the last to arrive', () => {
    const count = { kind: 'count', count: 2, after: false } as const
    assert.deepEqual(
      kept(count, [
        [1, 30],
        [2, 20],
        [3, 10],
      ]),
      [2, 3],
    )
    assert.deepEqual(kept(count, [[1, 30]]), [1])
    assert.deepEqual(kept(count, []), [])
  })

  test('by time keeps what is less than so long before the newest in time, wherever it came', () => {
    const time = { kind: 'time', keepMs: 10, after: false } as const
    assert.deepEqual(
      kept(time, [
        [1, 30],
        [2, 20],
        [3, 21],
        [4, 5],
      ]),
      [1, 3],
    )
    assert.deepEqual(kept(time, []), [])
  })

  test('by delta keeps what differs by less than the threshold from the last to arrive', () => {
    const delta = (from: number, to: number): number => Math.abs(from - to)
    const spec = { kind: 'delta', threshold: 3, delta: delta as never, after: false } as const
    assert.deepEqual(
      kept(spec, [
        [1, 1],
        [2, 2],
        [3, 3],
        [6, 4],
        [4, 5],
      ]),
      [2, 3, 6, 4],
    )
    assert.deepEqual(kept(spec, []), [])
  })

  test('works before the function or after it', () => {
    const before = evictors({ kind: 'count', count: 1, after: false })
    const after = evictors({ kind: 'count', count: 1, after: true })
    assert.deepEqual([typeof before.before, typeof before.after], ['function', 'undefined'])
    assert.deepEqual([typeof after.before, typeof after.after], ['undefined', 'function'])
  })
})

/** Panes every second record, each as `elements | added | expired`. */
function panes(evictor: EvictorSpec, rest: Partial<WindowSpec> = {}): OperatorSpec {
  const text = (elements: readonly unknown[]): string =>
    (elements as readonly { n: number }[]).map(({ n }) => n).join(' ')
  const window: WindowSpec = {
    ...WINDOW_DEFAULTS,
    timeDomain: 'event-time',
    assigner: { kind: 'tumbling', sizeMs: 100, offsetMs: 0 },
    trigger: { kind: 'repeatedly', trigger: { kind: 'after-count', count: 2 } },
    finalPane: 'never',
    evictor,
    function: {
      kind: 'process',
      function: {
        onWindow: (elements, { added, expired }, collector) =>
          collector.collect([text(elements), text(added), text(expired)].join(' | ')),
      },
    },
    ...rest,
  }
  return { kind: 'window', window }
}

function numbers(...ns: readonly number[]): ScriptStep[] {
  return ns.map(n => record({ k: 'a', n }, { timestamp: n }))
}

describe('panes behind an evictor', () => {
  test('have lost what it took out before the function, which is told', () =>
    verifyOperator({
      operator: panes({ kind: 'count', count: 3, after: false }),
      keySelectors,
      script: [...numbers(1, 2, 3, 4, 5, 6), end],
      expect: {
        output: [
          out('1 2 | 1 2 | ', 99),
          out('2 3 4 | 3 4 | 1', 99),
          out('4 5 6 | 5 6 | 2 3', 99),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('show what it takes out after the function once more, and tell in the next one that it went', () =>
    verifyOperator({
      operator: panes({ kind: 'count', count: 1, after: true }),
      keySelectors,
      script: [...numbers(1, 2, 3, 4, 5, 6), end],
      expect: {
        output: [
          out('1 2 | 1 2 | ', 99),
          out('2 3 4 | 3 4 | 1', 99),
          out('4 5 6 | 5 6 | 2 3', 99),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('by time and by delta go by timestamps and by values', async () => {
    const delta = (from: { n: number }, to: { n: number }): number => Math.abs(from.n - to.n)
    const script = [...numbers(1, 2, 10, 4), end]
    await verifyOperator({
      operator: panes({ kind: 'time', keepMs: 8, after: false }),
      keySelectors,
      script,
      expect: { output: [out('1 2 | 1 2 | ', 99), out('10 4 | 10 4 | 1 2', 99), watermarkOut(Infinity)] },
    })
    await verifyOperator({
      operator: panes({ kind: 'delta', threshold: 3, delta: delta as never, after: false }),
      keySelectors,
      script,
      expect: { output: [out('1 2 | 1 2 | ', 99), out('2 4 | 4 | 1 10', 99), watermarkOut(Infinity)] },
    })
  })

  test('of a custom evictor: it sees window, watermark, values and timestamps, before and after, with its own this', () => {
    const seen: string[] = []
    class Odd {
      private readonly modulus = 2
      before(elements: readonly TimestampedElement<{ n: number }>[], ctx: EvictorContext) {
        seen.push(
          `before ${ctx.window.start}-${ctx.window.end} ${elements.map(({ timestamp }) => timestamp).join(' ')}`,
        )
        return elements.filter(({ value }) => value.n % this.modulus === 1)
      }
      after(elements: readonly TimestampedElement<{ n: number }>[], ctx: EvictorContext) {
        seen.push(`after at ${ctx.currentWatermark()}, ${ctx.currentProcessingTime()}`)
        return elements.slice(this.modulus)
      }
    }
    return verifyOperator({
      operator: () => {
        seen.length = 0
        return panes({ kind: 'custom', evictor: new Odd() as never }, { trigger: { kind: 'on-window-end' } })
      },
      keySelectors,
      script: [...numbers(1, 2, 3, 5), watermark(99), end],
      startMs: 7,
      observe: () => seen,
      expect: {
        output: [out('1 3 5 | 1 3 5 | 2', 99), watermarkOut(99), watermarkOut(Infinity)],
        observed: ['before 0-100 1 2 3 5', 'after at 99, 7'],
      },
    })
  })

  test('leave an aggregate with nothing without a result where it needs records', () =>
    verifyOperator({
      operator: panes(
        { kind: 'custom', evictor: { before: () => [] } },
        {
          function: {
            kind: 'aggregate',
            aggregate: {
              needsRecords: true,
              create: () => 0,
              add: (total: number) => total + 1,
              merge: (a: number, b: number) => a + b,
              result: (total: number) => total,
            } as never,
          },
        },
      ),
      keySelectors,
      script: [...numbers(1, 2), end],
      expect: { output: [watermarkOut(Infinity)] },
    }))
})
