// Storm's windows as an operator: all four mixes in both kinds of time, late records, lag, the end of input, bounds. The acceptance case of Storm is in
// test/conformance; what a window holds is in src/window/mixed-window.spec.ts.

import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { fieldSelector } from '../model/key.ts'
import {
  type MixedExtent,
  type MixedWindow,
  type MixedWindowSpec,
  mixedWindowText,
} from '../model/mixed-window-spec.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import { verifyOperator } from '../testing/operator-harness.ts'
import {
  end,
  out,
  processingTime,
  record,
  type ScriptStep,
  stop,
  watermark,
  watermarkOut,
} from '../testing/operator-script.ts'

const keySelectors = [fieldSelector('k')]

interface Row {
  readonly k: string
  readonly n: number
}

function numbers(rows: readonly Row[]): string {
  return rows.map(({ n }) => n).join(' ')
}

/** Says key, bounds and lists: `a (0, 10]: 1 2, added 2, expired`. */
const PROCESS: MixedWindowSpec['function'] = {
  kind: 'process',
  process: (key, window, collector) => {
    const { elements, added, expired, start, end } = window as MixedWindow<Row>
    const lists = `${numbers(elements)}, added ${numbers(added)}, expired ${numbers(expired)}`
    collector.collect(`${String(key)} (${start}, ${end}]: ${lists}`.replaceAll(/ (?=,|$)/g, ''))
  },
}

const SUM: MixedWindowSpec['function'] = {
  kind: 'aggregate',
  aggregate: {
    create: () => 0,
    add: (total: unknown, row: never) => (total as number) + (row as Row).n,
    merge: (a: unknown) => a,
    result: (total: unknown) => total,
  },
}

function count(records: number): MixedExtent {
  return { kind: 'records', count: records }
}

function time(durationMs: number): MixedExtent {
  return { kind: 'time', durationMs }
}

function mixed(length: MixedExtent, slide: MixedExtent, rest: Partial<MixedWindowSpec> = {}): OperatorSpec {
  const common = { timeDomain: 'event-time', lagMs: 0, recordsMax: 1000, function: PROCESS } as const
  return { kind: 'mixed-window', window: { ...common, length, slide, ...rest } }
}

/** A record of key a whose number is its timestamp. */
function at(timestamp: number, k = 'a'): ScriptStep {
  return record({ k, n: timestamp }, { timestamp })
}

/** A record of key a without a timestamp. */
function untimed(n: number, k = 'a'): ScriptStep {
  return record({ k, n })
}

