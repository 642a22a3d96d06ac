// Apex Malhar's windowed operators: the scenarios of its WindowedOperatorTest (org.apache.apex.malhar.lib.window), same numbers. A retraction is the
// record of before with a mark here, where Malhar negates the number.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { StreamEnvironment } from '../../src/api/datastream/environment.ts'
import {
  sessionWindows,
  slidingWindows,
  tumblingWindows,
  type WindowAssigner,
} from '../../src/api/datastream/window-assigners.ts'
import type { WindowOptions } from '../../src/api/datastream/window-options.ts'
import {
  afterCount,
  afterWatermark,
  continuousProcessingTime,
  repeatedly,
} from '../../src/api/datastream/window-triggers.ts'
import { fieldSelector } from '../../src/model/key.ts'
import type { Accumulation } from '../../src/model/window-spec.ts'
import { verifyOperator } from '../../src/testing/operator-harness.ts'
import {
  type OutputElement,
  out,
  processingTime,
  record,
  retracted,
  type ScriptStep,
  stop,
  watermark,
  watermarkOut,
} from '../../src/testing/operator-script.ts'
import { forBoundedOutOfOrderness } from '../../src/time/watermark-strategies.ts'
import { SimulatedLauncher } from './support/simulated-launcher.ts'
import { type PaneText, sumOf, windowStep } from './support/window-step.ts'

/** A record at a time. */
function at(timestamp: number, value: number, key = 'a'): ScriptStep {
  return record({ key, value }, { timestamp })
}

function verify(
  windows: WindowAssigner<never>,
  options: WindowOptions<never>,
  text: PaneText<number>,
  script: readonly ScriptStep[],
  output: readonly OutputElement[],
  lateRecordsDropped = 0,
): Promise<void> {
  return verifyOperator({
    operator: windowStep(windows, options, sumOf(text)),
    keySelectors: [fieldSelector('key')],
    script: [...script, stop],
    expect: { output, lateRecordsDropped },
  })
}

const SECONDS = tumblingWindows(1000)
const sums: PaneText<number> = (sum, { key }) => `${key} ${sum}`

describe('testTrigger: early firings at every 1000 ms', () => {
  const trigger = afterWatermark({ early: continuousProcessingTime(1000) })
  const again: Record<Accumulation, OutputElement[]> = {
    discarding: [out('a 9', 999)],
    accumulating: [out('a 14', 999)],
    retracting: [retracted('a 5', 999), out('a 14', 999)],
  }

  for (const [accumulation, output] of Object.entries(again) as [Accumulation, OutputElement[]][]) {
    test(`2 and 3, then 4 and 5, ${accumulation}`, () =>
      verify(
        SECONDS,
        { trigger, accumulation },
        sums,
        [at(100, 2), at(200, 3), processingTime(1000), at(400, 4), at(300, 5), processingTime(2000)],
        [out('a 5', 999), ...output],
      ))
  }

  const keyed: Record<Accumulation, OutputElement[]> = {
    discarding: [out('a 8', 999), out('b 9', 999)],
    accumulating: [out('a 14', 999), out('b 17', 999)],
    retracting: [retracted('a 6', 999), out('a 14', 999), retracted('b 8', 999), out('b 17', 999)],
  }

  for (const [accumulation, output] of Object.entries(keyed) as [Accumulation, OutputElement[]][]) {
    test(`testKeyedTrigger: two keys, ${accumulation}`, () =>
      verify(
        SECONDS,
        { trigger, accumulation },
        sums,
        [
          at(100, 2, 'a'),
          at(200, 3, 'b'),
          at(400, 5, 'b'),
          at(300, 4, 'a'),
          processingTime(1000),
          at(400, 8, 'a'),
          at(300, 9, 'b'),
          processingTime(2000),
        ],
        [out('a 6', 999), out('b 8', 999), ...output],
      ))
  }

  test('testTriggerWithAccumulatingModeFiringOnlyUpdatedPanes: without news nothing fires', () =>
    verify(
      SECONDS,
      { trigger },
      sums,
      [at(100, 2), at(200, 3), processingTime(1000), processingTime(2000), processingTime(3000)],
      [out('a 5', 999)],
    ))
})

test('testWatermarkAndAllowedLateness: 900 is late but taken (9), 120 after the watermark 3000 is dropped', () =>
  verify(
    SECONDS,
    { allowedLatenessMs: 1000 },
    sums,
    [at(100, 2), at(200, 3), watermark(1200), at(900, 4), watermark(3000), at(120, 5)],
    [out('a 5', 999), watermarkOut(1200), out('a 9', 999), watermarkOut(3000)],
    1,
  ))

test('testSlidingWindowAssignment: 1600 is in the five windows of 1000 ms from 800 to 1600', () =>
  verify(
    slidingWindows(1000, 200),
    {},
    (sum, { window }) => `[${window.start}, ${window.end}) ${sum}`,
    [at(1600, 2), watermark(10_000)],
    [
      ...[800, 1000, 1200, 1400, 1600].map(start => out(`[${start}, ${start + 1000}) 2`, start + 999)),
      watermarkOut(10_000),
    ],
  ))

test('sessions of 2000 ms with a pane per tuple: what is extended or joined is taken back', () =>
  verify(
    sessionWindows(2000),
    { trigger: repeatedly(afterCount(1)), accumulation: 'retracting' },
    (sum, { window }) => `${sum} from ${window.start} over ${window.end - window.start} ms`,
    [at(1100, 2), at(2000, 3), at(5000, 4), at(3500, 3)],
    [
      out('2 from 1100 over 2000 ms', 3099),
      retracted('2 from 1100 over 2000 ms', 3099),
      out('5 from 1100 over 2900 ms', 3999),
      out('4 from 5000 over 2000 ms', 6999),
      retracted('5 from 1100 over 2900 ms', 3999),
      retracted('4 from 5000 over 2000 ms', 6999),
      out('12 from 1100 over 5900 ms', 6999),
    ],
  ))

test('a job over the same tuples, its retractions negated as in Malhar', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const env = new StreamEnvironment(new SimulatedLauncher(1, { seed }))
    const sums = await env
      .fromElements(
        { key: 'a', value: 2, at: 1100 },
        { key: 'a', value: 3, at: 2000 },
        { key: 'a', value: 4, at: 5000 },
        { key: 'a', value: 3, at: 3500 },
      )
      .assignTimestampsAndWatermarks(forBoundedOutOfOrderness(1500, { timestamp: tuple => tuple.at }))
      .keyBy('key')
      .window(sessionWindows(2000), { trigger: repeatedly(afterCount(1)), accumulation: 'retracting' })
      .sum('value')
      .changelog()
      .map(({ isRetraction, record: { value } }) => (isRetraction ? -value : value))
      .executeAndCollect()
    assert.deepEqual(sums, [2, -2, 5, 4, -5, -4, 12], `seed ${seed}`)
  }
})
