import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { BinaryHeap } from './binary-heap.ts'

function drain<T>(heap: BinaryHeap<T>): T[] {
  const drained: T[] = []
  while (heap.size > 0) drained.push(heap.pop() as T)
  return drained
}

describe('BinaryHeap', () => {
  it('gives nothing while it is empty', () => {
    const heap = new BinaryHeap<number>((a, b) => a - b)
    assert.deepEqual([heap.size, heap.peek(), heap.pop(), heap.values()], [0, undefined, undefined, []])
  })

  it('gives its elements in order, whatever order they came in', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -20, max: 20 })), items => {
        const heap = new BinaryHeap<number>((a, b) => a - b)
        for (const item of items) heap.push(item)
        assert.equal(heap.size, items.length)
        assert.deepEqual(
          drain(heap),
          items.toSorted((a, b) => a - b),
        )
      }),
    )
  })

  it('agrees with a sorted list under any mix of push and pop', () => {
    const step = fc.option(fc.integer({ min: 0, max: 50 }), { nil: 'pop' as const })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), steps => {
        const heap = new BinaryHeap<number>((a, b) => a - b)
        const model: number[] = []
        for (const value of steps) {
          if (value === 'pop') assert.equal(heap.pop(), model.shift())
          else {
            heap.push(value)
            model.push(value)
            model.sort((a, b) => a - b)
          }
          assert.deepEqual([heap.size, heap.peek()], [model.length, model[0]])
        }
        assert.deepEqual(
          heap.values().toSorted((a, b) => a - b),
          model,
        )
      }),
    )
  })

  it('goes by the comparison it was given', () => {
    const heap = new BinaryHeap<string>((a, b) => b.length - a.length)
    for (const word of ['aa', 'aaaa', 'a', 'aaa']) heap.push(word)
    assert.deepEqual(drain(heap), ['aaaa', 'aaa', 'aa', 'a'])
  })
})
