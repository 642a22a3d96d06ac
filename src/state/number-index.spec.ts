// Every key is found whatever the keys have in common, and rows of keys that are not there are not.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { NumberIndex } from './number-index.ts'

const COUNT = 30_000

const KEYS: Readonly<Record<string, (i: number) => number>> = {
  'that count up': i => i,
  'below 0': i => -i - 1,
  'multiples of 1024': i => i * 1024,
  'multiples of 2^20': i => i * 2 ** 20,
  'beyond 32 bits': i => 2 ** 40 + i,
  fractions: i => i / 1024,
  'of one exponent': i => 1 + i / 2 ** 40,
}

describe('a number index', () => {
  for (const [name, keyOf] of Object.entries(KEYS)) {
    test(`finds keys ${name}`, () => {
      const stride = 3
      const cells = new Float64Array(COUNT * stride)
      const index = new NumberIndex()
      for (let row = 0; row < COUNT; row++) {
        cells[row * stride] = keyOf(row)
        assert.equal(index.find(keyOf(row), cells, stride), -1)
        index.add(keyOf(row), row, cells, stride)
      }
      for (let row = 0; row < COUNT; row++) assert.equal(index.find(keyOf(row), cells, stride), row)
      assert.equal(index.find(keyOf(COUNT), cells, stride), -1)
    })
  }

  test('takes 0 and -0 for one key, and finds no NaN', () => {
    const index = new NumberIndex()
    const cells = new Float64Array([0])
    index.add(0, 0, cells, 1)
    assert.deepEqual([index.find(0, cells, 1), index.find(-0, cells, 1), index.find(Number.NaN, cells, 1)], [0, 0, -1])
  })
})
