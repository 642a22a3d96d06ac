// Sources with a watermark strategy: a generator for each split, merged by the smallest; idle, ended and aligned splits.
import test, { describe } from 'node:test'
import type { ReaderContext, ReadStatus, SourceOutput, SplitReader } from '../model/connector.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import type { WatermarkStrategy } from '../model/watermark-strategy.ts'
import { customSource } from '../testing/collections.ts'
import { verifyOperator } from '../testing/operator-harness.ts'
import { end, out, processingTime, statusOut, stop, watermarkOut } from '../testing/operator-script.ts'
import { forBoundedOutOfOrderness, forGenerator, forMonotonousTimestamps } from '../time/watermark-strategies.ts'

type Records = readonly number[]
/** What a split has, by the processing time at which it comes. */
type Schedule = readonly (readonly [dueMs: number, records: Records])[]

const timestamp = (n: number): number => n

/** A source of one split for each schedule; a split emits one record a call where `isOneByOne`. */
function sourceOf(
  strategy: WatermarkStrategy<number>,
  schedules: readonly Schedule[],
  isOneByOne = true,
): () => OperatorSpec {
  const source = customSource({
    splits: () => schedules.map((_, index) => ({ id: `split ${index}`, position: 0 })),
    open: (split, context) => {
      const schedule = schedules[Number(split.id.slice(6))] as Schedule
      return scheduled(schedule, context, { isOneByOne, from: split.position as number })
    },
  })
  return () => ({ kind: 'source', source, strategy: strategy as WatermarkStrategy<never> })
}

function scheduled(
  schedule: Schedule,
  { clock }: ReaderContext,
  { isOneByOne, from }: { readonly isOneByOne: boolean; readonly from: number },
): SplitReader<unknown> {
  const records = schedule.flatMap(([dueMs, values]) => values.map(value => ({ dueMs, value })))
  const lastMs = schedule.at(-1)?.[0] ?? 0
  let next = from
  const isDue = (): boolean => (records[next]?.dueMs ?? Infinity) <= clock.now()
  return {
    read(output: SourceOutput<unknown>): ReadStatus {
      while (isDue()) if (!output.emit(records[next++]?.value) || isOneByOne) break
      if (next === records.length && lastMs <= clock.now()) return 'end'
      return isDue() ? 'more' : 'waiting'
    },
    get wakeAtMs() {
      return records[next]?.dueMs ?? lastMs
    },
    position: () => next,
    close: () => {},
  }
}

