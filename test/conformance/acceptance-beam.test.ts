// Beam's windows, late data and batches: scenarios of its TestStreamTest, GroupIntoBatchesTest, GroupByKeyTest and CombineTest (org.apache.beam.sdk),
// same numbers. A pane is per record here, not per bundle. Beam's watermark says that nothing below it follows; ours that nothing at it
// follows either.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { StreamEnvironment } from '../../src/api/datastream/environment.ts'
import {
  globalWindows,
  sessionWindows,
  tumblingWindows,
  type WindowAssigner,
} from '../../src/api/datastream/window-assigners.ts'
import type { WindowOptions } from '../../src/api/datastream/window-options.ts'
import {
  afterCount,
  afterFirst,
  afterProcessingTime,
  afterWatermark,
  customTrigger,
  never,
  repeatedly,
  type WindowTrigger,
} from '../../src/api/datastream/window-triggers.ts'
import { avg } from '../../src/functions/number-aggregates.ts'
import { fieldSelector } from '../../src/model/key.ts'
import type { TimestampCombiner, WindowFunctionSpec } from '../../src/model/window-spec.ts'
import { verifyOperator } from '../../src/testing/operator-harness.ts'
import {
  end,
  type OutputElement,
  out,
  processingTime,
  record,
  type ScriptStep,
  watermark,
  watermarkOut,
} from '../../src/testing/operator-script.ts'
import { forMonotonousTimestamps } from '../../src/time/watermark-strategies.ts'
import { SimulatedLauncher } from './support/simulated-launcher.ts'
import { countOf, type Keyed, sumOf, valuesOf, windowStep } from './support/window-step.ts'

const SECOND_MS = 1000
const MINUTE_MS = 60_000

/** Beam's `advanceWatermarkTo`, and what is sent on. */
const advanceWatermarkTo = (instantMs: number): ScriptStep => watermark(instantMs - 1)
const advanced = (instantMs: number): OutputElement => watermarkOut(instantMs - 1)

/** Beam's `advanceWatermarkToInfinity`. */
const ended = watermarkOut(Infinity)

/** Records of one key at an instant. */
function add(instantMs: number, ...values: readonly unknown[]): ScriptStep[] {
  return values.map(value => record({ key: 'key', value }, { timestamp: instantMs }))
}

interface Windowing extends WindowOptions<never> {
  readonly windows: WindowAssigner<never>
}

function verify(
  { windows, ...options }: Windowing,
  fn: WindowFunctionSpec,
  script: readonly ScriptStep[],
  { output, late = 0 }: { readonly output: readonly OutputElement[]; readonly late?: number },
): Promise<void> {
  return verifyOperator({
    operator: windowStep(windows, options, fn),
    keySelectors: [fieldSelector('key')],
    script: [...script, end],
    expect: { output, lateRecordsDropped: late },
  })
}

/** `on-time 1 2 3`, `last late 1 2 3 4 5`. */
const panes = valuesOf<unknown>((values, { pane }) => `${pane.isLast ? 'last ' : ''}${pane.timing} ${values.join(' ')}`)

describe('TestStreamTest.testLateDataAccumulating: windows of 5 min, lateness of 5 min, FIRE_ALWAYS', () => {
  const windowing: Windowing = {
    windows: tumblingWindows(5 * MINUTE_MS),
    trigger: afterWatermark({ early: afterProcessingTime({ delayMs: 2 * MINUTE_MS }), late: afterCount(1) }),
    accumulation: 'accumulating',
    allowedLatenessMs: 5 * MINUTE_MS,
    finalPane: 'always',
  }
  const script = [
    ...add(0, 1, 2, 3),
    advanceWatermarkTo(6 * MINUTE_MS),
    ...add(0, 4, 5),
    advanceWatermarkTo(20 * MINUTE_MS),
    ...add(0, -1, -2, -3),
  ]
  const results = (onTime: string, first: string, second: string, final: string): OutputElement[] => {
    const [a, b, c, d] = [onTime, first, second, final].map(text => out(text, 5 * MINUTE_MS - 1))
    return [a, advanced(6 * MINUTE_MS), b, c, d, advanced(20 * MINUTE_MS), ended] as OutputElement[]
  }

  test('the on-time pane holds 1 2 3, the final one 1 to 5; -1 -2 -3 are dropped', () =>
    verify(windowing, panes, script, {
      output: results('on-time 1 2 3', 'late 1 2 3 4', 'late 1 2 3 4 5', 'last late 1 2 3 4 5'),
      late: 3,
    }))

  test('counts are from 3 to 5, sums from 6 to 15', async () => {
    await verify(windowing, countOf(String), script, { output: results('3', '4', '5', '5'), late: 3 })
    await verify(windowing, sumOf(String), script, { output: results('6', '10', '15', '15'), late: 3 })
  })
})

