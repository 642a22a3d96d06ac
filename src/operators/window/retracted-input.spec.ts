// Windows whose input is taken back, and merging windows that take back what they emitted.
import test, { describe } from 'node:test'
import { fieldSelector } from '../../model/key.ts'
import type { OperatorSpec } from '../../model/operator-spec.ts'
import type { WindowContext } from '../../model/window-functions.ts'
import { type AssignerSpec, WINDOW_DEFAULTS, type WindowSpec } from '../../model/window-spec.ts'
import { verifyOperator } from '../../testing/operator-harness.ts'
import { end, out, record, retracted, type ScriptStep, watermark, watermarkOut } from '../../testing/operator-script.ts'

const keySelectors = [fieldSelector('k')]
const tumbling: AssignerSpec = { kind: 'tumbling', sizeMs: 10, offsetMs: 0 }
const sliding: AssignerSpec = { kind: 'sliding', sizeMs: 10, slideMs: 5, offsetMs: 0 }
const session: AssignerSpec = { kind: 'session', gapMs: 10, touching: 'merge', end: 'after-gap' }

/** Sums of n as `a [0, 10) 3`. */
function sums(rest: Pick<WindowSpec, 'assigner'> & Partial<WindowSpec>): OperatorSpec {
  const aggregate = {
    create: () => 0,
    add: (total: number, { n }: { n: number }) => total + n,
    retract: (total: number, { n }: { n: number }) => total - n,
    merge: (a: number, b: number) => a + b,
    result: (total: number) => total,
  }
  const project = (total: number, { key, window }: WindowContext<string>): string =>
    `${key} [${window.start}, ${window.end}) ${total}`
  const window: WindowSpec = {
    ...WINDOW_DEFAULTS,
    timeDomain: 'event-time',
    function: { kind: 'aggregate', aggregate: aggregate as never, project: project as never },
    ...rest,
  }
  return { kind: 'window', window }
}

function at(timestamp: number, n = 1, k = 'a'): ScriptStep {
  return record({ k, n }, { timestamp })
}

function back(timestamp: number, n = 1, k = 'a'): ScriptStep {
  return record({ k, n }, { timestamp, isRetraction: true })
}

for (const slices of ['shared', 'separate'] as const) {
  describe(`sliding windows with ${slices} slices`, () => {
    test('leave out what was taken back, in all windows that hold it', () =>
      verifyOperator({
        operator: sums({ assigner: sliding, slices }),
        keySelectors,
        script: [at(6, 100), at(7, 20), back(6, 100), at(11, 3), watermark(9), back(7, 20), at(12, 4), end],
        expect: {
          output: [
            out('a [0, 10) 20', 9),
            watermarkOut(9),
            out('a [5, 15) 7', 14),
            out('a [10, 20) 7', 19),
            watermarkOut(Infinity),
          ],
        },
      }))

    test('refuse to take back what their key does not hold', () =>
      verifyOperator({
        operator: sums({ assigner: sliding, slices }),
        keySelectors,
        script: [at(6), back(6, 1, 'b'), end],
        expect: { failure: { code: 'RETRACTION_UNMATCHED', message: /step .*step/ } },
      }))
  })
}

describe('windows of a sum', () => {
  test('give 0 where all was taken back after something came, and go on', () =>
    verifyOperator({
      operator: sums({ assigner: tumbling, allowedLatenessMs: 100 }),
      keySelectors,
      script: [at(1, 5), watermark(9), back(1, 5), at(2, 6), end],
      expect: {
        output: [
          out('a [0, 10) 5', 9),
          watermarkOut(9),
          out('a [0, 10) 0', 9),
          out('a [0, 10) 6', 9),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('refuse to take back what they do not hold', () =>
    verifyOperator({
      operator: sums({ assigner: tumbling }),
      keySelectors,
      script: [at(1), back(11), end],
      expect: { failure: { code: 'RETRACTION_UNMATCHED', message: /step/ } },
    }))

  test('take back in a pane of its own what an earlier pane gave, where panes add up', () =>
    verifyOperator({
      operator: sums({ assigner: tumbling, allowedLatenessMs: 100, accumulation: 'discarding' }),
      keySelectors,
      script: [at(1, 5), at(2, 2), watermark(9), back(1, 5), end],
      expect: {
        output: [out('a [0, 10) 7', 9), watermarkOut(9), out('a [0, 10) -5', 9), watermarkOut(Infinity)],
      },
    }))

  test('that retract themselves replace their result by that without the record', () =>
    verifyOperator({
      operator: sums({ assigner: tumbling, allowedLatenessMs: 100, accumulation: 'retracting' }),
      keySelectors,
      script: [at(1, 5), at(2, 2), watermark(9), back(1, 5), back(2, 2), at(3, 1), end],
      expect: {
        output: [
          out('a [0, 10) 7', 9),
          watermarkOut(9),
          retracted('a [0, 10) 7', 9),
          out('a [0, 10) 2', 9),
          retracted('a [0, 10) 2', 9),
          out('a [0, 10) 1', 9),
          watermarkOut(Infinity),
        ],
      },
    }))
})

describe('sessions', () => {
  const late = { assigner: session, allowedLatenessMs: 1000 } as const

  test('that merge leave the results of the windows that are no more as they are', () =>
    verifyOperator({
      operator: sums(late),
      keySelectors,
      script: [at(0), at(15), watermark(30), at(7), end],
      expect: {
        output: [
          out('a [0, 10) 1', 9),
          out('a [15, 25) 1', 24),
          watermarkOut(30),
          out('a [0, 25) 3', 24),
          watermarkOut(Infinity),
        ],
      },
    }))

  test("take them back first with mergedPanes 'retract', but not that of a window that stays the same", () =>
    verifyOperator({
      operator: sums({ ...late, mergedPanes: 'retract' }),
      keySelectors,
      script: [at(0), at(15), watermark(30), at(7), at(8), end],
      expect: {
        output: [
          out('a [0, 10) 1', 9),
          out('a [15, 25) 1', 24),
          watermarkOut(30),
          retracted('a [0, 10) 1', 9),
          retracted('a [15, 25) 1', 24),
          out('a [0, 25) 3', 24),
          out('a [0, 25) 4', 24),
          watermarkOut(Infinity),
        ],
      },
    }))
})