describe('a watermark per split', () => {
  test('is merged by the smallest, so a fast split makes no record of a slow one late', () =>
    verifyOperator({
      operator: sourceOf(forMonotonousTimestamps({ timestamp, emit: 'per-record' }), [
        [[0, [100, 200, 300]]],
        [[0, [10, 20, 30, 40]]],
      ]),
      script: [end],
      expect: {
        output: [
          out(100, 100),
          out(10, 10),
          watermarkOut(9),
          out(200, 200),
          out(20, 20),
          watermarkOut(19),
          out(300, 300),
          out(30, 30),
          watermarkOut(29),
          out(40, 40),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('leaves the split out that ended, and needs none from a subtask without splits', async () => {
    await verifyOperator({
      operator: sourceOf(forMonotonousTimestamps({ timestamp, emit: 'per-record' }), [[[0, [5]]], [[0, [10, 20, 30]]]]),
      script: [end],
      expect: {
        output: [
          out(5, 5),
          out(10, 10),
          watermarkOut(9),
          out(20, 20),
          watermarkOut(19),
          out(30, 30),
          watermarkOut(Infinity),
        ],
      },
    })
    await verifyOperator({
      operator: sourceOf(forMonotonousTimestamps({ timestamp }), []),
      script: [end],
      expect: { output: [watermarkOut(Infinity)] },
    })
  })

  test('is asked after each reading unless the strategy says otherwise', () =>
    verifyOperator({
      operator: sourceOf(forBoundedOutOfOrderness(5, { timestamp }), [[[0, [10, 30, 20, 40]]]]),
      script: [end],
      expect: {
        output: [
          out(10, 10),
          watermarkOut(4),
          out(30, 30),
          watermarkOut(24),
          out(20, 20),
          out(40, 40),
          watermarkOut(34),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('may be periodic', () =>
    verifyOperator({
      // Restored generators, and the time without records, begin anew.
      snapshots: 'off',
      operator: sourceOf(forMonotonousTimestamps({ timestamp, emit: { everyMs: 100 } }), [
        [
          [0, [10, 20]],
          [150, [30]],
          [300, []],
        ],
        [
          [0, [15]],
          [160, [40]],
          [300, []],
        ],
      ]),
      script: [
        processingTime(99),
        processingTime(100),
        processingTime(150),
        processingTime(160),
        processingTime(200),
        processingTime(300),
        end,
      ],
      expect: {
        output: [
          out(10, 10),
          out(15, 15),
          out(20, 20),
          watermarkOut(14),
          out(30, 30),
          out(40, 40),
          watermarkOut(29),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('does not end with a stop', () =>
    verifyOperator({
      operator: sourceOf(forMonotonousTimestamps({ timestamp, emit: 'per-record' }), [
        [
          [0, [10]],
          [1000, []],
        ],
        [[0, [20]]],
      ]),
      script: [processingTime(1), stop],
      expect: { output: [out(10, 10), out(20, 20), watermarkOut(9)] },
    }))
})

describe('an idle split', () => {
  const strategy = forMonotonousTimestamps<number>({ timestamp, idleTimeoutMs: 100, emit: 'per-record' })

  test('is left out after the time-out, and taken in again with its next record', () =>
    verifyOperator({
      // Restored generators, and the time without records, begin anew.
      snapshots: 'off',
      operator: sourceOf(strategy, [
        [
          [0, [1]],
          [250, [60]],
          [400, []],
        ],
        [
          [0, [10]],
          [90, [20]],
          [180, [30]],
          [260, [70]],
          [270, [80]],
          [400, []],
        ],
      ]),
      script: [
        processingTime(90),
        processingTime(99),
        processingTime(100),
        processingTime(180),
        processingTime(250),
        processingTime(260),
        processingTime(270),
        stop,
      ],
      expect: {
        output: [
          out(1, 1),
          out(10, 10),
          watermarkOut(0),
          out(20, 20),
          watermarkOut(19),
          out(30, 30),
          watermarkOut(29),
          out(60, 60),
          out(70, 70),
          watermarkOut(59),
          out(80, 80),
        ],
      },
    }))

  test('with all others idle makes the source idle, once, and time stands still', () =>
    verifyOperator({
      // Restored generators, and the time without records, begin anew.
      snapshots: 'off',
      operator: sourceOf(strategy, [
        [
          [0, [1]],
          [300, [50]],
          [1000, []],
        ],
        [
          [20, [10]],
          [1000, []],
        ],
      ]),
      script: [
        processingTime(20),
        processingTime(119),
        processingTime(120),
        processingTime(200),
        processingTime(300),
        stop,
      ],
      expect: {
        output: [
          out(1, 1),
          out(10, 10),
          watermarkOut(0),
          watermarkOut(9),
          statusOut(true),
          out(50, 50),
          watermarkOut(49),
          statusOut(false),
        ],
      },
    }))

  test('keeps the time from ending while all others have ended', () =>
    verifyOperator({
      // Restored generators, and the time without records, begin anew.
      snapshots: 'off',
      operator: sourceOf(strategy, [
        [[0, [10]]],
        [
          [0, [5]],
          [300, [8]],
          [400, []],
        ],
      ]),
      script: [processingTime(100), processingTime(300), processingTime(399), processingTime(400), end],
      expect: {
        output: [
          out(10, 10),
          out(5, 5),
          watermarkOut(4),
          statusOut(true),
          out(8, 8),
          watermarkOut(7),
          statusOut(false),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('is one whose reader is asked again and again and has nothing', () =>
    verifyOperator({
      // Restored generators, and the time without records, begin anew.
      snapshots: 'off',
      operator: () => ({
        kind: 'source',
        strategy: strategy as WatermarkStrategy<never>,
        source: customSource({
          splits: () => [{ id: 'only', position: 0 }],
          open: (_split, { clock }) => {
            let wakeAtMs = 0
            return {
              read(output) {
                if (wakeAtMs === 0) output.emit(1)
                wakeAtMs = clock.now() + 10
                return 'waiting'
              },
              get wakeAtMs() {
                return wakeAtMs
              },
              position: () => 0,
              close: () => {},
            }
          },
        }),
      }),
      script: [...Array.from({ length: 11 }, (_, index) => processingTime(10 * index)), stop],
      expect: { output: [out(1, 1), watermarkOut(0), statusOut(true)] },
    }))
})

describe('the timestamps of a split', () => {
  test('may be those that the source gives', () =>
    verifyOperator({
      operator: () => ({
        kind: 'source',
        strategy: forMonotonousTimestamps() as WatermarkStrategy<never>,
        source: customSource({
          splits: () => [{ id: 'only', position: 0 }],
          open: () => ({
            read(output) {
              output.emit('a', 7)
              return 'end'
            },
            position: () => 0,
            close: () => {},
          }),
        }),
      }),
      script: [end],
      expect: { output: [out('a', 7), watermarkOut(6), watermarkOut(Infinity)] },
    }))

  test('that are missing or wrong name the step', () =>
    verifyOperator({
      operator: sourceOf(forMonotonousTimestamps(), [[[0, [1]]]]),
      script: [end],
      expect: { failure: { code: 'TIMESTAMP_MISSING', message: /step "step": record 1 has no timestamp/ } },
    }))

  test('of a generator that cannot be made fail the job at its start', () =>
    verifyOperator({
      operator: sourceOf(
        forGenerator<number>(
          () => {
            throw new Error('no generator')
          },
          { timestamp },
        ),
        [[[0, [1]]]],
      ),
      script: [end],
      expect: {
        failure: {
          code: 'USER_FUNCTION_FAILED',
          message: /step "step": .*making its watermark generator: Error: no generator/,
        },
      },
    }))

  test('in the future move the watermark of their split to the limit only', () =>
    verifyOperator({
      // Restored generators, and the time without records, begin anew.
      snapshots: 'off',
      operator: sourceOf(forMonotonousTimestamps({ timestamp, futureLimitMs: 100, emit: 'per-record' }), [
        [[0, [50, 5000, 60]]],
        [[0, [40, 200]]],
      ]),
      script: [end],
      expect: {
        output: [
          out(50, 50),
          out(40, 40),
          watermarkOut(39),
          out(5000, 5000),
          out(200, 200),
          watermarkOut(99),
          out(60, 60),
          watermarkOut(Infinity),
        ],
        futureTimestamps: 2,
      },
    }))
})

describe('aligned splits of a subtask', () => {
  test('wait while they are ahead of the slowest by more than the drift, and go on when it has caught up or ended', () =>
    verifyOperator({
      // Restored generators, and the time without records, begin anew.
      snapshots: 'off',
      operator: sourceOf(
        forMonotonousTimestamps({ timestamp, emit: 'per-record', alignment: { group: 'g', maxDriftMs: 10 } }),
        [
          [[0, [0, 20, 40, 60, 80]]],
          [
            [0, [0]],
            [10, [10]],
            [20, [30]],
            [30, []],
          ],
        ],
        false,
      ),
      script: [processingTime(9), processingTime(10), processingTime(20), processingTime(30), end],
      expect: {
        output: [
          out(0, 0),
          out(0, 0),
          watermarkOut(-1),
          out(20, 20),
          out(10, 10),
          watermarkOut(9),
          out(40, 40),
          out(30, 30),
          watermarkOut(29),
          out(60, 60),
          watermarkOut(59),
          out(80, 80),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('do not wait for an idle one, nor become idle by waiting', () =>
    verifyOperator({
      // Restored readers and generators of this test begin anew.
      snapshots: 'off',
      operator: sourceOf(
        forMonotonousTimestamps({
          timestamp,
          emit: 'per-record',
          idleTimeoutMs: 100,
          alignment: { group: 'g', maxDriftMs: 0 },
        }),
        [
          [[0, [0, 20, 40]]],
          [
            [0, [0]],
            [90, [5]],
            [180, [6]],
            [500, []],
          ],
        ],
        false,
      ),
      script: [processingTime(90), processingTime(180), processingTime(279), processingTime(280), stop],
      expect: {
        output: [
          out(0, 0),
          out(0, 0),
          watermarkOut(-1),
          out(20, 20),
          out(5, 5),
          watermarkOut(4),
          out(6, 6),
          watermarkOut(5),
          watermarkOut(19),
          out(40, 40),
          watermarkOut(39),
          statusOut(true),
        ],
      },
    }))
})
