import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Deque } from './deque.ts'

describe('Deque', () => {
  it('agrees with an array under any mix of push, shift and clear', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.integer() },
      { weight: 4, arbitrary: fc.constant('shift' as const) },
      { weight: 1, arbitrary: fc.constant('clear' as const) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300, size: 'max' }), steps => {
        const deque = new Deque<number>()
        let model: number[] = []
        for (const value of steps) {
          if (value === 'shift') assert.equal(deque.shift(), model.shift())
          else if (value === 'clear') {
            deque.clear()
            model = []
          } else {
            deque.push(value)
            model.push(value)
          }
          assert.deepEqual([deque.length, deque.peek()], [model.length, model[0]])
        }
      }),
    )
  })

  it('keeps the order when it grows while its ring is wrapped around', () => {
    const deque = new Deque<number>()
    for (let i = 0; i < 10; i++) deque.push(i)
    for (let i = 0; i < 10; i++) deque.shift()
    for (let i = 0; i < 100; i++) deque.push(i)
    assert.deepEqual(
      Array.from({ length: 100 }, () => deque.shift()),
      Array.from({ length: 100 }, (_, i) => i),
    )
    assert.equal(deque.shift(), undefined)
  })

  it('tells a queued undefined from an empty queue by its length', () => {
    const deque = new Deque<undefined>()
    deque.push(undefined)
    assert.equal(deque.length, 1)
    deque.shift()
    assert.equal(deque.length, 0)
  })
})
