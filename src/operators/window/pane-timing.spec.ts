// When panes of windows leave and what they say of themselves, where times of triggers, ends of windows and their closing fall together.
import test, { describe } from 'node:test'
import { fieldSelector } from '../../model/key.ts'
import type { OperatorSpec } from '../../model/operator-spec.ts'
import type { WindowContext } from '../../model/window-functions.ts'
import { WINDOW_DEFAULTS, type WindowSpec } from '../../model/window-spec.ts'
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

const keySelectors = [fieldSelector('k')]

/** A sum that says its key, its timing and whether it is the last: `a 3 early`. */
function sums(rest: Pick<WindowSpec, 'assigner' | 'trigger'> & Partial<WindowSpec>): OperatorSpec {
  const project = (total: number, { key, pane }: WindowContext<string>): string =>
    `${key} ${total} ${pane.timing}${pane.isLast ? ' last' : ''}`
  const aggregate = {
    create: () => 0,
    add: (total: number, { n }: { n: number }) => total + n,
    merge: (a: number, b: number) => a + b,
    result: (total: number) => total,
  }
  const window: WindowSpec = {
    ...WINDOW_DEFAULTS,
    timeDomain: 'event-time',
    function: { kind: 'aggregate', aggregate: aggregate as never, project: project as never },
    ...rest,
  }
  return { kind: 'window', window }
}

function at(timestamp: number, k = 'a', n = 1): ScriptStep {
  return record({ k, n }, { timestamp })
}

const tumbling = { kind: 'tumbling', sizeMs: 10, offsetMs: 0 } as const
const afterDelay = { kind: 'after-processing-time', delayMs: 5 } as const

describe('the panes of a window', () => {
  test('have one last among them, where its trigger is woken and its end comes in one step', () =>
    verifyOperator({
      operator: sums({
        assigner: tumbling,
        trigger: { kind: 'continuous-event-time', intervalMs: 4 },
        finalPane: 'always',
      }),
      keySelectors,
      script: [at(1), watermark(20), end],
      expect: { output: [out('a 1 on-time last', 9), watermarkOut(20), watermarkOut(Infinity)] },
    }))

  test('come to an end where a trigger waited for a time that has become of no use', () =>
    verifyOperator({
      operator: sums({
        assigner: tumbling,
        trigger: { kind: 'after-watermark', early: afterDelay, late: { kind: 'after-count', count: 2 } },
        allowedLatenessMs: 100,
      }),
      keySelectors,
      script: [at(1), watermark(20), processingTime(50), end],
      expect: { output: [out('a 1 on-time', 9), watermarkOut(20), watermarkOut(Infinity)] },
    }))

  test('ask the trigger before the window closes, of what came in the same step', () =>
    verifyOperator({
      // Two subtasks become one at the least of their times: one that has no record yet has none.
      snapshots: 'not-rescaled',
      operator: sums({
        timeDomain: 'processing-time',
        assigner: tumbling,
        trigger: { kind: 'after-processing-time', delayMs: 11 },
        allowedLatenessMs: 2,
        finalPane: 'never',
      }),
      keySelectors,
      script: [at(0), processingTime(10), processingTime(30), end],
      expect: { output: [out('a 1 late last', 9), watermarkOut(Infinity)] },
    }))

  test('are on time for all keys of a firing, however many steps it takes', () =>
    verifyOperator({
      operator: sums({ assigner: tumbling, trigger: afterDelay, timestampCombiner: 'latest', allowedLatenessMs: 90 }),
      keySelectors,
      // The hold of a at 3 leaves the outputs at 2, so both fire on time although the window has ended.
      script: [at(3), at(3, 'b'), watermark(20), processingTime(5), end],
      expect: {
        output: [
          watermarkOut(2),
          out('a 1 on-time last', 3),
          out('b 1 on-time last', 3),
          watermarkOut(20),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('are late as soon as a record lets the outputs pass the end of the window', () =>
    verifyOperator({
      operator: sums({
        assigner: { kind: 'session', gapMs: 3, touching: 'separate', end: 'after-gap' },
        trigger: { kind: 'never' },
        timestampCombiner: 'latest',
        allowedLatenessMs: 10,
        finalPane: 'if-not-empty',
      }),
      keySelectors,
      // The session of a is held at 4, then at 6: behind that of b, which ends at 5.
      script: [at(4), watermark(8), at(3, 'b'), at(6), watermark(40), end],
      expect: {
        output: [
          watermarkOut(3),
          watermarkOut(5),
          out('b 1 late last', 5),
          out('a 2 on-time last', 6),
          watermarkOut(40),
          watermarkOut(Infinity),
        ],
      },
    }))
})

describe('a window without end', () => {
  test('makes room for the next one when it is a time that finishes its trigger', () =>
    verifyOperator({
      operator: sums({ assigner: { kind: 'global', restarts: true }, trigger: afterDelay, finalPane: 'never' }),
      keySelectors,
      script: [at(1), at(2), processingTime(5), at(7), processingTime(10), end],
      expect: {
        output: [out('a 2 early last', 2), out('a 1 early last', 7), watermarkOut(Infinity)],
      },
    }))

  test('gives results the newest timestamp since the last firing, and never that of its end', () =>
    verifyOperator({
      operator: sums({
        assigner: { kind: 'global', restarts: false },
        trigger: { kind: 'repeatedly', trigger: { kind: 'after-count', count: 2 } },
        timestampCombiner: 'earliest',
        finalPane: 'if-not-empty',
      }),
      keySelectors,
      script: [watermark(10), at(7), at(5), at(3), end],
      expect: { output: [watermarkOut(10), out('a 2 early', 7), out('a 3 on-time last', 3), watermarkOut(Infinity)] },
    }))
})
