// Flink's windows and late records: scenarios of its WindowOperatorTest (streaming/runtime/operators/windowing), same numbers. Keys leave in the
// order in which they came into the window, with shared slices in that in which they came at all; Flink's own test does not look at their order.
import test, { describe } from 'node:test'
import { sessionWindows, slidingWindows, type WindowAssigner } from '../../src/api/datastream/window-assigners.ts'
import type { WindowOptions } from '../../src/api/datastream/window-options.ts'
import { onWindowEnd, purging } from '../../src/api/datastream/window-triggers.ts'
import { fieldSelector } from '../../src/model/key.ts'
import { verifyOperator } from '../../src/testing/operator-harness.ts'
import {
  end,
  type OutputElement,
  out,
  record,
  type ScriptStep,
  watermark,
  watermarkOut,
} from '../../src/testing/operator-script.ts'
import { type PaneText, sumOf, windowStep } from './support/window-step.ts'

interface Scenario {
  readonly windows: WindowAssigner<never>
  readonly options: WindowOptions<never>
  readonly text: PaneText<number>
  readonly script: readonly ScriptStep[]
  readonly late: number
}

function verify({ windows, options, text, script, late }: Scenario, output: readonly OutputElement[]): Promise<void> {
  return verifyOperator({
    operator: windowStep(windows, options, sumOf(text)),
    keySelectors: [fieldSelector('key')],
    script: [...script, end],
    expect: { output: [...output, watermarkOut(Infinity)], lateRecordsDropped: late },
  })
}

/** A record of 1 for the key. */
function one(key: string, timestamp: number): ScriptStep {
  return record({ key, value: 1 }, { timestamp })
}

describe('testDropDueToLatenessSliding: windows of 3 s every second, no lateness', () => {
  const script = [
    one('key2', 1000),
    watermark(1999),
    one('key2', 2000),
    watermark(3000),
    one('key1', 3001),
    // Late for the window that ends at 2999, not for those that end at 3999 and 4999.
    one('key2', 2400),
    one('key2', 2400),
    one('key1', 3001),
    one('key2', 3900),
    watermark(6000),
    one('key1', 3001),
    watermark(25_000),
  ]
  const last = { shared: ['key2 1', 'key1 2'], separate: ['key1 2', 'key2 1'] }
  const before = [
    out('key2 1', 1999),
    watermarkOut(1999),
    out('key2 2', 2999),
    watermarkOut(3000),
    out('key2 5', 3999),
    out('key1 2', 3999),
    out('key2 4', 4999),
    out('key1 2', 4999),
  ]

  for (const slices of ['shared', 'separate'] as const) {
    test(`with ${slices} slices`, () =>
      verify(
        {
          windows: slidingWindows(3000, 1000),
          options: { slices },
          text: (sum, { key }) => `${key} ${sum}`,
          script,
          late: 1,
        },
        [...before, ...last[slices].map(text => out(text, 5999)), watermarkOut(6000), watermarkOut(25_000)],
      ))
  }
})

describe('testDropDueToLatenessSessionZeroLateness: a gap of 3 s', () => {
  for (const trigger of [purging(onWindowEnd()), onWindowEnd()]) {
    test(`with the trigger ${trigger.spec.kind}`, () =>
      verify(
        {
          windows: sessionWindows(3000),
          options: { trigger },
          text: (sum, { key, window }) => `${key}-${sum} [${window.start}, ${window.end})`,
          script: [
            one('key2', 1000),
            watermark(1999),
            one('key2', 2000),
            watermark(4998),
            one('key2', 4500),
            one('key2', 8500),
            watermark(7400),
            // Joins the two sessions.
            one('key2', 7000),
            watermark(11_501),
            one('key2', 11_600),
            watermark(14_600),
            // Both are late, and are not joined with the session that has ended.
            one('key2', 10_000),
            one('key2', 10_100),
            one('key2', 14_500),
            watermark(20_000),
            watermark(100_000),
          ],
          late: 2,
        },
        [
          watermarkOut(1999),
          watermarkOut(4998),
          watermarkOut(7400),
          out('key2-5 [1000, 11500)', 11_499),
          watermarkOut(11_501),
          out('key2-1 [11600, 14600)', 14_599),
          watermarkOut(14_600),
          out('key2-1 [14500, 17500)', 17_499),
          watermarkOut(20_000),
          watermarkOut(100_000),
        ],
      ))
  }
})
