// Event time and watermarks made by a strategy, idleness, and what is no timestamp.
import test, { describe } from 'node:test'
import type { Logger } from '../base/logger.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import type { WatermarkStrategy } from '../model/watermark-strategy.ts'
import { verifyOperator } from '../testing/operator-harness.ts'
import {
  end,
  out,
  processingTime,
  record,
  statusOut,
  stop,
  watermark,
  watermarkOut,
} from '../testing/operator-script.ts'
import { forBoundedOutOfOrderness, forGenerator, forMonotonousTimestamps } from '../time/watermark-strategies.ts'

function timestamps(strategy: WatermarkStrategy<number>): OperatorSpec {
  return { kind: 'timestamps', strategy: strategy as WatermarkStrategy<never> }
}

const timestamp = (n: number): number => n

describe('a watermark strategy', () => {
  test('gives records their timestamps, and a watermark after each batch that moves it', () =>
    verifyOperator({
      operator: timestamps(forMonotonousTimestamps({ timestamp })),
      script: [record(10), record(10), record(30), record(20), end],
      expect: {
        output: [
          out(10, 10),
          watermarkOut(9),
          out(10, 10),
          out(30, 30),
          watermarkOut(29),
          out(20, 20),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('stays behind by the bound', () =>
    verifyOperator({
      operator: timestamps(forBoundedOutOfOrderness(100, { timestamp })),
      script: [record(1000), record(950), record(1200), end],
      expect: {
        output: [
          out(1000, 1000),
          watermarkOut(899),
          out(950, 950),
          out(1200, 1200),
          watermarkOut(1099),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('may keep the timestamps that there are, or see them', async () => {
    await verifyOperator({
      operator: timestamps(forMonotonousTimestamps()),
      script: [record(1, { timestamp: 50 }), end],
      expect: { output: [out(1, 50), watermarkOut(49), watermarkOut(Infinity)] },
    })
    await verifyOperator({
      operator: timestamps(forMonotonousTimestamps({ timestamp: (n, previous) => n + (previous ?? 1000) })),
      script: [record(1, { timestamp: 50 }), record(2), end],
      expect: { output: [out(1, 51), watermarkOut(50), out(2, 1002), watermarkOut(1001), watermarkOut(Infinity)] },
    })
  })

  test('takes the place of watermarks from upstream, but for the last', () =>
    verifyOperator({
      operator: timestamps(forMonotonousTimestamps({ timestamp })),
      script: [watermark(500), record(10), watermark(600), end],
      expect: { output: [out(10, 10), watermarkOut(9), watermarkOut(Infinity)] },
    }))

  test('gives no final watermark at a stop', () =>
    verifyOperator({
      operator: timestamps(forMonotonousTimestamps({ timestamp })),
      script: [record(10), stop],
      expect: { output: [out(10, 10), watermarkOut(9)] },
    }))

  test('whose generator goes back does not move the watermark back', () =>
    verifyOperator({
      operator: timestamps({
        description: 'the last timestamp',
        timestamp,
        generator: () => {
          let last = -Infinity
          return {
            onRecord: timestampMs => {
              last = timestampMs
            },
            current: () => last,
          }
        },
      }),
      script: [record(10), record(5), record(11), end],
      expect: {
        output: [out(10, 10), watermarkOut(10), out(5, 5), out(11, 11), watermarkOut(11), watermarkOut(Infinity)],
      },
    }))
})

/** A generator that takes negative records for markers: nothing older than their positive follows. */
function markers(emit: WatermarkStrategy<number>['emit']): WatermarkStrategy<number> {
  const make = () => {
    let watermark = -Infinity
    return {
      onRecord: (timestampMs: number, record: number) => {
        if (record < 0) watermark = timestampMs
      },
      current: () => watermark,
    }
  }
  return forGenerator(make, { timestamp: n => Math.abs(n), ...(emit === undefined ? {} : { emit }) })
}

describe('a generator of your own', () => {
  test('sees every record, and is asked after each batch', () =>
    verifyOperator({
      operator: () => timestamps(markers('per-batch')),
      script: [record(10), record(-20), record(15), record(-30), end],
      expect: {
        output: [
          out(10, 10),
          out(-20, 20),
          watermarkOut(20),
          out(15, 15),
          out(-30, 30),
          watermarkOut(30),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('that throws, or gives no number, names the step and the record', async () => {
    const failing = (part: object) => ({
      operator: () =>
        timestamps(forGenerator<number>(() => ({ onRecord: () => {}, current: () => 0, ...part }), { timestamp })),
      script: [record(7), end],
    })
    const boom = (): never => {
      throw new Error('boom')
    }
    await verifyOperator({
      ...failing({ onRecord: boom }),
      expect: {
        failure: { code: 'USER_FUNCTION_FAILED', message: /step "step": its function threw on record 7: Error: boom/ },
      },
    })
    await verifyOperator({
      ...failing({ current: boom }),
      expect: {
        failure: { code: 'USER_FUNCTION_FAILED', message: /threw asking its watermark generator: Error: boom/ },
      },
    })
    for (const wrong of [Number.NaN, undefined, '5']) {
      await verifyOperator({
        ...failing({ current: () => wrong }),
        expect: {
          failure: {
            code: 'USER_FUNCTION_RESULT',
            message: /current\(\) of its watermark generator returned .*; expected/,
          },
        },
      })
    }
  })
})

describe('a watermark after each record', () => {
  test('goes on before the next record, in batches of any size', () =>
    verifyOperator({
      operator: timestamps(forMonotonousTimestamps({ timestamp, emit: 'per-record' })),
      script: [record(10), record(10), record(30), record(20), record(40), end],
      expect: {
        output: [
          out(10, 10),
          watermarkOut(9),
          out(10, 10),
          out(30, 30),
          watermarkOut(29),
          out(20, 20),
          out(40, 40),
          watermarkOut(39),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('may come of some records only: punctuated', () =>
    verifyOperator({
      operator: () => timestamps(markers('per-record')),
      script: [record(10), record(-20), record(15), record(-15), record(-30), record(5), stop],
      expect: {
        output: [
          out(10, 10),
          out(-20, 20),
          watermarkOut(20),
          out(15, 15),
          out(-15, 15),
          out(-30, 30),
          watermarkOut(30),
          out(5, 5),
        ],
      },
    }))
})

describe('a periodic watermark', () => {
  test('goes on when processing time has come, whatever the batches', () =>
    verifyOperator({
      // A restored generator, and the time without records, begin anew.
      snapshots: 'off',
      operator: timestamps(forMonotonousTimestamps({ timestamp, emit: { everyMs: 100 } })),
      script: [
        record(10),
        record(20),
        processingTime(99),
        record(30),
        processingTime(100),
        record(40),
        processingTime(150),
        processingTime(350),
        processingTime(400),
        record(50),
        processingTime(449),
        processingTime(450),
        record(60),
        end,
      ],
      expect: {
        output: [
          out(10, 10),
          out(20, 20),
          out(30, 30),
          watermarkOut(29),
          out(40, 40),
          watermarkOut(39),
          out(50, 50),
          watermarkOut(49),
          out(60, 60),
          watermarkOut(Infinity),
        ],
      },
    }))
})

describe('timestamps in the future', () => {
  const PRESENT = Date.UTC(2026, 0, 1)
  const HOUR = 3_600_000

  test('move the watermark to the limit, are counted, and leave as they are', () =>
    verifyOperator({
      operator: timestamps(forMonotonousTimestamps({ timestamp })),
      startMs: PRESENT,
      script: [record(PRESENT), record(PRESENT + 1000 * HOUR), record(PRESENT + 1), end],
      expect: {
        output: [
          out(PRESENT, PRESENT),
          watermarkOut(PRESENT - 1),
          out(PRESENT + 1000 * HOUR, PRESENT + 1000 * HOUR),
          watermarkOut(PRESENT + 24 * HOUR - 1),
          out(PRESENT + 1, PRESENT + 1),
          watermarkOut(Infinity),
        ],
        futureTimestamps: 1,
      },
    }))

  test('have a limit of your own, or none', async () => {
    const script = [record(PRESENT + 2 * HOUR), end]
    const output = (watermarkMs: number) => [
      out(PRESENT + 2 * HOUR, PRESENT + 2 * HOUR),
      watermarkOut(watermarkMs),
      watermarkOut(Infinity),
    ]
    await verifyOperator({
      operator: timestamps(forMonotonousTimestamps({ timestamp, futureLimitMs: HOUR })),
      startMs: PRESENT,
      script,
      expect: { output: output(PRESENT + HOUR - 1), futureTimestamps: 1 },
    })
    await verifyOperator({
      operator: timestamps(forMonotonousTimestamps({ timestamp, futureLimitMs: Infinity })),
      startMs: PRESENT,
      script: [record(Number.MAX_SAFE_INTEGER), end],
      expect: {
        output: [
          out(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
          watermarkOut(Number.MAX_SAFE_INTEGER - 1),
          watermarkOut(Infinity),
        ],
      },
    })
    await verifyOperator({
      operator: timestamps(forMonotonousTimestamps({ timestamp })),
      script,
      expect: { output: output(PRESENT + 2 * HOUR - 1) },
    })
  })

  test('are logged at first, then every ten seconds with their number', () => {
    const lines: unknown[] = []
    const logger: Logger = {
      log: (level, _message, fields) => lines.push([level, fields?.step, fields?.record, fields?.count]),
    }
    return verifyOperator({
      operator: () => {
        lines.length = 0
        return timestamps(forMonotonousTimestamps({ timestamp, futureLimitMs: 1000 }))
      },
      name: 'clicks',
      logger,
      startMs: PRESENT,
      script: [
        ...[1, 2, 3].map(n => record(PRESENT + n * HOUR)),
        processingTime(PRESENT + 9999),
        record(PRESENT + 4 * HOUR),
        processingTime(PRESENT + 10_000),
        record(PRESENT + 5 * HOUR),
        record(PRESENT + 6 * HOUR),
        stop,
      ],
      expect: {
        futureTimestamps: 6,
        observed: [
          ['warn', 'clicks', String(PRESENT + HOUR), 1],
          ['warn', 'clicks', String(PRESENT + 5 * HOUR), 4],
        ],
      },
      observe: () => lines,
    })
  })
})

describe('idleness', () => {
  const operator = timestamps(forMonotonousTimestamps({ timestamp, idleTimeoutMs: 1000 }))

  test('begins after the time-out without records, once, and ends with the next record', () =>
    verifyOperator({
      // A restored generator, and the time without records, begin anew.
      snapshots: 'off',
      operator,
      script: [
        record(10),
        processingTime(999),
        processingTime(1000),
        processingTime(5000),
        record(20),
        processingTime(5500),
        end,
      ],
      expect: {
        output: [
          out(10, 10),
          watermarkOut(9),
          statusOut(true),
          out(20, 20),
          watermarkOut(19),
          statusOut(false),
          watermarkOut(Infinity),
        ],
      },
    }))

  test('begins also where no record ever came', () =>
    verifyOperator({
      // A restored generator, and the time without records, begin anew.
      snapshots: 'off',
      operator,
      script: [processingTime(1000), record(10), end],
      expect: { output: [statusOut(true), out(10, 10), watermarkOut(9), statusOut(false), watermarkOut(Infinity)] },
    }))

  test('does not begin while records come in time', () =>
    verifyOperator({
      operator,
      script: [
        record(10),
        processingTime(900),
        record(10),
        processingTime(1800),
        record(10),
        processingTime(2700),
        end,
      ],
      expect: { output: [out(10, 10), watermarkOut(9), out(10, 10), out(10, 10), watermarkOut(Infinity)] },
    }))
})

describe('what is no timestamp', () => {
  test('a record without one, where none is assigned, is TIMESTAMP_MISSING', () =>
    verifyOperator({
      operator: timestamps(forMonotonousTimestamps()),
      script: [record(1), end],
      expect: {
        failure: {
          code: 'TIMESTAMP_MISSING',
          message: /record 1 has no timestamp.*give the watermark strategy a timestamp/,
        },
      },
    }))

  for (const wrong of [Number.NaN, Infinity, '2020-01-01', undefined, 5n]) {
    test(`${String(wrong)} (${typeof wrong}) is TIMESTAMP_INVALID`, () =>
      verifyOperator({
        operator: timestamps(forMonotonousTimestamps({ timestamp: () => wrong as number })),
        script: [record(1), end],
        expect: {
          failure: { code: 'TIMESTAMP_INVALID', message: /the timestamp of record 1 is .*expected a finite number/ },
        },
      }))
  }

  test('an assigner that throws names the record', () =>
    verifyOperator({
      operator: timestamps(
        forMonotonousTimestamps({
          timestamp: () => {
            throw new Error('boom')
          },
        }),
      ),
      script: [record(1), record(2), end],
      expect: {
        failure: { code: 'USER_FUNCTION_FAILED', message: /on record 1: Error: boom \(record 1 of subtask 0\)/ },
      },
    }))
})