test('TestStreamTest.testDiscardingMode: an early pane of 2, one on time, a final one of the late records', () =>
  verify(
    {
      windows: tumblingWindows(SECOND_MS),
      trigger: afterWatermark({ early: afterCount(2), late: never() }),
      accumulation: 'discarding',
      allowedLatenessMs: 5 * SECOND_MS,
    },
    panes,
    [
      advanceWatermarkTo(0),
      ...add(100, 'firstPane'),
      ...add(200, 'alsoFirstPane'),
      ...add(500, 'onTimePane'),
      advanceWatermarkTo(SECOND_MS),
      ...add(750, 'finalLatePane'),
      ...add(250, 'alsoFinalLatePane'),
    ],
    {
      output: [
        advanced(0),
        out('early firstPane alsoFirstPane', 999),
        out('on-time onTimePane', 999),
        advanced(SECOND_MS),
        out('last late finalLatePane alsoFinalLatePane', 999),
        ended,
      ],
    },
  ))

test('TestStreamTest.testFirstElementLate: a window whose first record is too late emits nothing', () =>
  verify(
    { windows: tumblingWindows(SECOND_MS), accumulation: 'discarding', allowedLatenessMs: 5 * SECOND_MS },
    panes,
    [advanceWatermarkTo(0), ...add(-1_000_000, 'late'), ...add(100, 'onTime')],
    { output: [advanced(0), out('last on-time onTime', 999), ended], late: 1 },
  ))

test('TestStreamTest.testEarlyPanesOfWindow: 5 min after the first record of a pane: 1, 3 and 6, then 6 on time', () =>
  verify(
    {
      windows: tumblingWindows(30 * MINUTE_MS),
      trigger: afterWatermark({ early: afterProcessingTime({ delayMs: 5 * MINUTE_MS }) }),
    },
    sumOf((sum, { pane }) => `${pane.timing} ${sum}`),
    [1, 2, 3].flatMap(value => [...add(value * SECOND_MS, value), processingTime(value * 6 * MINUTE_MS)]),
    { output: [...['early 1', 'early 3', 'early 6', 'on-time 6'].map(text => out(text, 30 * MINUTE_MS - 1)), ended] },
  ))

test('TestStreamTest.testProcessingTimeTrigger: the early panes of the global window are 3 and 6', async () => {
  const trigger = afterWatermark({ early: afterProcessingTime({ delayMs: 5 * MINUTE_MS }) })
  await verify(
    { windows: globalWindows(), trigger },
    sumOf((sum, { pane }) => `${pane.timing} ${sum}`),
    [...add(1000, 1), ...add(2000, 2), processingTime(12 * MINUTE_MS), ...add(3000, 3), processingTime(18 * MINUTE_MS)],
    { output: [out('early 3', 2000), out('early 6', 3000), out('on-time 6', 3000), ended] },
  )
})

const SCIENTISTS = [
  'Einstein',
  'Darwin',
  'Copernicus',
  'Pasteur',
  'Curie',
  'Faraday',
  'Newton',
  'Bohr',
  'Galilei',
  'Maxwell',
]

function scientists(count: number): string[] {
  return Array.from({ length: count }, (_, index) => SCIENTISTS[index % SCIENTISTS.length] as string)
}

