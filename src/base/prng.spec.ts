import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Prng } from './prng.ts'

function take(seed: number, count: number): number[] {
  const prng = new Prng(seed)
  return Array.from({ length: count }, () => prng.nextUint32())
}

describe('Prng', () => {
  it('gives the sequences of mulberry32, so that a seed of an old failure still repeats it', () => {
    assert.deepEqual(take(0, 4), [1144304738, 1416247, 958946056, 627933444])
    assert.deepEqual(take(1, 4), [2693262067, 11749833, 2265367787, 4213581821])
    assert.deepEqual(take(0xffffffff, 4), [3850105811, 813802916, 3073704848, 4054706436])
  })

  it('takes the low 32 bits of a seed', () => {
    assert.deepEqual(take(2 ** 32 + 7, 3), take(7, 3))
    assert.deepEqual(take(-1, 3), take(0xffffffff, 3))
  })

  it('gives unsigned 32-bit integers, and whole numbers below a limit', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 2 ** 32 }), (seed, limit) => {
        const prng = new Prng(seed)
        for (let i = 0; i < 50; i++) {
          const word = prng.nextUint32()
          assert.ok(Number.isInteger(word) && word >= 0 && word <= 0xffffffff, `${word}`)
          const index = prng.below(limit)
          assert.ok(Number.isInteger(index) && index >= 0 && index < limit, `${index}`)
        }
      }),
    )
  })

  it('spreads `below` evenly over its range', () => {
    const prng = new Prng(42)
    const counts = new Array<number>(10).fill(0)
    for (let i = 0; i < 10_000; i++) counts[prng.below(10)]++
    for (const count of counts) assert.ok(count > 850 && count < 1150, `${counts}`)
  })
})
