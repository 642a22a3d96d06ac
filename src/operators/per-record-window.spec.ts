// Kafka's sliding windows as an operator: what leaves when, stream time, late records, holds, the end, bounds. Kafka's own cases are in
// test/conformance; which windows there are is in src/window/per-record-window.spec.ts.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { fieldSelector } from '../model/key.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import { type PerRecordWindowSpec, perRecordWindowText } from '../model/per-record-window-spec.ts'
import { verifyOperator } from '../testing/operator-harness.ts'
import {
  end,
  type OutputElement,
  out,
  record,
  type ScriptStep,
  stop,
  watermark,
  watermarkOut,
} from '../testing/operator-script.ts'

const keySelectors = [fieldSelector('k')]

/** The ids of a window's records, in the order of arrival. */
const IDS: PerRecordWindowSpec['aggregate'] = {
  create: () => [],
  add: (ids: unknown, row: never) => [...(ids as string[]), (row as { id: string }).id],
  merge: (a: unknown) => a,
  result: (ids: unknown) => (ids as string[]).join(' '),
}

function perRecord(emit: PerRecordWindowSpec['emit'], rest: Partial<PerRecordWindowSpec> = {}): OperatorSpec {
  const window = { timeDifferenceMs: 10, graceMs: 0, emit, recordsMax: 1000, aggregate: IDS, ...rest }
  return { kind: 'per-record-window', window }
}

function at(timestamp: number, id: string, k = 'A'): ScriptStep {
  return record({ k, id }, { timestamp })
}

/** A result of a window from `start`, of 10 ms and the last one. */
function result(start: number, value: string, timestamp: number, key = 'A'): OutputElement {
  return out({ key, window: { start, end: start + 11 }, value }, timestamp)
}

