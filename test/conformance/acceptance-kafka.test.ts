// Kafka Streams' SuppressScenarioTest: raw updates and final results of windows and sessions in stream time, number by number.
import test, { describe } from 'node:test'
import { fieldSelector } from '../../src/model/key.ts'
import type { OperatorSpec } from '../../src/model/operator-spec.ts'
import type { TriggerSpec } from '../../src/model/trigger-spec.ts'
import type { WindowSpec } from '../../src/model/window-spec.ts'
import { verifyOperator } from '../../src/testing/operator-harness.ts'
import { out, retracted } from '../../src/testing/operator-script.ts'
import { item, windowing } from './support/window-cases-of-systems.ts'

const keySelectors = [fieldSelector('k')]
const ON_UPDATE: TriggerSpec = { kind: 'repeatedly', trigger: { kind: 'after-count', count: 1 } }
const ON_CLOSE: TriggerSpec = { kind: 'never' }
const records = (...timestamps: readonly number[]) => timestamps.map(timestamp => item('k1', 1, timestamp))

describe('shouldSupportFinalResultsForTimeWindows: windows of 2 ms, grace 1 ms', () => {
  const windows = (trigger: TriggerSpec): OperatorSpec =>
    windowing({
      timeDomain: 'stream-time',
      assigner: { kind: 'tumbling', sizeMs: 2, offsetMs: 0 },
      allowedLatenessMs: 1,
      trigger,
    })
  const script = records(0, 1, 2, 1, 0, 5, 0)

  test('raw: every update, and the last record is dropped', () =>
    verifyOperator({
      operator: windows(ON_UPDATE),
      keySelectors,
      script,
      expect: {
        output: [
          out('k1 [0, 2) 1', 1),
          out('k1 [0, 2) 2', 1),
          out('k1 [2, 4) 1', 3),
          out('k1 [0, 2) 3', 1),
          out('k1 [0, 2) 4', 1),
          out('k1 [4, 6) 1', 5),
        ],
        lateRecordsDropped: 1,
      },
    }))

  test('suppressed: one result for each window that closed', () =>
    verifyOperator({
      operator: windows(ON_CLOSE),
      keySelectors,
      script,
      expect: { output: [out('k1 [0, 2) 4', 1), out('k1 [2, 4) 1', 3)], lateRecordsDropped: 1 },
    }))
})

describe('shouldSupportFinalResultsForSessionWindows: gap 5 ms, no grace; sessions end at their last record', () => {
  const sessions = (change: Partial<WindowSpec>): OperatorSpec =>
    windowing({
      timeDomain: 'stream-time',
      assigner: { kind: 'session', gapMs: 5, touching: 'merge', end: 'last-record' },
      ...change,
    })
  // Another key moves stream time, as in the scenario.
  const script = [
    item('k1', 1, 0),
    item('k1', 1, 5),
    item('k2', 1, 0),
    item('k2', 1, 6),
    item('k1', 1, 1),
    item('k1', 1, 30),
  ]

  test('raw: a session that grows leaves a tombstone for what it was', () =>
    verifyOperator({
      operator: sessions({ trigger: ON_UPDATE, mergedPanes: 'retract' }),
      keySelectors,
      script,
      expect: {
        output: [
          out('k1 [0, 0) 1', 0),
          retracted('k1 [0, 0) 1', 0),
          out('k1 [0, 5) 2', 5),
          out('k2 [0, 0) 1', 0),
          // Exactly a gap apart would be one session; 6 ms are two.
          out('k2 [6, 6) 1', 6),
          out('k1 [0, 5) 3', 5),
          out('k1 [30, 30) 1', 30),
        ],
      },
    }))

  test('suppressed: each session once, when stream time is more than a gap past its end', () =>
    verifyOperator({
      operator: sessions({ trigger: ON_CLOSE }),
      keySelectors,
      script,
      expect: { output: [out('k2 [0, 0) 1', 0), out('k1 [0, 5) 3', 5), out('k2 [6, 6) 1', 6)] },
    }))
})