/** Beam's `GroupIntoBatches.ofByteSize`; a batch is full with the record that reaches the size. */
function afterBytes(bytesMax: number, sizeOf: (text: string) => number): WindowTrigger<Keyed<string>> {
  return customTrigger<Keyed<string>, number>({
    description: `after ${bytesMax} bytes`,
    create: () => 0,
    onRecord: ({ value }, _timestampMs, ctx) => {
      const bytes = ctx.state + sizeOf(value)
      ctx.setState(bytes < bytesMax ? bytes : 0)
      return bytes < bytesMax ? 'continue' : 'fire'
    },
  })
}

/** The size of Beam's StringUtf8Coder: the text and, for a short one, a byte that says how long it is. */
const encodedBytes = (text: string): number => text.length + 1

/** The batches of a job over the records, all of one key, in the global window. */
async function batchesOf(values: readonly string[], trigger: WindowTrigger<Keyed<string>>): Promise<string[][]> {
  const results: string[][][] = []
  for (let seed = 1; seed <= 10; seed++) {
    const env = new StreamEnvironment(new SimulatedLauncher(2, { seed }))
    const batches = await env
      .fromElements(...values.map(value => ({ key: 'key', value })))
      .keyBy('key')
      .window(globalWindows(), { trigger, accumulation: 'discarding' })
      .process<string[]>({ onWindow: (batch, _ctx, out) => out.collect(batch.map(({ value }) => value)) })
      .executeAndCollect()
    results.push(batches)
    assert.deepEqual(batches, results[0], `seed ${seed}`)
  }
  return results[0] as string[][]
}

const sizes = (batches: readonly (readonly string[])[]): number[] => batches.map(batch => batch.length)

describe('GroupIntoBatchesTest, the global window', () => {
  test('testInGlobalWindowBatchSizeCount: 10 records are 2 batches of 5', async () =>
    assert.deepEqual(sizes(await batchesOf(scientists(10), repeatedly(afterCount(5)))), [5, 5]))

  test('testWithUnevenBatches: 11 records are 3 batches', async () =>
    assert.deepEqual(sizes(await batchesOf(scientists(11), repeatedly(afterCount(5)))), [5, 5, 1]))

  test('testInGlobalWindowBatchSizeByteSize: by 25 bytes 3 batches', async () =>
    assert.deepEqual(await batchesOf(scientists(10), afterBytes(25, encodedBytes)), [
      ['Einstein', 'Darwin', 'Copernicus'],
      ['Pasteur', 'Curie', 'Faraday', 'Newton'],
      ['Bohr', 'Galilei', 'Maxwell'],
    ]))

  test('testInGlobalWindowBatchSizeByteSizeFn: records that count double are 5 batches', async () =>
    assert.equal(
      (
        await batchesOf(
          scientists(10),
          afterBytes(25, text => 2 * encodedBytes(text)),
        )
      ).length,
      5,
    ))

  test('testMultipleLimitsAtOnce: 5 records or 25 bytes, whichever is reached first: 3 batches', async () => {
    const values = ['a-1', 'a-2', `a-3${'-'.repeat(100)}`, 'b-4', 'b-5', 'b-6', 'b-7', 'b-8', 'c-9']
    const batches = await batchesOf(values, repeatedly(afterFirst(afterCount(5), afterBytes(25, encodedBytes))))
    assert.deepEqual(batches, [values.slice(0, 3), values.slice(3, 8), values.slice(8)])
  })

  test('testBufferingTimerInGlobalWindow: a batch waits 5 s at most, whatever its size', () =>
    verify(
      {
        windows: globalWindows(),
        trigger: repeatedly(afterFirst(afterCount(15), afterProcessingTime({ delayMs: 5 * SECOND_MS }))),
        accumulation: 'discarding',
      },
      valuesOf(values => `${values.length}`),
      [
        ...add(4000, ...scientists(5)),
        processingTime(100_000),
        ...add(9000, ...scientists(5)),
        processingTime(200_000),
      ],
      { output: [out('5', 4000), out('5', 9000), ended] },
    ))
})

