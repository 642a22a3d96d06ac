import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { WatermarkHolds } from './watermark-holds.ts'

describe('WatermarkHolds', () => {
  it('holds nothing back while it is empty', () => {
    const holds = new WatermarkHolds()
    assert.deepEqual([holds.minMs, holds.size], [Infinity, 0])
  })

  it('tells the earliest time', () => {
    const holds = new WatermarkHolds()
    for (const timeMs of [30, 10, 20]) holds.add(timeMs)
    assert.equal(holds.minMs, 10)
    holds.remove(10)
    assert.equal(holds.minMs, 20)
    holds.remove(30)
    assert.equal(holds.minMs, 20)
    holds.remove(20)
    assert.equal(holds.minMs, Infinity)
  })

  it('holds a time until it was removed as often as it was added', () => {
    const holds = new WatermarkHolds()
    holds.add(10)
    holds.add(10)
    holds.remove(10)
    assert.deepEqual([holds.minMs, holds.size], [10, 1])
    holds.remove(10)
    assert.equal(holds.minMs, Infinity)
  })

  it('takes a removed time anew', () => {
    const holds = new WatermarkHolds()
    holds.add(5)
    holds.add(10)
    holds.remove(10)
    holds.add(10)
    holds.remove(5)
    assert.deepEqual([holds.minMs, holds.size], [10, 1])
  })

  it('takes times at the infinities', () => {
    const holds = new WatermarkHolds()
    holds.add(Infinity)
    holds.add(-Infinity)
    assert.equal(holds.minMs, -Infinity)
    holds.remove(-Infinity)
    assert.deepEqual([holds.minMs, holds.size], [Infinity, 1])
  })

  it('refuses to remove a time that is not held, and NaN', () => {
    const holds = new WatermarkHolds()
    holds.add(1)
    holds.remove(1)
    assert.throws(() => holds.remove(1), { code: 'INTERNAL_ERROR', message: /hold at 1 is removed that is not there/ })
    assert.throws(() => holds.add(Number.NaN), { code: 'INTERNAL_ERROR' })
  })

  it('keeps little garbage when times behind the first come and go', () => {
    const holds = new WatermarkHolds()
    holds.add(0)
    for (let timeMs = 1; timeMs <= 10_000; timeMs++) {
      holds.add(timeMs)
      holds.remove(timeMs)
      assert.ok(holds.heldInMemory <= 20, `${holds.heldInMemory} times in memory`)
    }
    assert.deepEqual([holds.minMs, holds.size], [0, 1])
  })

  it('agrees with a list of times under any mix of changes, its garbage bounded', () => {
    const change = fc.record({ timeMs: fc.integer({ min: 0, max: 60 }), isRemoval: fc.boolean() })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 400 }), changes => {
        const holds = new WatermarkHolds()
        const model: number[] = []
        for (const { timeMs, isRemoval } of changes) {
          if (!isRemoval) {
            holds.add(timeMs)
            model.push(timeMs)
          } else if (model.length > 0) {
            const [removed] = model.splice(timeMs % model.length, 1) as [number]
            holds.remove(removed)
          }
          assert.equal(holds.minMs, Math.min(...model))
          assert.equal(holds.size, new Set(model).size)
          assert.ok(holds.heldInMemory - holds.size <= Math.max(17, holds.size + 1))
        }
      }),
      { numRuns: 300 },
    )
  })
})