describe('per-record windows on update', () => {
  test('emit every window that a record changed, with the timestamp of its newest record', () =>
    verifyOperator({
      operator: perRecord('on-update', { graceMs: 100 }),
      keySelectors,
      script: [at(100, '1'), at(104, '2'), at(102, '3'), at(104, '4'), end],
      expect: {
        output: [
          result(90, '1', 100),
          result(94, '1 2', 104),
          result(101, '2', 104),
          result(92, '1 3', 102),
          result(94, '1 2 3', 104),
          result(101, '2 3', 104),
          result(103, '2', 104),
          result(94, '1 2 3 4', 104),
          result(101, '2 3 4', 104),
          result(103, '2 4', 104),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('let watermarks pass, which say nothing about their time', () =>
    verifyOperator({
      operator: perRecord('on-update'),
      keySelectors,
      script: [at(100, '1'), watermark(500), at(105, '2'), end],
      expect: {
        output: [
          result(90, '1', 100),
          watermarkOut(500),
          result(95, '1 2', 105),
          result(101, '2', 105),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('before the difference after 0 there is one window from 0', () =>
    verifyOperator({
      operator: perRecord('on-update', { graceMs: 100 }),
      keySelectors,
      script: [at(0, '1'), at(3, '2'), at(-5, '3'), end],
      expect: {
        output: [
          result(0, '1', 0),
          result(0, '1 2', 3),
          result(1, '2', 3),
          result(-15, '3', -5),
          result(-4, '1 2', 3),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('round timestamps down to milliseconds', () =>
    verifyOperator({
      operator: perRecord('on-update'),
      keySelectors,
      script: [at(100.7, '1'), end],
      expect: { output: [result(90, '1', 100), watermarkOut(Infinity)] },
    }))
})

describe('per-record windows on close', () => {
  test('emit once, when stream time has passed the end by more than the grace, whatever the key', () =>
    verifyOperator({
      operator: perRecord('on-close', { graceMs: 5 }),
      keySelectors,
      script: [at(100, '1'), at(103, '2'), at(105, 'x', 'B'), at(98, '3'), at(106, 'y', 'B'), at(120, 'z', 'B'), end],
      expect: {
        output: [
          result(90, '1 3', 100),
          result(93, '1 2 3', 103),
          result(95, 'x', 105, 'B'),
          result(96, 'x y', 106, 'B'),
          result(99, '1 2', 103),
          result(101, '2', 103),
          result(106, 'y', 106, 'B'),
          result(110, 'z', 120, 'B'),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('hold the watermark back behind the windows that are open', () =>
    verifyOperator({
      operator: perRecord('on-close'),
      keySelectors,
      script: [
        watermark(50),
        at(100, '1'),
        watermark(99),
        at(130, '2'),
        watermark(129),
        at(200, '3'),
        watermark(130),
        end,
      ],
      expect: {
        output: [
          watermarkOut(50),
          watermarkOut(89),
          result(90, '1', 100),
          watermarkOut(119),
          result(120, '2', 130),
          watermarkOut(130),
          result(190, '3', 200),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('stay on a stop', () =>
    verifyOperator({
      operator: perRecord('on-close'),
      keySelectors,
      script: [at(100, '1'), at(111, '2'), at(111, '3'), stop],
      expect: { output: [result(90, '1', 100)] },
    }))
})

describe('late records of per-record windows', () => {
  test('are those that no open window takes; stream time moves on before the record', () =>
    verifyOperator({
      operator: perRecord('on-close', { graceMs: 12, lateOutputTag: 'late' }),
      keySelectors,
      script: [at(100, '1'), at(112, '2'), at(100, '3'), at(113, '4', 'B'), at(100, '5'), at(110, '6'), end],
      expect: {
        output: [
          result(90, '1 3', 100),
          result(100, '1 3 6', 110),
          result(101, '6', 110),
          result(102, '2 6', 112),
          result(103, '4', 113, 'B'),
          result(111, '2', 112),
          watermarkOut(Infinity),
        ],
        sideOutputs: { late: [out({ k: 'A', id: '5' }, 100)] },
      },
    }))

  test('are counted where nothing reads them; a window that is open takes them', () =>
    verifyOperator({
      operator: perRecord('on-update'),
      keySelectors,
      script: [at(100, '1'), at(105, '2'), at(96, '3'), at(94, '4'), end],
      expect: {
        output: [
          result(90, '1', 100),
          result(95, '1 2', 105),
          result(101, '2', 105),
          result(95, '1 2 3', 105),
          result(97, '1 2', 105),
          watermarkOut(Infinity),
        ],
        lateRecordsDropped: 1,
      },
    }))

  test('do not open windows of their own for others', () =>
    verifyOperator({
      operator: perRecord('on-update'),
      keySelectors,
      script: [at(100, '1', 'B'), at(80, '2'), at(100, '3'), end],
      expect: {
        output: [result(90, '1', 100, 'B'), result(90, '3', 100), watermarkOut(Infinity)],
        lateRecordsDropped: 1,
      },
    }))
})

describe('a per-record window', () => {
  test('begins anew for a key whose records are gone', () =>
    verifyOperator({
      operator: perRecord('on-update'),
      keySelectors,
      script: [at(100, '1'), at(101, 'x', 'B'), at(105, '2'), at(500, 'y', 'B'), at(501, '3'), at(502, '4'), end],
      expect: {
        output: [
          result(90, '1', 100),
          result(91, 'x', 101, 'B'),
          result(95, '1 2', 105),
          result(101, '2', 105),
          result(490, 'y', 500, 'B'),
          result(491, '3', 501),
          result(492, '3 4', 502),
          result(502, '4', 502),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('keeps no more records of a key than its bound', () =>
    verifyOperator({
      operator: perRecord('on-update', { recordsMax: 2 }),
      keySelectors,
      script: [at(1, '1'), at(50, '2'), at(100, '3'), at(101, '4'), at(102, '5')],
      expect: { failure: { code: 'WINDOW_OVERFLOW', message: /key "A" has 3 records .* 2 may be kept/ } },
    }))

  test('needs timestamps', () =>
    verifyOperator({
      operator: perRecord('on-update'),
      keySelectors,
      script: [record({ k: 'A', id: '1' })],
      expect: { failure: { code: 'TIMESTAMP_MISSING', message: /call assignTimestampsAndWatermarks\(\)/ } },
    }))

  test('says where an aggregation failed', () =>
    verifyOperator({
      operator: perRecord('on-update', {
        aggregate: {
          ...IDS,
          result: () => {
            throw new TypeError('oh')
          },
        },
      }),
      keySelectors,
      script: [at(100, '1')],
      expect: { failure: { code: 'USER_FUNCTION_FAILED', message: /for key "A" in window \[90, 101\)/ } },
    }))

  test('has a text for plans', () => {
    const { window } = perRecord('on-close', { graceMs: 5 }) as Extract<OperatorSpec, { kind: 'per-record-window' }>
    assert.equal(perRecordWindowText(window), 'per-record window 10 ms of stream time, on close, grace 5 ms')
  })
})
