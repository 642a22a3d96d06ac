// Beam's TestStreamTest (late data, discarding), GroupIntoBatches, and the timestamp combiners of GroupByKeyTest, on windows.
import test, { describe } from 'node:test'
import { minutes } from '../../src/model/duration.ts'
import { fieldSelector } from '../../src/model/key.ts'
import type { TriggerSpec } from '../../src/model/trigger-spec.ts'
import type { TimestampCombiner } from '../../src/model/window-spec.ts'
import { verifyOperator } from '../../src/testing/operator-harness.ts'
import { end, out, processingTime, watermark, watermarkOut } from '../../src/testing/operator-script.ts'
import { item, valuesText, windowing } from './support/window-cases-of-systems.ts'

const keySelectors = [fieldSelector('k')]
const FIVE_MINUTES = { kind: 'tumbling', sizeMs: minutes(5), offsetMs: 0 } as const

test('testLateDataAccumulating: on time {1, 2, 3}, at last {1..5}; -1, -2, -3 are dropped', () =>
  verifyOperator({
    operator: windowing({
      assigner: FIVE_MINUTES,
      trigger: { kind: 'after-watermark', late: { kind: 'never' } },
      allowedLatenessMs: minutes(5),
      finalPane: 'always',
      function: valuesText,
    }),
    keySelectors,
    script: [
      ...[1, 2, 3].map(v => item('a', v, 0)),
      watermark(minutes(6)),
      ...[4, 5].map(v => item('a', v, 0)),
      watermark(minutes(20)),
      ...[-1, -2, -3].map(v => item('a', v, 0)),
      end,
    ],
    expect: {
      output: [
        out('a [0, 300000) on-time: 1 2 3', minutes(5) - 1),
        watermarkOut(minutes(6)),
        out('a [0, 300000) late last: 1 2 3 4 5', minutes(5) - 1),
        watermarkOut(minutes(20)),
        watermarkOut(Infinity),
      ],
      lateRecordsDropped: 3,
    },
  }))

test('testDiscardingMode: an early pane of two, one on time, and the two late ones at last', () =>
  verifyOperator({
    operator: windowing({
      assigner: FIVE_MINUTES,
      trigger: { kind: 'after-watermark', early: { kind: 'after-count', count: 2 }, late: { kind: 'never' } },
      accumulation: 'discarding',
      allowedLatenessMs: minutes(5),
      function: valuesText,
    }),
    keySelectors,
    script: [
      ...[1, 2, 3].map(v => item('a', v, 0)),
      watermark(minutes(6)),
      ...[4, 5].map(v => item('a', v, 0)),
      watermark(minutes(20)),
      end,
    ],
    expect: {
      output: [
        out('a [0, 300000) early: 1 2', minutes(5) - 1),
        out('a [0, 300000) on-time: 3', minutes(5) - 1),
        watermarkOut(minutes(6)),
        out('a [0, 300000) late last: 4 5', minutes(5) - 1),
        watermarkOut(minutes(20)),
        watermarkOut(Infinity),
      ],
    },
  }))

/** Fires when the sizes of the records since the last batch add up. */
const BY_SIZE: TriggerSpec = {
  kind: 'custom',
  trigger: {
    create: () => 0 as never,
    onRecord: ({ v }: never, _timestampMs: number, ctx: never) => {
      const { state, setState } = ctx as { state: number; setState: (state: number) => void }
      const size = state + (v as number)
      setState.call(ctx, size >= 25 ? 0 : size)
      return size >= 25 ? 'fire-and-purge' : 'continue'
    },
  },
}

describe('GroupIntoBatches', () => {
  const batches = (trigger: TriggerSpec) =>
    windowing({ assigner: FIVE_MINUTES, trigger, accumulation: 'discarding', function: valuesText })
  const ofFive: TriggerSpec = { kind: 'repeatedly', trigger: { kind: 'after-count', count: 5 } }
  const numbers = (count: number) => Array.from({ length: count }, (_, v) => item('a', v, v))
  const early = (values: string) => out(`a [0, 300000) early: ${values}`, minutes(5) - 1)

  test('of 5: two from 10 elements', () =>
    verifyOperator({
      operator: batches(ofFive),
      keySelectors,
      script: [...numbers(10), end],
      expect: { output: [early('0 1 2 3 4'), early('5 6 7 8 9'), watermarkOut(Infinity)] },
    }))

  test('of 5: three from 11, the last when the window ends', () =>
    verifyOperator({
      operator: batches(ofFive),
      keySelectors,
      script: [...numbers(11), end],
      expect: {
        output: [
          early('0 1 2 3 4'),
          early('5 6 7 8 9'),
          out('a [0, 300000) on-time last: 10', minutes(5) - 1),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('by a size of 25: three', () =>
    verifyOperator({
      operator: batches(BY_SIZE),
      keySelectors,
      script: [...[10, 10, 10, 20, 5, 3].map((v, at) => item('a', v, at)), end],
      expect: {
        output: [
          early('10 10 10'),
          early('20 5'),
          out('a [0, 300000) on-time last: 3', minutes(5) - 1),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('after the longest time that a batch may wait', () =>
    verifyOperator({
      operator: batches({
        kind: 'repeatedly',
        trigger: { kind: 'after-first', triggers: [ofFive, { kind: 'after-processing-time', delayMs: 100 }] },
      }),
      keySelectors,
      script: [...numbers(7), processingTime(100), item('a', 7, 7), end],
      expect: {
        output: [
          early('0 1 2 3 4'),
          early('5 6'),
          out('a [0, 300000) on-time last: 7', minutes(5) - 1),
          watermarkOut(Infinity),
        ],
      },
    }))
})

describe('the timestamp combiner', () => {
  const expected: Readonly<Record<TimestampCombiner, readonly [timestamp: number, heldAt: number]>> = {
    'end-of-window': [9, 5],
    earliest: [2, 1],
    latest: [4, 3],
  }
  for (const [combiner, [timestamp, heldAt]] of Object.entries(expected)) {
    test(`${combiner} gives ${timestamp} and lets the watermark 5 through as ${heldAt}`, () =>
      verifyOperator({
        operator: windowing({
          assigner: { kind: 'tumbling', sizeMs: 10, offsetMs: 0 },
          timestampCombiner: combiner as TimestampCombiner,
        }),
        keySelectors,
        script: [item('a', 1, 4), item('a', 1, 2), watermark(5), watermark(9), end],
        expect: {
          output: [watermarkOut(heldAt), out('a [0, 10) 2', timestamp), watermarkOut(9), watermarkOut(Infinity)],
        },
      }))
  }
})
