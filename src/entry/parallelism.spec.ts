import assert from 'node:assert/strict'
import test from 'node:test'
import { parseParallelism } from './parallelism.ts'

test('a parallelism is a whole number from 1 to the largest allowed', () => {
  assert.deepEqual(
    ['1', '16', '32768'].map(text => parseParallelism('--parallelism', text)),
    [1, 16, 32768],
  )
  for (const text of ['', '0', '-1', '1.5', '1e3', '0x10', ' 2', 'many', '32769', 'NaN']) {
    assert.throws(() => parseParallelism('--parallelism', text), {
      code: 'OPTION_INVALID',
      message: `OPTION_INVALID: --parallelism is "${text}"; give a whole number from 1 to 32768`,
    })
  }
})