describe('GroupIntoBatchesTest, windows of time', () => {
  const batches = valuesOf<string>((values, { window }) => `${window.start}: ${values.length}`)

  test('testInStreamingMode: the end of a window flushes: 5 and 1, then 4', () =>
    verify(
      {
        windows: tumblingWindows(6 * SECOND_MS),
        trigger: afterWatermark({ early: afterCount(5) }),
        accumulation: 'discarding',
      },
      batches,
      [
        advanceWatermarkTo(0),
        ...scientists(10).flatMap((name, index) => add(index * SECOND_MS, name)),
        ...[5, 7, 10].map(seconds => advanceWatermarkTo(seconds * SECOND_MS)),
      ],
      {
        output: [
          advanced(0),
          out('0: 5', 5999),
          advanced(5 * SECOND_MS),
          out('0: 1', 5999),
          advanced(7 * SECOND_MS),
          advanced(10 * SECOND_MS),
          out('6000: 4', 11_999),
          ended,
        ],
      },
    ))

  test('testBufferingTimerInFixedWindow: a record every 2 s, buffered 5 s at most: 3 1, 3 1, 2', () =>
    verify(
      {
        windows: tumblingWindows(4 * SECOND_MS),
        trigger: afterWatermark({ early: afterFirst(afterCount(5), afterProcessingTime({ delayMs: 5 * SECOND_MS })) }),
        accumulation: 'discarding',
      },
      batches,
      [
        advanceWatermarkTo(0),
        ...scientists(10).flatMap((name, index) => [
          ...add(index * SECOND_MS, name),
          processingTime((index + 1) * 2 * SECOND_MS),
        ]),
        advanceWatermarkTo(10 * SECOND_MS),
      ],
      {
        output: [
          advanced(0),
          out('0: 3', 3999),
          out('0: 1', 3999),
          out('4000: 3', 7999),
          out('4000: 1', 7999),
          advanced(10 * SECOND_MS),
          out('8000: 2', 11_999),
          ended,
        ],
      },
    ))
})

describe('GroupByKeyTest', () => {
  const combined: [TimestampCombiner, number][] = [
    ['earliest', 0],
    ['latest', 10],
    ['end-of-window', 10 * MINUTE_MS - 1],
  ]
  for (const [timestampCombiner, timestamp] of combined) {
    test(`the timestamp combiner ${timestampCombiner}: records at 0 and 10 ms become one at ${timestamp}`, () =>
      verify(
        { windows: tumblingWindows(10 * MINUTE_MS), timestampCombiner },
        panes,
        [...add(0, 'hello'), ...add(10, 'goodbye')],
        { output: [out('last on-time hello goodbye', timestamp), ended] },
      ))
  }

  const held: [TimestampCombiner, number, number][] = [
    ['earliest', 2, 1],
    ['latest', 4, 3],
    ['end-of-window', 9, 5],
  ]
  for (const [timestampCombiner, timestamp, sentOn] of held) {
    test(`while a result at ${timestamp} is to come (${timestampCombiner}), the watermark 5 is sent on as ${sentOn}`, () =>
      verify(
        { windows: tumblingWindows(10), timestampCombiner },
        panes,
        [...add(4, 'hello'), ...add(2, 'goodbye'), watermark(5), watermark(9)],
        {
          output: [
            watermarkOut(sentOn),
            out('last on-time hello goodbye', timestamp),
            watermarkOut(9),
            watermarkOut(Infinity),
          ],
        },
      ))
  }

  test('testGroupByKeyAndWindows: windows of 5 ms', async () => {
    const pairs = [
      { key: 'k1', value: 3 },
      { key: 'k5', value: 2_147_483_647 },
      { key: 'k5', value: -2_147_483_648 },
      { key: 'k2', value: 66 },
      { key: 'k1', value: 4 },
      { key: 'k2', value: -33 },
      { key: 'k3', value: 0 },
    ]
    await eachRun(async env => {
      const groups = await timestamped(env, pairs, [1, 2, 3, 4, 5, 6, 7])
        .keyBy('key')
        .window(tumblingWindows(5))
        .apply<string>((key, { start, end }, elements, out) =>
          out.collect(`${key} [${start}, ${end}): ${sortedValues(elements).join(' ')}`),
        )
        .executeAndCollect()
      assert.deepEqual(groups.toSorted(), [
        'k1 [0, 5): 3',
        'k1 [5, 10): 4',
        'k2 [0, 5): 66',
        'k2 [5, 10): -33',
        'k3 [5, 10): 0',
        'k5 [0, 5): -2147483648 2147483647',
      ])
    })
  })
})

