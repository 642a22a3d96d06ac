import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { WatermarkMerger } from './watermark-merger.ts'

describe('WatermarkMerger', () => {
  it('knows no time before every input has told its own', () => {
    const merger = new WatermarkMerger(2)
    assert.equal(merger.watermark, -Infinity)
    assert.equal(merger.advance(0, 10), -Infinity)
    assert.equal(merger.advance(1, 5), 5)
    assert.equal(merger.watermark, 5)
  })

  it('is the smallest of the inputs', () => {
    const merger = new WatermarkMerger(3)
    merger.advance(0, 10)
    merger.advance(1, 20)
    assert.equal(merger.advance(2, 30), 10)
    assert.equal(merger.advance(0, 25), 20)
  })

  it('never goes back, even when an input does', () => {
    const merger = new WatermarkMerger(1)
    merger.advance(0, 10)
    assert.equal(merger.advance(0, 5), 10)
    assert.equal(merger.advance(0, 11), 11)
  })

  it('leaves an idle input out', () => {
    const merger = new WatermarkMerger(2)
    merger.advance(0, 10)
    assert.equal(merger.setIdle(1, true), 10)
    assert.equal(merger.advance(0, 20), 20)
    assert.equal(merger.isIdle, false)
  })

  it('stands still while all inputs are idle', () => {
    const merger = new WatermarkMerger(2)
    merger.advance(0, 10)
    merger.advance(1, 20)
    assert.equal(merger.setIdle(0, true), 20)
    assert.equal(merger.setIdle(1, true), 20)
    assert.equal(merger.isIdle, true)
  })

  it('waits for an input that is active again and behind, without going back', () => {
    const merger = new WatermarkMerger(2)
    merger.advance(0, 10)
    merger.setIdle(1, true)
    merger.advance(0, 100)
    assert.equal(merger.setIdle(1, false), 100)
    assert.equal(merger.advance(0, 200), 100)
    assert.equal(merger.advance(1, 50), 100)
    assert.equal(merger.advance(1, 150), 150)
  })

  it('takes a watermark for a sign that its input is active', () => {
    const merger = new WatermarkMerger(2)
    merger.setIdle(0, true)
    merger.setIdle(1, true)
    merger.advance(0, 10)
    assert.deepEqual([merger.isIdle, merger.watermark], [false, 10])
  })

  it('leaves an ended input out until all have ended', () => {
    const merger = new WatermarkMerger(2)
    merger.advance(0, 10)
    assert.equal(merger.advance(1, Infinity), 10)
    assert.equal(merger.advance(0, 20), 20)
    assert.equal(merger.advance(0, Infinity), Infinity)
    assert.equal(merger.isIdle, false)
  })

  it('does not end the time while an input is only idle: its records would all be late', () => {
    const merger = new WatermarkMerger(2)
    merger.advance(0, 10)
    merger.advance(1, 20)
    merger.setIdle(0, true)
    assert.equal(merger.advance(1, Infinity), 20)
    assert.equal(merger.isIdle, true)
    merger.setIdle(0, false)
    assert.equal(merger.isIdle, false)
    assert.equal(merger.advance(0, 30), 30)
    assert.equal(merger.advance(0, Infinity), Infinity)
  })

  it('is not idle when all inputs have ended', () => {
    const merger = new WatermarkMerger(2)
    merger.advance(0, Infinity)
    merger.advance(1, Infinity)
    merger.setIdle(0, true)
    assert.deepEqual([merger.isIdle, merger.watermark], [false, Infinity])
  })

  it('takes in an input later, without going back, and waits for it', () => {
    const merger = new WatermarkMerger(1)
    merger.advance(0, 10)
    assert.equal(merger.add(), 1)
    assert.equal(merger.watermark, 10)
    assert.equal(merger.advance(0, 30), 10)
    assert.equal(merger.advance(1, 5), 10)
    assert.equal(merger.advance(1, 20), 20)
  })

  it('has no time and is not idle without inputs', () => {
    const merger = new WatermarkMerger(0)
    assert.deepEqual([merger.isIdle, merger.watermark], [false, -Infinity])
  })

  it('tells which input holds the watermark, and how each stands', () => {
    const merger = new WatermarkMerger(3)
    assert.equal(merger.holder, 0)
    merger.advance(0, 10)
    merger.advance(1, 5)
    assert.equal(merger.holder, 2)
    merger.advance(2, 5)
    assert.equal(merger.holder, 1)
    merger.setIdle(1, true)
    assert.equal(merger.holder, 2)
    merger.advance(2, Infinity)
    assert.equal(merger.holder, 0)
    merger.setIdle(0, true)
    assert.equal(merger.holder, -1)
    assert.deepEqual(merger.inputs, [
      { watermark: 10, isIdle: true },
      { watermark: 5, isIdle: true },
      { watermark: Infinity, isIdle: false },
    ])
  })

  it('agrees with its definition under any mix of changes', () => {
    const step = fc.record({
      input: fc.integer({ min: 0, max: 2 }),
      change: fc.oneof(
        { weight: 6, arbitrary: fc.integer({ min: 0, max: 30 }) },
        { weight: 4, arbitrary: fc.constantFrom('idle' as const, 'active' as const) },
        { weight: 1, arbitrary: fc.constant(Infinity) },
      ),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), steps => {
        const merger = new WatermarkMerger(3)
        const inputs = [0, 1, 2].map(() => ({ watermark: -Infinity, isIdle: false }))
        let expected = -Infinity
        for (const { input, change } of steps) {
          const model = inputs[input] as (typeof inputs)[number]
          model.isIdle = change === 'idle'
          if (typeof change === 'number') model.watermark = Math.max(model.watermark, change)
          const running = inputs.filter(({ watermark }) => watermark < Infinity)
          const active = running.filter(({ isIdle }) => !isIdle)
          if (active.length > 0 || running.length === 0) {
            expected = Math.max(expected, Math.min(...active.map(({ watermark }) => watermark)))
          }
          const merged =
            typeof change === 'number' ? merger.advance(input, change) : merger.setIdle(input, model.isIdle)
          assert.deepEqual([merged, merger.watermark], [expected, expected])
          assert.equal(merger.isIdle, running.length > 0 && active.length === 0)
        }
      }),
      { numRuns: 500 },
    )
  })
})
