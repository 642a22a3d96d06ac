import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ringBytes } from './thread-crew.ts'

describe('the size of rings', () => {
  test('is the same for few of them, and less for many, so that together they stay within a bound', () => {
    assert.deepEqual([0, 1, 64, 256, 257, 1000, 4096, 100_000].map(ringBytes), [
      1 << 18,
      1 << 18,
      1 << 18,
      1 << 18,
      1 << 17,
      1 << 16,
      1 << 14,
      1 << 14,
    ])
  })
})