/** Ascending: several subtasks give the records of a key no order. */
function sortedValues(elements: readonly Keyed<number>[]): number[] {
  return elements.map(({ value }) => value).toSorted((a, b) => a - b)
}

/** CombineTest's table. */
const TABLE = [
  { key: 'a', value: 1 },
  { key: 'a', value: 1 },
  { key: 'a', value: 4 },
  { key: 'b', value: 1 },
  { key: 'b', value: 13 },
]

function timestamped(env: StreamEnvironment, pairs: readonly Keyed<number>[], times: readonly number[]) {
  return env
    .fromElements(...pairs.map((pair, index) => ({ ...pair, at: times[index] as number })))
    .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: ({ at }) => at }))
}

async function eachRun(check: (env: StreamEnvironment) => Promise<void>): Promise<void> {
  for (const parallelism of [1, 2]) {
    for (let seed = 1; seed <= 10; seed++)
      await check(new StreamEnvironment(new SimulatedLauncher(parallelism, { seed })))
  }
}

describe('CombineTest', () => {
  const cases: [string, WindowAssigner<unknown>, number[], number[], string[]][] = [
    ['testFixedWindowsCombine', tumblingWindows(2), [0, 1, 6, 7, 8], [2, 5, 13], ['a 11', 'a 4', 'b 1', 'b 13']],
    [
      'testSessionsCombine',
      sessionWindows(5, { touching: 'separate' }),
      [0, 4, 7, 10, 16],
      [7, 13],
      ['a 114', 'b 1', 'b 13'],
    ],
  ]
  for (const [name, windows, times, sums, texts] of cases) {
    test(`${name}: over all keys, and per key`, () =>
      eachRun(async env => {
        const input = timestamped(env, TABLE, times)
        const overall = await input
          .windowAll(windows)
          .sum('value')
          .map(({ value }) => value)
          .executeAndCollect()
        assert.deepEqual(
          overall.toSorted((a, b) => a - b),
          sums,
        )
        const perKey = await input
          .keyBy('key')
          .window(windows)
          .apply<string>((key, _window, elements, out) => out.collect(`${key} ${sortedValues(elements).join('')}`))
          .executeAndCollect()
        assert.deepEqual(perKey.toSorted(), texts)
      }))
  }

  test('testHotKeyCombining: the means of 10 copies are 2 and 7', () =>
    eachRun(async env => {
      const copies = Array.from({ length: 10 }, () => TABLE).flat()
      const means = await env
        .fromElements(...copies)
        .keyBy('key')
        .window(globalWindows())
        .aggregate(avg('value'), (mean, { key }) => `${key} ${mean}`)
        .executeAndCollect()
      assert.deepEqual(means.toSorted(), ['a 2', 'b 7'])
    }))

  test('testGlobalCombineWithDefaultsAndTriggers: a pane per record, and the final one has the whole sum', () =>
    eachRun(async env => {
      const trigger = repeatedly(afterCount(1))
      const sums = await env
        .fromElements(1, 1)
        .windowAll(globalWindows(), { trigger, finalPane: 'always' })
        .reduce(
          (a, b) => a + b,
          (sum, { pane }) => `${sum}: ${pane.isLast}`,
        )
        .executeAndCollect()
      assert.deepEqual(sums, ['1: false', '2: false', '2: true'])
    }))
})
