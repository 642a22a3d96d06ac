// Event time and watermarks made by a strategy, idleness, and what is no timestamp.
import test, { describe } from 'node:test'
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
import { forBoundedOutOfOrderness, forMonotonousTimestamps } from '../time/watermark-strategies.ts'

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

describe('idleness', () => {
  const operator = timestamps(forMonotonousTimestamps({ timestamp, idleTimeoutMs: 1000 }))

  test('begins after the time-out without records, once, and ends with the next record', () =>
    verifyOperator({
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