describe('mixed windows of event time', () => {
  test('time by time: from the first record rounded up to the slide, over gaps, key by key in the order of their ends', () =>
    verifyOperator({
      operator: mixed(time(20), time(10)),
      keySelectors,
      script: [at(3), at(8, 'b'), at(12), at(55), watermark(29), watermark(30), end],
      expect: {
        output: [
          out('a (-10, 10]: 3, added 3, expired', 10),
          out('b (-10, 10]: 8, added 8, expired', 10),
          out('a (0, 20]: 3 12, added 12, expired', 20),
          out('b (0, 20]: 8, added, expired', 20),
          watermarkOut(29),
          out('a (10, 30]: 12, added, expired 3', 30),
          watermarkOut(30),
          out('a (40, 60]: 55, added 55, expired', 60),
          out('a (50, 70]: 55, added, expired', 70),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('records by records: the newest so many in the order of time', () =>
    verifyOperator({
      operator: mixed(count(3), count(2)),
      keySelectors,
      script: [at(5), at(3), at(4), at(9), at(7), watermark(6), watermark(8), end],
      expect: {
        output: [
          out('a (-Infinity, 4]: 3 4, added 3 4, expired', 4),
          watermarkOut(6),
          out('a (-Infinity, 7]: 4 5 7, added 5 7, expired 3', 7),
          watermarkOut(8),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('records by time: the newest so many at the end of each slide', () =>
    verifyOperator({
      operator: mixed(count(2), time(10)),
      keySelectors,
      script: [at(1), at(2), at(3), at(25), watermark(20), end],
      expect: {
        output: [
          out('a (-Infinity, 10]: 2 3, added 2 3, expired 1', 10),
          out('a (-Infinity, 20]: 2 3, added, expired', 20),
          watermarkOut(20),
          out('a (-Infinity, 30]: 3 25, added 25, expired 2', 30),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('time by records: the time before each n-th record', () =>
    verifyOperator({
      operator: mixed(time(10), count(2)),
      keySelectors,
      script: [at(1), at(8), at(14), at(15), at(40), watermark(100), end],
      expect: {
        output: [
          out('a (-2, 8]: 1 8, added 1 8, expired', 8),
          out('a (5, 15]: 8 14 15, added 14 15, expired 1', 15),
          watermarkOut(100),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('take late what is at or below the watermark, even where a window is still to come', () =>
    verifyOperator({
      operator: mixed(time(20), time(10), { lateOutputTag: 'late' }),
      keySelectors,
      script: [at(3), watermark(5), at(5), at(6), end],
      expect: {
        output: [
          watermarkOut(5),
          out('a (-10, 10]: 3 6, added 3 6, expired', 10),
          out('a (0, 20]: 3 6, added, expired', 20),
          watermarkOut(Infinity),
        ],
        sideOutputs: { late: [out({ k: 'a', n: 5 }, 5)] },
      },
    }))

  test('count late records that nothing reads', () =>
    verifyOperator({
      operator: mixed(count(1), count(1)),
      keySelectors,
      script: [watermark(5), at(5), at(4), end],
      expect: { output: [watermarkOut(5), watermarkOut(Infinity)], lateRecordsDropped: 2 },
    }))

  test('with a lag stay behind the watermark, and hold it back for what follows', () =>
    verifyOperator({
      operator: mixed(time(10), time(10), { lagMs: 5 }),
      keySelectors,
      script: [at(3), watermark(14), at(10), watermark(15), at(10), end],
      expect: {
        output: [
          watermarkOut(9),
          out('a (0, 10]: 3 10, added 3 10, expired', 10),
          watermarkOut(10),
          watermarkOut(Infinity),
        ],
        lateRecordsDropped: 1,
      },
    }))

  test('let an aggregation see the elements', () =>
    verifyOperator({
      operator: mixed(count(2), count(1), { function: SUM }),
      keySelectors,
      script: [at(1), at(2), at(3), end],
      expect: { output: [out(1, 1), out(3, 2), out(5, 3), watermarkOut(Infinity)] },
    }))

  test('do not fire on a stop', () =>
    verifyOperator({
      operator: mixed(time(10), time(10)),
      keySelectors,
      script: [at(3), watermark(9), stop],
      expect: { output: [watermarkOut(9)] },
    }))

  test('need timestamps', () =>
    verifyOperator({
      operator: mixed(count(1), count(1)),
      keySelectors,
      script: [untimed(1)],
      expect: { failure: { code: 'TIMESTAMP_MISSING', message: /call assignTimestampsAndWatermarks\(\)/ } },
    }))
})

describe('mixed windows of processing time', () => {
  test('records by records leave with the record that completes them', () =>
    verifyOperator({
      operator: mixed(count(3), count(2), { timeDomain: 'processing-time' }),
      keySelectors,
      startMs: 100,
      script: [at(5), untimed(2), untimed(3), at(7), untimed(9), watermark(50), end],
      expect: {
        output: [
          out('a (-Infinity, 100]: 5 2, added 5 2, expired'),
          out('a (-Infinity, 100]: 2 3 7, added 3 7, expired 5', 7),
          watermarkOut(50),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('time by records hold what came in that time before the record', () =>
    verifyOperator({
      operator: mixed(time(10), count(2), { timeDomain: 'processing-time' }),
      keySelectors,
      script: [untimed(1), processingTime(9), untimed(2), untimed(3), processingTime(10), untimed(4), end],
      expect: {
        output: [
          out('a (-1, 9]: 1 2, added 1 2, expired'),
          out('a (0, 10]: 2 3 4, added 3 4, expired 1'),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('time by time fire when the last millisecond is over', () =>
    verifyOperator({
      operator: mixed(time(20), time(10), { timeDomain: 'processing-time' }),
      keySelectors,
      startMs: 3,
      script: [untimed(1), processingTime(10), untimed(2), processingTime(11), untimed(3), processingTime(31), end],
      expect: {
        output: [
          out('a (-10, 10]: 1 2, added 1 2, expired', 10),
          out('a (0, 20]: 1 2 3, added 3, expired', 20),
          out('a (10, 30]: 3, added, expired 1 2', 30),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('records by time repeat with each slide, and end with the last record', () =>
    verifyOperator({
      operator: mixed(count(2), time(10), { timeDomain: 'processing-time' }),
      keySelectors,
      startMs: 1,
      script: [untimed(1), processingTime(21), untimed(2), end],
      expect: {
        output: [
          out('a (-Infinity, 10]: 1, added 1, expired', 10),
          out('a (-Infinity, 20]: 1, added, expired', 20),
          out('a (-Infinity, 30]: 1 2, added 2, expired', 30),
          watermarkOut(Infinity),
        ],
      },
    }))
})

describe('a mixed window', () => {
  test('keeps no more records of a key than its bound', () =>
    verifyOperator({
      operator: mixed(time(100), time(100), { recordsMax: 2 }),
      keySelectors,
      script: [at(1), at(2), at(3, 'b'), at(3)],
      expect: { failure: { code: 'WINDOW_OVERFLOW', message: /key "a" has 3 records .* 2 may be kept.*recordsMax/ } },
    }))

  test('says where a function failed', () =>
    verifyOperator({
      operator: mixed(time(10), time(10), {
        function: {
          kind: 'process',
          process: () => {
            throw new TypeError('oh')
          },
        },
      }),
      keySelectors,
      script: [at(1), watermark(10)],
      expect: { failure: { code: 'USER_FUNCTION_FAILED', message: /for key "a" in window \(0, 10\]/ } },
    }))

  test('has a text for plans', () => {
    const { window } = mixed(count(5), time(10), { lagMs: 3 }) as Extract<OperatorSpec, { kind: 'mixed-window' }>
    assert.equal(mixedWindowText(window), 'mixed window of 5 records every 10 ms, event time, lag 3 ms')
    const other: MixedWindowSpec = {
      ...window,
      timeDomain: 'processing-time',
      length: time(20),
      slide: count(2),
      lagMs: 0,
    }
    assert.equal(mixedWindowText(other), 'mixed window of 20 ms every 2 records, processing time')
  })
})
