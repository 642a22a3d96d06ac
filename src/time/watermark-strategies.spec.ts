import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { WatermarkStrategy } from '../model/watermark-strategy.ts'
import { forBoundedOutOfOrderness, forMonotonousTimestamps } from './watermark-strategies.ts'

function watermarksAfter(strategy: WatermarkStrategy<never>, timestamps: readonly number[]): number[] {
  const generator = strategy.generator()
  return timestamps.map(timestamp => {
    generator.onRecord(timestamp)
    return generator.current()
  })
}

describe('forMonotonousTimestamps', () => {
  it('stays one millisecond behind the newest timestamp', () => {
    assert.deepEqual(watermarksAfter(forMonotonousTimestamps(), [10, 10, 25]), [9, 9, 24])
  })

  it('says what it is', () => {
    assert.equal(forMonotonousTimestamps().description, 'monotonous timestamps')
  })
})

describe('forBoundedOutOfOrderness', () => {
  it('stays the bound and one millisecond behind the newest timestamp, and never goes back', () => {
    assert.deepEqual(watermarksAfter(forBoundedOutOfOrderness(5), [10, 7, 25, 21, -3]), [4, 4, 19, 19, 19])
  })

  it('calls no record late that comes within the bound', () => {
    const bound = 50
    const lags = fc.array(fc.tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: bound })))
    fc.assert(
      fc.property(lags, steps => {
        const generator = forBoundedOutOfOrderness(bound).generator()
        let newest = -100
        for (const [advance, lag] of steps) {
          newest += advance
          assert.ok(newest - lag > generator.current(), 'a watermark says that no record at or before it follows')
          generator.onRecord(newest - lag)
          generator.onRecord(newest)
        }
      }),
    )
  })

  it('says its bound', () => {
    assert.equal(forBoundedOutOfOrderness(5000).description, 'bounded out-of-orderness 5000 ms')
  })

  it('takes a bound of 0 and refuses what is no duration', () => {
    assert.deepEqual(watermarksAfter(forBoundedOutOfOrderness(0), [10]), [9])
    for (const bound of [-1, Number.NaN, Infinity]) {
      assert.throws(() => forBoundedOutOfOrderness(bound), {
        code: 'OPTION_INVALID',
        message: `OPTION_INVALID: forBoundedOutOfOrderness(${bound}): give milliseconds from 0`,
      })
    }
  })
})

describe('every strategy', () => {
  const strategies = [
    forMonotonousTimestamps,
    (options: object) => forBoundedOutOfOrderness<{ at: number }>(5, options),
  ]

  it('knows no time before the first record, and gives each subtask a generator of its own', () => {
    for (const make of strategies) {
      const strategy = make({})
      const [first, second] = [strategy.generator(), strategy.generator()]
      first.onRecord(100)
      assert.ok(first.current() > -Infinity)
      assert.equal(second.current(), -Infinity)
    }
  })

  it('carries the timestamp function and the idle timeout', () => {
    const timestamp = (record: { at: number }): number => record.at
    for (const make of strategies) {
      const strategy = make({ timestamp, idleTimeoutMs: 30 })
      assert.deepEqual([strategy.timestamp, strategy.idleTimeoutMs], [timestamp, 30])
      assert.deepEqual([make({}).timestamp, make({}).idleTimeoutMs], [undefined, undefined])
    }
  })

  it('refuses an idle timeout that is no positive duration', () => {
    for (const make of strategies) {
      for (const idleTimeoutMs of [0, -1, Number.NaN, Infinity]) {
        assert.throws(() => make({ idleTimeoutMs }), {
          code: 'OPTION_INVALID',
          message: `OPTION_INVALID: idleTimeoutMs is ${idleTimeoutMs}; give milliseconds above 0, or leave it out`,
        })
      }
    }
  })
})
