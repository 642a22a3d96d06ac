// Apex Malhar's WindowedOperatorTest: early firings that discard, accumulate, and retract; sessions that grow and merge.
import test, { describe } from 'node:test'
import { fieldSelector } from '../../src/model/key.ts'
import type { TriggerSpec } from '../../src/model/trigger-spec.ts'
import type { Accumulation } from '../../src/model/window-spec.ts'
import { verifyOperator } from '../../src/testing/operator-harness.ts'
import {
  end,
  type OutputElement,
  out,
  processingTime,
  retracted,
  stop,
  watermark,
  watermarkOut,
} from '../../src/testing/operator-script.ts'
import { item, windowing } from './support/window-cases-of-systems.ts'

const keySelectors = [fieldSelector('k')]
const EVERY_SECOND: TriggerSpec = {
  kind: 'after-watermark',
  early: { kind: 'continuous-processing-time', intervalMs: 1000 },
}

describe('early firings every 1000 ms: 2 and 3, then 4 and 5', () => {
  const expected: Readonly<Record<Accumulation, readonly OutputElement[]>> = {
    discarding: [out('a [0, 60000) 5', 59_999), out('a [0, 60000) 9', 59_999)],
    accumulating: [out('a [0, 60000) 5', 59_999), out('a [0, 60000) 14', 59_999)],
    retracting: [out('a [0, 60000) 5', 59_999), retracted('a [0, 60000) 5', 59_999), out('a [0, 60000) 14', 59_999)],
  }
  for (const [accumulation, output] of Object.entries(expected)) {
    test(accumulation, () =>
      verifyOperator({
        operator: windowing({
          assigner: { kind: 'tumbling', sizeMs: 60_000, offsetMs: 0 },
          trigger: EVERY_SECOND,
          accumulation: accumulation as Accumulation,
        }),
        keySelectors,
        script: [
          item('a', 2, 100),
          item('a', 3, 200),
          processingTime(1200),
          item('a', 4, 300),
          item('a', 5, 400),
          processingTime(2200),
          stop,
        ],
        expect: { output },
      }),
    )
  }
})

test('late within the allowed lateness is taken (9), later is dropped', () =>
  verifyOperator({
    operator: windowing({
      assigner: { kind: 'tumbling', sizeMs: 1000, offsetMs: 0 },
      allowedLatenessMs: 1000,
    }),
    keySelectors,
    script: [
      item('a', 2, 100),
      item('a', 3, 200),
      watermark(1200),
      item('a', 4, 900),
      watermark(3000),
      item('a', 5, 120),
      end,
    ],
    expect: {
      output: [
        out('a [0, 1000) 5', 999),
        watermarkOut(1200),
        out('a [0, 1000) 9', 999),
        watermarkOut(3000),
        watermarkOut(Infinity),
      ],
      lateRecordsDropped: 1,
    },
  }))

test('sessions of 2000 ms take their results back as they grow and merge', () =>
  verifyOperator({
    operator: windowing({
      assigner: { kind: 'session', gapMs: 2000, touching: 'merge', end: 'after-gap' },
      trigger: { kind: 'repeatedly', trigger: { kind: 'after-count', count: 1 } },
      accumulation: 'retracting',
    }),
    keySelectors,
    script: [item('a', 2, 1100), item('a', 3, 2000), item('a', 4, 5000), item('a', 5, 3500), end],
    expect: {
      output: [
        out('a [1100, 3100) 2', 3099),
        // The session is 2900 ms long now.
        retracted('a [1100, 3100) 2', 3099),
        out('a [1100, 4000) 5', 3999),
        out('a [5000, 7000) 4', 6999),
        // The record at 3500 reaches both: one session of 5900 ms.
        retracted('a [1100, 4000) 5', 3999),
        retracted('a [5000, 7000) 4', 6999),
        out('a [1100, 7000) 14', 6999),
        watermarkOut(Infinity),
      ],
    },
  }))
