import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { WatermarkMerger } from './watermark-merger.ts'

type Step =
  | { readonly kind: 'advance'; readonly index: number; readonly watermark: number }
  | { readonly kind: 'idle'; readonly index: number; readonly isIdle: boolean }

const INPUTS_MAX = 4
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('advance' as const),
    index: fc.nat(INPUTS_MAX - 1),
    watermark: fc.oneof(
      { weight: 5, arbitrary: fc.integer({ min: -3, max: 12 }) },
      fc.constantFrom(Infinity, -Infinity),
    ),
  }),
  fc.record({ kind: fc.constant('idle' as const), index: fc.nat(INPUTS_MAX - 1), isIdle: fc.boolean() }),
)

/** The merged watermark after each step, computed afresh from the whole history by the rule in words. */
function naiveWatermarks(inputCount: number, steps: readonly Step[]): number[] {
  const best = new Array<number>(inputCount).fill(-Infinity)
  const idle = new Array<boolean>(inputCount).fill(false)
  let merged = -Infinity
  return steps.map(step => {
    if (step.kind === 'idle') idle[step.index] = step.isIdle
    else {
      idle[step.index] = false
      best[step.index] = Math.max(best[step.index] as number, step.watermark)
    }
    const open = best
      .map((watermark, index) => ({ watermark, isIdle: idle[index] }))
      .filter(input => input.watermark < Infinity)
    const active = open.filter(input => !input.isIdle)
    if (open.length === 0) merged = Infinity
    else if (active.length > 0) merged = Math.max(merged, Math.min(...active.map(input => input.watermark)))
    return merged
  })
}

describe('WatermarkMerger', () => {
  it('gives the smallest watermark of the inputs that are neither idle nor ended, and never goes back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: INPUTS_MAX }), fc.array(step, { maxLength: 40 }), (inputCount, all) => {
        const steps = all.filter(({ index }) => index < inputCount)
        const merger = new WatermarkMerger(inputCount)
        const merged = steps.map(step => {
          const returned =
            step.kind === 'advance'
              ? merger.advance(step.index, step.watermark)
              : merger.setIdle(step.index, step.isIdle)
          assert.equal(returned, merger.watermark)
          return returned
        })
        assert.deepEqual(merged, naiveWatermarks(inputCount, steps))
      }),
      { numRuns: 2000 },
    )
  })

  it('has no watermark before every input has one', () => {
    const merger = new WatermarkMerger(2)
    assert.equal(merger.watermark, -Infinity)
    assert.equal(merger.advance(0, 5), -Infinity)
    assert.equal(merger.advance(1, 3), 3)
  })

  it('takes no watermark back', () => {
    const merger = new WatermarkMerger(1)
    merger.advance(0, 5)
    assert.equal(merger.advance(0, 4), 5)
  })

  it('leaves an idle input out, and takes it back without going back', () => {
    const merger = new WatermarkMerger(2)
    merger.advance(0, 10)
    merger.advance(1, 2)
    assert.equal(merger.setIdle(1, true), 10)
    assert.equal(merger.setIdle(1, false), 10)
    assert.equal(merger.advance(0, 20), 10, 'input 1 is at 2 and active')
    assert.equal(merger.advance(1, 15), 15)
  })

  it('makes an idle input active by its next watermark', () => {
    const merger = new WatermarkMerger(1)
    merger.setIdle(0, true)
    assert.equal(merger.isIdle, true)
    merger.advance(0, 1)
    assert.equal(merger.isIdle, false)
  })

  it('stands still while every input is idle', () => {
    const merger = new WatermarkMerger(2)
    merger.advance(0, 5)
    merger.advance(1, 3)
    merger.setIdle(1, true)
    assert.equal(merger.setIdle(0, true), 5)
    assert.equal(merger.isIdle, true)
  })

  it('does not end while an idle input may go on, and is then itself idle', () => {
    const merger = new WatermarkMerger(2)
    merger.advance(0, 5)
    merger.advance(1, 3)
    merger.setIdle(1, true)
    assert.equal(merger.advance(0, Infinity), 5)
    assert.equal(merger.isIdle, true)
    assert.equal(merger.advance(1, 7), 7)
    assert.equal(merger.isIdle, false)
    assert.equal(merger.advance(1, Infinity), Infinity)
  })

  it('ends when all inputs ended, even those that were idle, and is then not idle', () => {
    const merger = new WatermarkMerger(2)
    merger.advance(0, Infinity)
    assert.equal(merger.watermark, -Infinity)
    merger.setIdle(1, true)
    assert.equal(merger.advance(1, Infinity), Infinity)
    assert.equal(merger.isIdle, false)
  })

  it('is not idle without inputs', () => {
    assert.equal(new WatermarkMerger(0).isIdle, false)
    assert.equal(new WatermarkMerger(0).watermark, -Infinity)
  })
})
