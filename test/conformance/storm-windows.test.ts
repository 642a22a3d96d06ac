// Storm's windows: the scenarios of its WindowManagerTest (storm-client/test/jvm/org/apache/storm/windowing), same numbers. Its watermark events are
// watermarks here: a window fires when the watermark reaches its end.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { StreamEnvironment } from '../../src/api/datastream/environment.ts'
import { functionSelector } from '../../src/model/key.ts'
import { type MixedExtent, type MixedWindow, type MixedWindowSpec, records } from '../../src/model/mixed-window-spec.ts'
import { verifyOperator } from '../../src/testing/operator-harness.ts'
import {
  type OutputElement,
  out,
  processingTime,
  record,
  type ScriptStep,
  stop,
  watermark,
  watermarkOut,
} from '../../src/testing/operator-script.ts'
import { forBoundedOutOfOrderness } from '../../src/time/watermark-strategies.ts'
import { SimulatedLauncher } from './support/simulated-launcher.ts'

/** The numbers of the records in a window, those that are new in it, and those that left. */
interface Lists {
  readonly all: readonly number[]
  readonly new: readonly number[]
  readonly expired: readonly number[]
}

function listsOf({ elements, added, expired }: MixedWindow<number>): Lists {
  return { all: elements, new: added, expired }
}

/** A duration in ms as plain number, else a number of records. */
type Extent = number | { readonly records: number }

function extentOf(extent: Extent): MixedExtent {
  return typeof extent === 'number' ? { kind: 'time', durationMs: extent } : { kind: 'records', count: extent.records }
}

function verify(
  { length, slide, time = 'event-time' }: { length: Extent; slide: Extent; time?: MixedWindowSpec['timeDomain'] },
  script: readonly ScriptStep[],
  output: readonly OutputElement[],
): Promise<void> {
  const window: MixedWindowSpec = {
    timeDomain: time,
    length: extentOf(length),
    slide: extentOf(slide),
    lagMs: 0,
    recordsMax: 1000,
    function: {
      kind: 'process',
      process: (_key, found, collector) => collector.collect(listsOf(found as MixedWindow<number>)),
    },
  }
  return verifyOperator({
    operator: { kind: 'mixed-window', window },
    keySelectors: [functionSelector(() => null)],
    script: [...script, stop],
    expect: { output },
  })
}

/** `add(event, ts)`. */
function add(event: number, timestamp?: number): ScriptStep {
  return record(event, timestamp === undefined ? {} : { timestamp })
}

function seq(first: number, last = first): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

/** An activation, with the lists that the scenario states. */
function fired(timestamp: number | undefined, all: number[], added: number[], expired: number[] = []): OutputElement {
  return out({ all, new: added, expired }, timestamp)
}

describe('WindowManagerTest, event time', () => {
  test('testEventTimeBasedWindow', () =>
    verify(
      { length: 20, slide: 10 },
      [
        add(1, 603),
        add(2, 605),
        add(3, 607),
        watermark(609),
        add(4, 618),
        add(5, 626),
        add(6, 636),
        watermark(631),
        add(7, 825),
        add(8, 826),
        add(9, 827),
        add(10, 839),
        watermark(834),
      ],
      [
        watermarkOut(609),
        fired(610, seq(1, 3), seq(1, 3)),
        fired(620, seq(1, 4), [4]),
        fired(630, [4, 5], [5], seq(1, 3)),
        watermarkOut(631),
        fired(640, [5, 6], [6], [4]),
        fired(650, [6], [], [5]),
        fired(830, seq(7, 9), seq(7, 9)),
        watermarkOut(834),
      ],
    ))

  test('testCountBasedWindowWithEventTs', () =>
    verify(
      { length: records(3), slide: 10 },
      [
        add(1, 603),
        add(2, 605),
        add(3, 607),
        add(4, 618),
        add(5, 626),
        add(6, 636),
        watermark(631),
        add(7, 665),
        add(8, 666),
        add(9, 667),
        add(10, 679),
        watermark(674),
      ],
      [
        fired(610, seq(1, 3), seq(1, 3)),
        fired(620, seq(2, 4), [4], [1]),
        fired(630, seq(3, 5), [5], [2]),
        watermarkOut(631),
        fired(640, seq(4, 6), [6], [3]),
        fired(650, seq(4, 6), []),
        fired(660, seq(4, 6), []),
        fired(670, seq(7, 9), seq(7, 9), seq(4, 6)),
        watermarkOut(674),
      ],
    ))

  test('testCountBasedTriggerWithEventTs', () =>
    verify(
      { length: 20, slide: records(3) },
      [
        add(1, 603),
        add(2, 605),
        add(3, 607),
        add(4, 618),
        add(5, 625),
        add(6, 626),
        add(7, 629),
        add(8, 636),
        watermark(631),
        add(9, 665),
        add(10, 666),
        add(11, 667),
        add(12, 669),
        add(12, 679),
        watermark(674),
      ],
      [
        fired(607, seq(1, 3), seq(1, 3)),
        fired(626, seq(3, 6), seq(4, 6), [1, 2]),
        watermarkOut(631),
        fired(665, [9], [9], seq(3, 8)),
        fired(669, seq(9, 12), seq(10, 12)),
        watermarkOut(674),
      ],
    ))

  const sameTimes = [10, 10, 11, 12, 12, 12, 12, 13, 14, 15].map((at, index) => add(index + 1, at))

  test('testCountBasedTumblingWithSameEventTs', () =>
    verify(
      { length: records(2), slide: records(2) },
      [...sameTimes, watermark(20)],
      [
        fired(10, [1, 2], [1, 2]),
        fired(12, [3, 4], [3, 4], [1, 2]),
        fired(12, [5, 6], [5, 6], [3, 4]),
        fired(13, [7, 8], [7, 8], [5, 6]),
        fired(15, [9, 10], [9, 10], [7, 8]),
        watermarkOut(20),
      ],
    ))

  test('testCountBasedSlidingWithSameEventTs', () =>
    verify(
      { length: records(5), slide: records(2) },
      [...sameTimes, watermark(20)],
      [
        fired(10, seq(1, 2), seq(1, 2)),
        fired(12, seq(1, 4), seq(3, 4)),
        fired(12, seq(2, 6), seq(5, 6), [1]),
        fired(13, seq(4, 8), seq(7, 8), [2, 3]),
        fired(15, seq(6, 10), seq(9, 10), [4, 5]),
        watermarkOut(20),
      ],
    ))

  test('testEventTimeLag: records that are out of order are in the window of their time', () =>
    verify(
      { length: 20, slide: 10 },
      [
        add(1, 603),
        add(2, 605),
        add(3, 607),
        add(4, 618),
        add(5, 626),
        add(6, 632),
        add(7, 629),
        add(8, 636),
        watermark(631),
      ],
      [
        fired(610, seq(1, 3), seq(1, 3)),
        fired(620, seq(1, 4), [4]),
        fired(630, [4, 5, 7], [5, 7], seq(1, 3)),
        watermarkOut(631),
      ],
    ))

  for (const [policy, length] of [
    ['Count', records(100)],
    ['Time', 100],
  ] as const) {
    test(`testExpireThresholdWithWatermark${policy}EvictionPolicy: nothing expires before a watermark`, () =>
      verify(
        { length, slide: records(100) },
        [
          ...seq(1, 100).map(event => add(event, event)),
          watermark(100),
          ...seq(101, 200).map(event => add(event, event)),
          watermark(201),
        ],
        [
          fired(100, seq(1, 100), seq(1, 100)),
          watermarkOut(100),
          fired(200, seq(101, 200), seq(101, 200), seq(1, 100)),
          watermarkOut(201),
        ],
      ))
  }
})

