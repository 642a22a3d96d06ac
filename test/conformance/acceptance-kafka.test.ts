// Kafka Streams' windows of time and sessions in stream time: the scenarios of its SuppressScenarioTest (kstream/internals), same numbers. The raw
// updates are a pane per record; the final results (`suppress(untilWindowCloses)`) are those of emitOnClose(). Its sliding windows are in
// kafka-sliding-windows.test.ts. Kafka's input never ends, so the scripts end in a stop, at which nothing more fires.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { StreamEnvironment } from '../../src/api/datastream/environment.ts'
import { sessionWindows, tumblingWindows, type WindowAssigner } from '../../src/api/datastream/window-assigners.ts'
import type { WindowOptions } from '../../src/api/datastream/window-options.ts'
import { afterCount, never, repeatedly } from '../../src/api/datastream/window-triggers.ts'
import { fieldSelector } from '../../src/model/key.ts'
import { verifyOperator } from '../../src/testing/operator-harness.ts'
import { type OutputElement, out, record, retracted, stop } from '../../src/testing/operator-script.ts'
import { forMonotonousTimestamps } from '../../src/time/watermark-strategies.ts'
import { SimulatedLauncher } from './support/simulated-launcher.ts'
import { countOf, windowStep } from './support/window-step.ts'

/** `[k1@0/2] 1`, as Kafka writes a windowed key. */
const count = countOf((n, { key, window }) => `[${key}@${window.start}/${window.end}] ${n}`)

/** `.toStream()`: every update of a window leaves. Kafka stamps them with the newest timestamp in the window. */
const RAW: WindowOptions<never> = { trigger: repeatedly(afterCount(1)), timestampCombiner: 'latest' }

/** `suppress(untilWindowCloses(unbounded()))`: what emitOnClose() sets. */
const FINAL: WindowOptions<never> = { trigger: never(), finalPane: 'if-not-empty', timestampCombiner: 'latest' }

/** Records of a text such as `k1@0 k2@5`, by key and timestamp. */
function records(text: string): { key: string; value: number; at: number }[] {
  return text.split(' ').map(each => {
    const [key, at] = each.split('@') as [string, string]
    return { key, value: 1, at: Number(at) }
  })
}

/** Results of lines such as `[k1@0/2] 1 @0`, or `-[k1@0/0] 1 @0` for a tombstone. */
function results(lines: readonly string[]): OutputElement[] {
  return lines.map(line => {
    const [, minus, value, at] = /^(-?)(.*) @(\d+)$/.exec(line) ?? assert.fail(line)
    return minus === '-' ? retracted(value, Number(at)) : out(value, Number(at))
  })
}

interface Scenario {
  readonly windows: WindowAssigner<never>
  readonly options: WindowOptions<never>
  readonly input: string
  readonly late?: number
}

function verify({ windows, options, input, late = 0 }: Scenario, expected: readonly string[]): Promise<void> {
  return verifyOperator({
    operator: windowStep(windows, options, count),
    keySelectors: [fieldSelector('key')],
    script: [...records(input).map(each => record(each, { timestamp: each.at })), stop],
    expect: { output: results(expected), lateRecordsDropped: late },
  })
}

describe('shouldSupportFinalResultsForTimeWindows: windows of 2 ms, a grace of 1 ms', () => {
  const windows = tumblingWindows(2, { time: 'stream-time' })
  const input = 'k1@0 k1@1 k1@2 k1@1 k1@0 k1@5 k1@0'

  test('raw: every update, but for the last record, which is too late', () =>
    verify({ windows, options: { ...RAW, allowedLatenessMs: 1 }, input, late: 1 }, [
      '[k1@0/2] 1 @0',
      '[k1@0/2] 2 @1',
      '[k1@2/4] 1 @2',
      '[k1@0/2] 3 @1',
      '[k1@0/2] 4 @1',
      '[k1@4/6] 1 @5',
    ]))

  test('suppressed: each window once, when it is closed', () =>
    verify({ windows, options: { ...FINAL, allowedLatenessMs: 1 }, input, late: 1 }, [
      '[k1@0/2] 4 @1',
      '[k1@2/4] 1 @2',
    ]))
})

describe('shouldSupportFinalResultsForTimeWindowsWithLargeJump: a grace of 2 ms', () => {
  const windows = tumblingWindows(2, { time: 'stream-time' })
  const input = 'k1@0 k1@1 k1@2 k1@0 k1@3 k1@0 k1@4 k1@0 k1@30'

  test('raw', () =>
    verify({ windows, options: { ...RAW, allowedLatenessMs: 2 }, input, late: 1 }, [
      '[k1@0/2] 1 @0',
      '[k1@0/2] 2 @1',
      '[k1@2/4] 1 @2',
      '[k1@0/2] 3 @1',
      '[k1@2/4] 2 @3',
      '[k1@0/2] 4 @1',
      '[k1@4/6] 1 @4',
      '[k1@30/32] 1 @30',
    ]))

  test('suppressed', () =>
    verify({ windows, options: { ...FINAL, allowedLatenessMs: 2 }, input, late: 1 }, [
      '[k1@0/2] 4 @1',
      '[k1@2/4] 2 @3',
      '[k1@4/6] 1 @4',
    ]))
})

describe('shouldSupportFinalResultsForSessionWindows: a gap of 5 ms, no grace', () => {
  const windows = sessionWindows(5, { time: 'stream-time', end: 'last-record' })
  // k2 moves stream time for k1 too, which closes the session of k1.
  const input = 'k1@0 k1@5 k1@1 k2@11 k1@5 k1@30'

  test('raw: a session that is joined leaves a tombstone, also where its bounds stay', () =>
    verify({ windows, options: { ...RAW, accumulation: 'retracting' }, input, late: 1 }, [
      '[k1@0/0] 1 @0',
      '-[k1@0/0] 1 @0',
      '[k1@0/5] 2 @5',
      '-[k1@0/5] 2 @5',
      '[k1@0/5] 3 @5',
      '[k2@11/11] 1 @11',
      '[k1@30/30] 1 @30',
    ]))

  test("raw with mergedPanes: 'retract': tombstones for those sessions only that are no more", () =>
    verify({ windows, options: { ...RAW, mergedPanes: 'retract' }, input, late: 1 }, [
      '[k1@0/0] 1 @0',
      '-[k1@0/0] 1 @0',
      '[k1@0/5] 2 @5',
      '[k1@0/5] 3 @5',
      '[k2@11/11] 1 @11',
      '[k1@30/30] 1 @30',
    ]))

  test('suppressed', () =>
    verify({ windows, options: { ...FINAL, mergedPanes: 'retract' }, input, late: 1 }, [
      '[k1@0/5] 3 @5',
      '[k2@11/11] 1 @11',
    ]))
})

test('a job with emitOnClose() gives the final results, and at the end of its input those of windows still open', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const env = new StreamEnvironment(new SimulatedLauncher(1, { seed }))
    const counts = await env
      .fromElements(...records('k1@0 k1@1 k1@2 k1@1 k1@0 k1@5 k1@0'))
      .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: each => each.at }))
      .keyBy('key')
      .window(tumblingWindows(2, { time: 'stream-time' }), { allowedLatenessMs: 1 })
      .emitOnClose()
      .reduce(
        (a, b) => ({ key: a.key, value: a.value + b.value, at: a.at }),
        ({ value }, { key, window }) => `[${key}@${window.start}/${window.end}] ${value}`,
      )
      .executeAndCollect()
    assert.deepEqual(counts, ['[k1@0/2] 4', '[k1@2/4] 1', '[k1@4/6] 1'], `seed ${seed}`)
  }
})
