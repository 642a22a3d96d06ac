// What becomes of records that are too late for all their windows, and of records in windows that go by the time of the stream.
import test, { describe } from 'node:test'
import { fieldSelector } from '../../model/key.ts'
import type { OperatorSpec } from '../../model/operator-spec.ts'
import { type AssignerSpec, WINDOW_DEFAULTS, type WindowSpec } from '../../model/window-spec.ts'
import { verifyOperator } from '../../testing/operator-harness.ts'
import {
  end,
  type OutputElement,
  out,
  processingTime,
  record,
  type ScriptStep,
  watermark,
  watermarkOut,
} from '../../testing/operator-script.ts'

const keySelectors = [fieldSelector('k')]
const tumbling: AssignerSpec = { kind: 'tumbling', sizeMs: 10, offsetMs: 0 }
const sliding: AssignerSpec = { kind: 'sliding', sizeMs: 10, slideMs: 5, offsetMs: 0 }
const session: AssignerSpec = { kind: 'session', gapMs: 10, touching: 'merge', end: 'after-gap' }

/** Sums with their window: `[0, 10) 3`. */
function sums(rest: Pick<WindowSpec, 'assigner'> & Partial<WindowSpec>): OperatorSpec {
  const window: WindowSpec = {
    ...WINDOW_DEFAULTS,
    timeDomain: 'event-time',
    function: {
      kind: 'aggregate',
      aggregate: {
        create: () => 0,
        add: (total: number, { n }: { n: number }) => total + n,
        merge: (a: number, b: number) => a + b,
        result: (total: number) => total,
      } as never,
      project: (total: never, { window: { start, end } }) => `[${start}, ${end}) ${String(total)}`,
    },
    ...rest,
  }
  return { kind: 'window', window }
}

function at(timestamp: number, n = 1, k = 'a'): ScriptStep {
  return record({ k, n }, { timestamp })
}

function details(timestamp: number, start: number, end: number, latenessMs: number): OutputElement {
  return out({ record: { k: 'a', n: 1 }, timestamp, window: { start, end }, latenessMs }, timestamp)
}

const ENDS: OutputElement[] = [watermarkOut(30), watermarkOut(Infinity)]

describe('a late record', () => {
  for (const [name, assigner] of Object.entries({ tumbling, sliding, session })) {
    test(`is counted as dropped unless told otherwise (${name})`, () =>
      verifyOperator({
        operator: sums({ assigner }),
        keySelectors,
        script: [watermark(30), at(3), at(4), end],
        expect: { output: ENDS, lateRecordsDropped: 2 },
      }))

    test(`goes to the side output as it is, with its timestamp, and is not dropped (${name})`, () =>
      verifyOperator({
        operator: sums({ assigner, lateOutputTag: 'late' }),
        keySelectors,
        script: [watermark(30), at(3), end],
        expect: { output: ENDS, sideOutputs: { late: [out({ k: 'a', n: 1 }, 3)] } },
      }))
  }

  test('goes to the other side output with its newest window and how far that was passed', async () => {
    const late = (assigner: AssignerSpec, ...elements: readonly OutputElement[]) =>
      verifyOperator({
        operator: sums({ assigner, lateDetailsTag: 'details' }),
        keySelectors,
        script: [watermark(30), at(3), at(9), end],
        expect: { output: ENDS, sideOutputs: { details: elements } },
      })
    await late(tumbling, details(3, 0, 10, 21), details(9, 0, 10, 21))
    await late(sliding, details(3, 0, 10, 21), details(9, 5, 15, 16))
    await late(session, details(3, 3, 13, 18), details(9, 9, 19, 12))
  })

  test('may go to both', () =>
    verifyOperator({
      operator: sums({ assigner: tumbling, lateOutputTag: 'late', lateDetailsTag: 'details' }),
      keySelectors,
      script: [watermark(30), at(3), end],
      expect: { output: ENDS, sideOutputs: { late: [out({ k: 'a', n: 1 }, 3)], details: [details(3, 0, 10, 21)] } },
    }))

  test('fails the job where told so, with what it is and by how much it was late', async () => {
    for (const assigner of [tumbling, { ...sliding, slideMs: 10 }, sliding] as const)
      await verifyOperator({
        operator: sums({ assigner, lateRecords: 'fail' }),
        keySelectors,
        script: [watermark(30), at(3), end],
        expect: {
          failure: {
            code: 'RECORD_LATE',
            message:
              /step.*record .*"n":1.* at 3 came 21 ms after the end of its window \[0, 10\).*sideOutputLateData\(\)/s,
          },
        },
      })
  })

  test('does not fail the job where a side output takes it', () =>
    verifyOperator({
      operator: sums({ assigner: tumbling, lateRecords: 'fail', lateOutputTag: 'late' }),
      keySelectors,
      script: [watermark(30), at(3), end],
      expect: { output: ENDS, sideOutputs: { late: [out({ k: 'a', n: 1 }, 3)] } },
    }))

  test('is none as long as one of its windows is open, and one when the lateness is over to the millisecond', () =>
    verifyOperator({
      operator: sums({ assigner: sliding, allowedLatenessMs: 5 }),
      keySelectors,
      script: [watermark(18), at(9), watermark(19), at(8), end],
      expect: {
        // [0, 10) is closed from 14 on, [5, 15) takes records until 19 is reached.
        output: [watermarkOut(18), out('[5, 15) 1', 14), watermarkOut(19), watermarkOut(Infinity)],
        lateRecordsDropped: 1,
      },
    }))
})

describe('windows of stream time', () => {
  test('end by the greatest timestamp seen, whatever its key, before the record that shows it', () =>
    verifyOperator({
      operator: sums({ assigner: tumbling, timeDomain: 'stream-time' }),
      keySelectors,
      script: [at(1), at(9), at(10, 5, 'b'), at(3), at(20, 7), end],
      expect: {
        output: [out('[0, 10) 2', 9), out('[10, 20) 5', 19), out('[20, 30) 7', 29), watermarkOut(Infinity)],
        lateRecordsDropped: 1,
      },
    }))

  test('do not go by watermarks or by the clock, and take late records within the lateness', () =>
    verifyOperator({
      operator: sums({ assigner: tumbling, timeDomain: 'stream-time', allowedLatenessMs: 5 }),
      keySelectors,
      script: [at(1), watermark(500), at(2), processingTime(1000), at(12), at(3), at(15, 2), at(4), end],
      expect: {
        output: [
          watermarkOut(500),
          out('[0, 10) 2', 9),
          out('[0, 10) 3', 9),
          out('[10, 20) 3', 19),
          watermarkOut(Infinity),
        ],
        lateRecordsDropped: 1,
      },
    }))

  test('need timestamps', () =>
    verifyOperator({
      operator: sums({ assigner: tumbling, timeDomain: 'stream-time' }),
      keySelectors,
      script: [record({ k: 'a', n: 1 }), end],
      expect: { failure: { code: 'TIMESTAMP_MISSING', message: /has no timestamp.*assignTimestampsAndWatermarks/s } },
    }))
})