describe('WindowManagerTest, processing time', () => {
  test('testCountBasedWindow', () =>
    verify(
      { length: records(5), slide: records(2), time: 'processing-time' },
      seq(1, 8).map(event => add(event)),
      [
        fired(undefined, [1, 2], [1, 2]),
        fired(undefined, seq(1, 4), [3, 4]),
        fired(undefined, seq(2, 6), [5, 6], [1]),
        fired(undefined, seq(4, 8), [7, 8], [2, 3]),
      ],
    ))

  test('testTumblingWindow', () =>
    verify(
      { length: records(3), slide: records(3), time: 'processing-time' },
      seq(1, 6).map(event => add(event)),
      [fired(undefined, seq(1, 3), seq(1, 3)), fired(undefined, seq(4, 6), seq(4, 6), seq(1, 3))],
    ))

  test('testTimeBasedWindowExpiry: a window without records does not fire', () =>
    verify(
      { length: 100, slide: 60, time: 'processing-time' },
      [processingTime(5), ...seq(1, 10).map(event => add(event)), processingTime(125), processingTime(185)],
      [fired(60, seq(1, 10), seq(1, 10))],
    ))
})

/** A job of the public calls over the records of testEventTimeBasedWindow. */
async function windowsOf(parallelism: number, seed: number): Promise<Lists[]> {
  const env = new StreamEnvironment(new SimulatedLauncher(parallelism, { seed }))
  const times = [603, 605, 607, 618, 626, 636, 825, 826, 827, 839]
  return env
    .fromElements(...times.map((at, index) => ({ event: index + 1, at })))
    .assignTimestampsAndWatermarks(forBoundedOutOfOrderness(5, { timestamp: each => each.at }))
    .keyBy(() => null)
    .mixedWindow({ length: 20, slide: 10 })
    .process<Lists>((_key, { elements, added, expired }, collector) => {
      const numbers = (events: readonly { event: number }[]): number[] => events.map(({ event }) => event)
      collector.collect({ all: numbers(elements), new: numbers(added), expired: numbers(expired) })
    })
    .executeAndCollect()
}

test('a job over the same records fires the same windows, and at the end those that are left', async () => {
  for (const parallelism of [1, 2]) {
    for (let seed = 1; seed <= 20; seed++) {
      assert.deepEqual(
        await windowsOf(parallelism, seed),
        [
          { all: [1, 2, 3], new: [1, 2, 3], expired: [] },
          { all: [1, 2, 3, 4], new: [4], expired: [] },
          { all: [4, 5], new: [5], expired: [1, 2, 3] },
          { all: [5, 6], new: [6], expired: [4] },
          { all: [6], new: [], expired: [5] },
          { all: [7, 8, 9], new: [7, 8, 9], expired: [] },
          { all: [7, 8, 9, 10], new: [10], expired: [] },
          { all: [10], new: [], expired: [7, 8, 9] },
        ],
        `parallelism ${parallelism}, seed ${seed}`,
      )
    }
  }
})
