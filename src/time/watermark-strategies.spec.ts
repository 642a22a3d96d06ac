import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { forBoundedOutOfOrderness, forMonotonousTimestamps } from './watermark-strategies.ts'

describe('forMonotonousTimestamps', () => {
  it('stays one millisecond behind the newest timestamp', () => {
    const generator = forMonotonousTimestamps().generator()
    assert.equal(generator.current(), -Infinity)
    generator.onRecord(1000)
    assert.equal(generator.current(), 999)
    generator.onRecord(1000)
    assert.equal(generator.current(), 999)
    generator.onRecord(3000)
    assert.equal(generator.current(), 2999)
  })

  it('describes itself', () => {
    assert.equal(forMonotonousTimestamps().description, 'monotonous timestamps')
  })
})

describe('forBoundedOutOfOrderness', () => {
  it('stays the bound and one millisecond behind the newest timestamp, and never goes back', () => {
    const generator = forBoundedOutOfOrderness(500).generator()
    generator.onRecord(2000)
    assert.equal(generator.current(), 1499)
    generator.onRecord(1600)
    assert.equal(generator.current(), 1499)
    generator.onRecord(-1)
    assert.equal(generator.current(), 1499)
  })

  it('makes no record late that is out of order by the bound or less', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 50 }),
        fc.array(fc.record({ base: fc.integer({ min: -1000, max: 1000 }), lag: fc.nat(50) }), { maxLength: 50 }),
        (boundMs, records) => {
          const generator = forBoundedOutOfOrderness(boundMs).generator()
          let newest = -Infinity
          for (const { base, lag } of records) {
            const timestamp = Math.max(base, newest) - Math.min(lag, boundMs)
            assert.ok(timestamp > generator.current(), `${timestamp} is late at ${generator.current()}`)
            generator.onRecord(timestamp)
            newest = Math.max(newest, timestamp)
            assert.equal(generator.current(), newest - boundMs - 1)
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  it('makes a generator of its own for every subtask', () => {
    const strategy = forBoundedOutOfOrderness(0)
    strategy.generator().onRecord(5)
    assert.equal(strategy.generator().current(), -Infinity)
  })

  it('describes itself with its bound', () => {
    assert.equal(forBoundedOutOfOrderness(5000).description, 'bounded out-of-orderness 5000 ms')
  })

  for (const outOfOrdernessMs of [-1, NaN, Infinity]) {
    it(`refuses ${outOfOrdernessMs} ms`, () => {
      assert.throws(() => forBoundedOutOfOrderness(outOfOrdernessMs), {
        code: 'OPTION_INVALID',
        message: `OPTION_INVALID: forBoundedOutOfOrderness(${outOfOrdernessMs}): give milliseconds from 0`,
      })
    })
  }
})

describe('the options of both', () => {
  it('keep the timestamp function and the idle timeout', () => {
    const timestamp = (record: { at: number }): number => record.at
    for (const strategy of [
      forMonotonousTimestamps({ timestamp, idleTimeoutMs: 10 }),
      forBoundedOutOfOrderness(5, { timestamp, idleTimeoutMs: 10 }),
    ]) {
      assert.equal(strategy.timestamp, timestamp)
      assert.equal(strategy.idleTimeoutMs, 10)
      assert.ok(Object.isFrozen(strategy))
    }
  })

  for (const idleTimeoutMs of [0, -1, NaN, Infinity]) {
    it(`refuse an idle timeout of ${idleTimeoutMs} ms`, () => {
      const expected = {
        code: 'OPTION_INVALID',
        message: `OPTION_INVALID: idleTimeoutMs is ${idleTimeoutMs}; give milliseconds above 0, or leave it out`,
      }
      assert.throws(() => forMonotonousTimestamps({ idleTimeoutMs }), expected)
      assert.throws(() => forBoundedOutOfOrderness(1, { idleTimeoutMs }), expected)
    })
  }
})
