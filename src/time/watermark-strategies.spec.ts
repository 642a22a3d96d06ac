import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { WatermarkStrategy } from '../model/watermark-strategy.ts'
import {
  forBoundedOutOfOrderness,
  forGenerator,
  forMonotonousTimestamps,
  type WatermarkOptions,
} from './watermark-strategies.ts'

/** The strategies here go by timestamps alone. */
const record = undefined as never

function watermarksAfter(strategy: WatermarkStrategy<never>, timestamps: readonly number[]): number[] {
  const generator = strategy.generator()
  return timestamps.map(timestamp => {
    generator.onRecord(timestamp, record)
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
          generator.onRecord(newest - lag, record)
          generator.onRecord(newest, record)
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

describe('forGenerator', () => {
  it('gives the generators that its function makes, with what they see of records', () => {
    const make = () => {
      let newest = -Infinity
      return {
        onRecord: (timestampMs: number, length: string) => {
          newest = Math.max(newest, timestampMs - length.length)
        },
        current: () => newest,
      }
    }
    const strategy = forGenerator(make, { emit: 'per-record', description: 'by length' })
    const generator = strategy.generator()
    generator.onRecord(10, 'four')
    assert.deepEqual([generator.current(), strategy.generator().current()], [6, -Infinity])
    assert.deepEqual([strategy.description, strategy.emit], ['by length', 'per-record'])
    assert.equal(forGenerator(make).description, 'custom watermarks')
  })

  it('refuses what is no function', () => {
    assert.throws(() => forGenerator({} as never), {
      code: 'OPTION_INVALID',
      message: /forGenerator\(\): expected a function, got \{\}; give a function that returns a new generator/,
    })
  })
})

describe('every strategy', () => {
  const strategies = [
    (options: WatermarkOptions<{ at: number }>) =>
      forGenerator<{ at: number }>(() => forMonotonousTimestamps<{ at: number }>().generator(), options),
    forMonotonousTimestamps,
    (options: WatermarkOptions<{ at: number }>) => forBoundedOutOfOrderness<{ at: number }>(5, options),
  ]

  it('knows no time before the first record, and gives each subtask a generator of its own', () => {
    for (const make of strategies) {
      const strategy = make({})
      const [first, second] = [strategy.generator(), strategy.generator()]
      first.onRecord(100, record)
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

  it('carries how it emits, what it is aligned with, and its limit of the future', () => {
    const options = { emit: { everyMs: 20 }, alignment: { group: 'g', maxDriftMs: 5 }, futureLimitMs: Infinity }
    for (const make of strategies) {
      const { emit, alignment, futureLimitMs } = make(options)
      assert.deepEqual({ emit, alignment, futureLimitMs }, options)
    }
  })

  it('refuses options that are none', () => {
    const mistakes: readonly [object, RegExp][] = [
      [{ emit: 'always' }, /emit is "always"; give 'per-batch', 'per-record', or \{ everyMs \}/],
      [{ emit: null }, /emit is null/],
      [{ emit: { everyMs: 0 } }, /emit is \{"everyMs":0\}/],
      [{ alignment: { group: '', maxDriftMs: 1 } }, /alignment.group is ""; give the name that aligned sources share/],
      [{ alignment: null }, /alignment.group is undefined/],
      [{ alignment: { group: 'g', maxDriftMs: -1 } }, /alignment.maxDriftMs is -1; give milliseconds from 0/],
      [{ alignment: { group: 'g', maxDriftMs: Infinity } }, /maxDriftMs is Infinity/],
      [{ futureLimitMs: -1 }, /futureLimitMs is -1; give milliseconds from 0, or Infinity for no limit/],
      [{ futureLimitMs: Number.NaN }, /futureLimitMs is NaN/],
    ]
    for (const make of strategies) {
      for (const [options, message] of mistakes) assert.throws(() => make(options), { code: 'OPTION_INVALID', message })
    }
  })
})
