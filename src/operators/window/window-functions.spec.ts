// What functions over windows get, and windows of a calendar, of custom assigners, of both kinds of time, with all timestamps of results.
import test, { describe } from 'node:test'
import type { TimeWindow } from '../../model/functions.ts'
import { fieldSelector } from '../../model/key.ts'
import type { OperatorSpec } from '../../model/operator-spec.ts'
import { value } from '../../model/state.ts'
import type { WindowProcessFunction } from '../../model/window-functions.ts'
import { type AssignerSpec, WINDOW_DEFAULTS, type WindowSpec } from '../../model/window-spec.ts'
import { verifyOperator } from '../../testing/operator-harness.ts'
import {
  end,
  out,
  processingTime,
  record,
  type ScriptStep,
  watermark,
  watermarkOut,
} from '../../testing/operator-script.ts'

interface Numbered {
  readonly k: string
  readonly n: number
}

const keySelectors = [fieldSelector('k')]
const tumbling: AssignerSpec = { kind: 'tumbling', sizeMs: 10, offsetMs: 0 }

/** Says window and numbers: `a [0, 10): 1 2`. */
const apply: WindowProcessFunction<string, Numbered, string> = {
  onWindow: (elements, { key, window }, collector) =>
    collector.collect(`${key} [${window.start}, ${window.end}): ${elements.map(({ n }) => n).join(' ')}`),
}

function windows(assigner: AssignerSpec, rest: Partial<WindowSpec> = {}): OperatorSpec {
  const window: WindowSpec = {
    ...WINDOW_DEFAULTS,
    timeDomain: 'event-time',
    assigner,
    function: { kind: 'process', function: apply as never },
    ...rest,
  }
  return { kind: 'window', window }
}

function at(timestamp: number, k = 'a'): ScriptStep {
  return record({ k, n: timestamp }, { timestamp })
}

describe('a function over windows', () => {
  const state = { fired: value(0) }
  const globalState = { total: value(0) }
  const counting: WindowProcessFunction<string, Numbered, string, TimeWindow, typeof state, typeof globalState> = {
    state,
    globalState,
    onWindow(elements, ctx, collector) {
      ctx.state.fired.set(ctx.state.fired.get() + 1)
      ctx.globalState.total.set(ctx.globalState.total.get() + ctx.added.length)
      const { timing, index, nonSpeculativeIndex, isFirst, isLast } = ctx.pane
      const pane = [timing, index, nonSpeculativeIndex, isFirst ? 'first' : '', isLast ? 'last' : ''].join(' ').trim()
      collector.collect(
        `${ctx.key} ${ctx.window.start}: ${elements.length}, fired ${ctx.state.fired.get()}, total ${ctx.globalState.total.get()}, ${pane}`,
      )
    },
  }

  test('has state of key and window, gone with it, and state of the key that lasts, and knows its pane', () =>
    verifyOperator({
      operator: windows(tumbling, {
        allowedLatenessMs: 10,
        function: { kind: 'process', function: counting as never },
        trigger: {
          kind: 'after-watermark',
          early: { kind: 'after-count', count: 2 },
          late: { kind: 'after-count', count: 1 },
        },
      }),
      keySelectors,
      script: [at(1), at(2), at(3, 'b'), at(4), watermark(9), at(5), at(11), watermark(19), at(12), end],
      expect: {
        output: [
          out('a 0: 2, fired 1, total 2, early 0 -1 first', 9),
          out('a 0: 3, fired 2, total 3, on-time 1 0', 9),
          out('b 0: 1, fired 1, total 1, on-time 0 0 first', 9),
          watermarkOut(9),
          out('a 0: 4, fired 3, total 4, late 2 1', 9),
          out('a 10: 1, fired 1, total 5, on-time 0 0 first', 19),
          watermarkOut(19),
          out('a 10: 2, fired 2, total 6, late 1 1', 19),
          watermarkOut(Infinity),
        ],
      },
    }))
})

describe('an aggregate with a second function', () => {
  test('makes its record of result, key, window and pane', () =>
    verifyOperator({
      operator: windows(tumbling, {
        allowedLatenessMs: 10,
        function: {
          kind: 'aggregate',
          aggregate: {
            create: () => 0,
            add: (total: number, { n }: Numbered) => total + n,
            merge: (a: number, b: number) => a + b,
            result: (total: number) => total,
          } as never,
          project: (total, { key, window, pane }) => ({ total, key, end: window.end, timing: pane.timing }),
        },
      }),
      keySelectors,
      script: [at(1), at(2), watermark(9), at(3), end],
      expect: {
        output: [
          out({ total: 3, key: 'a', end: 10, timing: 'on-time' }, 9),
          watermarkOut(9),
          out({ total: 6, key: 'a', end: 10, timing: 'late' }, 9),
          watermarkOut(Infinity),
        ],
      },
    }))
})

