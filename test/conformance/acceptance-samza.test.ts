// Samza's TestWindowOperator by a manual clock: keyed sessions in processing time, accumulation, triggers in triggers, the end of the stream.
import test, { describe } from 'node:test'
import { fieldSelector } from '../../src/model/key.ts'
import type { TriggerSpec } from '../../src/model/trigger-spec.ts'
import type { WindowSpec } from '../../src/model/window-spec.ts'
import { verifyOperator } from '../../src/testing/operator-harness.ts'
import {
  end,
  type OutputElement,
  out,
  processingTime,
  record,
  watermarkOut,
} from '../../src/testing/operator-script.ts'
import { valuesText, windowing } from './support/window-cases-of-systems.ts'

const keySelectors = [fieldSelector('k')]
const message = (k: string, v = 1) => record({ k, v })
const sessions = (change: Partial<WindowSpec> = {}) =>
  windowing({
    timeDomain: 'processing-time',
    assigner: { kind: 'session', gapMs: 500, touching: 'merge', end: 'after-gap' },
    function: valuesText,
    ...change,
  })

/** Of windows of processing time the timestamps follow from their bounds. */
const pane = (text: string): OutputElement => out(text, Number(/, (\d+)\)/.exec(text)?.[1]) - 1)

test('sessions of 500 ms: panes 1, 1001, 1001 and 2001', () =>
  verifyOperator({
    operator: sessions(),
    keySelectors,
    startMs: 1,
    script: [
      message('1'),
      message('1'),
      processingTime(1001),
      message('2'),
      message('2'),
      message('3'),
      message('3'),
      processingTime(2001),
      message('2'),
      message('2'),
      processingTime(3001),
    ],
    expect: {
      output: [
        pane('1 [1, 501) on-time last: 1 1'),
        pane('2 [1001, 1501) on-time last: 1 1'),
        pane('3 [1001, 1501) on-time last: 1 1'),
        pane('2 [2001, 2501) on-time last: 1 1'),
      ],
    },
  }))

describe('an early trigger of two messages in a session', () => {
  const early: TriggerSpec = { kind: 'after-watermark', early: { kind: 'after-count', count: 2 } }
  const script = [
    message('1', 1),
    message('1', 2),
    message('1', 3),
    message('1', 4),
    message('1', 5),
    processingTime(700),
  ]

  test('discarding', () =>
    verifyOperator({
      operator: sessions({ trigger: early, accumulation: 'discarding' }),
      keySelectors,
      startMs: 1,
      script,
      expect: {
        output: [pane('1 [1, 501) early: 1 2'), pane('1 [1, 501) early: 3 4'), pane('1 [1, 501) on-time last: 5')],
      },
    }))

  test('accumulating', () =>
    verifyOperator({
      operator: sessions({ trigger: early }),
      keySelectors,
      startMs: 1,
      script,
      expect: {
        output: [
          pane('1 [1, 501) early: 1 2'),
          pane('1 [1, 501) early: 1 2 3 4'),
          pane('1 [1, 501) on-time last: 1 2 3 4 5'),
        ],
      },
    }))
})

describe('triggers in triggers', () => {
  const tumbling = (early: TriggerSpec) =>
    windowing({
      timeDomain: 'processing-time',
      assigner: { kind: 'tumbling', sizeMs: 1000, offsetMs: 0 },
      trigger: { kind: 'after-watermark', early },
      onTimePane: 'if-not-empty',
      accumulation: 'discarding',
      function: valuesText,
    })
  const ANY: TriggerSpec = {
    kind: 'after-first',
    triggers: [
      { kind: 'after-count', count: 2 },
      { kind: 'after-processing-time', delayMs: 500 },
    ],
  }

  test('any: what comes first fires and cancels the other, which begins anew with the next message', () =>
    verifyOperator({
      operator: tumbling(ANY),
      keySelectors,
      startMs: 1,
      script: [
        message('1', 1),
        processingTime(100),
        message('1', 2),
        processingTime(200),
        message('1', 3),
        // The time of the first pane's trigger: it was cancelled with that pane.
        processingTime(501),
        processingTime(700),
        processingTime(1000),
      ],
      expect: {
        output: [pane('1 [0, 1000) early: 1 2'), pane('1 [0, 1000) early: 3')],
      },
    }))

  test('any of any', () =>
    verifyOperator({
      operator: tumbling({ kind: 'after-first', triggers: [ANY, { kind: 'after-count', count: 5 }] }),
      keySelectors,
      startMs: 1,
      script: [1, 2, 3, 4, 5].map(v => message('1', v)).concat(processingTime(1000)),
      expect: {
        output: [pane('1 [0, 1000) early: 1 2'), pane('1 [0, 1000) early: 3 4'), pane('1 [0, 1000) on-time last: 5')],
      },
    }))
})

test('the end of the stream flushes what windows hold', () =>
  verifyOperator({
    operator: sessions(),
    keySelectors,
    startMs: 1,
    script: [message('1'), message('2'), message('1'), end],
    expect: {
      output: [pane('1 [1, 501) on-time last: 1 1'), pane('2 [1, 501) on-time last: 1'), watermarkOut(Infinity)],
    },
  }))