describe('windows by a function', () => {
  const custom = (assign: (record: Numbered, timestampMs: number) => readonly TimeWindow[]): AssignerSpec => ({
    kind: 'custom',
    assigner: { assign: assign as never },
  })

  test('hold records as it says, in none, one or several, and end by their own ends', () =>
    verifyOperator({
      operator: windows(
        custom(({ n }) => {
          if (n === 0) return []
          return [
            { start: 0, end: 5 },
            { start: 0, end: 20 },
          ].filter(window => n < window.end)
        }),
      ),
      keySelectors,
      script: [at(0), at(1), at(7), watermark(4), at(8), watermark(19), at(3), end],
      expect: {
        output: [
          out('a [0, 5): 1', 4),
          watermarkOut(4),
          out('a [0, 20): 1 7 8', 19),
          watermarkOut(19),
          watermarkOut(Infinity),
        ],
        lateRecordsDropped: 1,
      },
    }))

  test('merge by a second one: the window that they become holds the records of all, in the order of windows', () =>
    verifyOperator({
      operator: windows({
        kind: 'custom',
        assigner: {
          assign: ((_record: Numbered, timestampMs: number) => [{ start: timestampMs, end: timestampMs + 5 }]) as never,
          merge: all => {
            const start = Math.min(...all.map(window => window.start))
            const end = Math.max(...all.map(window => window.end))
            return end - start <= 20 ? [{ merged: all, into: { start, end } }] : []
          },
        },
      }),
      keySelectors,
      script: [at(1), at(12), at(6), at(40), at(1, 'b'), watermark(5), end],
      expect: {
        output: [
          out('b [1, 6): 1', 5),
          watermarkOut(5),
          out('a [1, 17): 1 12 6', 16),
          out('a [40, 45): 40', 44),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('are refused when they are none, with the step and the record', () =>
    verifyOperator({
      operator: windows(custom(() => [{ start: 5, end: 5 }])),
      keySelectors,
      script: [at(1), end],
      expect: {
        failure: { code: 'USER_FUNCTION_RESULT', message: /step.*the assigner returned .*start < end, \[\] for none/s },
      },
    }))
})

describe('windows of a calendar', () => {
  test('follow the days of a time zone: the day summer time begins in Berlin has 23 hours', () => {
    const hour = 3_600_000
    // 2024-03-31 00:00 in Berlin (UTC+1) is 2024-03-30T23:00Z; the next midnight (UTC+2) is 22:00Z.
    const start = Date.UTC(2024, 2, 30, 23)
    const next = start + 23 * hour
    return verifyOperator({
      operator: windows({
        kind: 'calendar',
        calendar: { unit: 'days', count: 1, timeZone: 'Europe/Berlin' },
      }),
      keySelectors,
      script: [at(start), at(next - 1), at(next), watermark(next - 2), watermark(next - 1), end],
      expect: {
        output: [
          watermarkOut(next - 2),
          out(`a [${start}, ${next}): ${start} ${next - 1}`, next - 1),
          watermarkOut(next - 1),
          out(`a [${next}, ${next + 24 * hour}): ${next}`, next + 24 * hour - 1),
          watermarkOut(Infinity),
        ],
      },
    })
  })
})

describe('the timestamp of results', () => {
  const records = [at(7), at(3), at(5)]

  test('by the earliest record holds the watermark below it until the pane left', () =>
    verifyOperator({
      operator: windows(tumbling, { timestampCombiner: 'earliest' }),
      keySelectors,
      script: [watermark(0), ...records, watermark(6), watermark(9), end],
      expect: {
        output: [watermarkOut(0), watermarkOut(2), out('a [0, 10): 7 3 5', 3), watermarkOut(9), watermarkOut(Infinity)],
      },
    }))

  test('by the latest record does too', () =>
    verifyOperator({
      operator: windows(tumbling, { timestampCombiner: 'latest' }),
      keySelectors,
      script: [watermark(0), ...records, watermark(8), watermark(9), end],
      expect: {
        output: [watermarkOut(0), watermarkOut(6), out('a [0, 10): 7 3 5', 7), watermarkOut(9), watermarkOut(Infinity)],
      },
    }))

  test('by the end of the window holds nothing', () =>
    verifyOperator({
      operator: windows(tumbling),
      keySelectors,
      script: [watermark(0), ...records, watermark(8), watermark(9), end],
      expect: {
        output: [watermarkOut(0), watermarkOut(8), out('a [0, 10): 7 3 5', 9), watermarkOut(9), watermarkOut(Infinity)],
      },
    }))
})

describe('windows of processing time', () => {
  test('emit early so long after the first record of a pane, then at their end by the clock', () =>
    verifyOperator({
      operator: windows(
        { kind: 'tumbling', sizeMs: 100, offsetMs: 0 },
        {
          timeDomain: 'processing-time',
          trigger: { kind: 'after-watermark', early: { kind: 'after-processing-time', delayMs: 10 } },
        },
      ),
      keySelectors,
      startMs: 5,
      script: [
        at(1),
        processingTime(8),
        at(2),
        processingTime(15),
        at(3),
        processingTime(99),
        processingTime(100),
        end,
      ],
      expect: {
        output: [
          out('a [0, 100): 1 2', 99),
          out('a [0, 100): 1 2 3', 99),
          out('a [0, 100): 1 2 3', 99),
          watermarkOut(Infinity),
        ],
      },
    }))
})

describe('a function that throws', () => {
  const throwing = {
    create: () => 0,
    add: (total: number, { n }: Numbered) => total + n,
    merge: () => {
      throw new Error('out of ink')
    },
    result: (total: number) => total,
  }

  test('as windows merge fails the job as the failure of the step that it is', () =>
    verifyOperator({
      operator: windows(
        { kind: 'session', gapMs: 10, touching: 'merge', end: 'after-gap' },
        { function: { kind: 'aggregate', aggregate: throwing as never } },
      ),
      keySelectors,
      script: [at(1), at(15), at(8), end],
      expect: {
        failure: {
          code: 'USER_FUNCTION_FAILED',
          message: /step "step": its function threw for key "?a"? in window .*out of ink/s,
        },
      },
    }))
})
