import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { keyGroupOf, keyGroupRange, subtaskOfKeyGroup } from './key-groups.ts'

describe('key groups', () => {
  it('belong to exactly one subtask each, for every parallelism up to 200', () => {
    for (let maxParallelism = 1; maxParallelism <= 200; maxParallelism++) {
      for (let parallelism = 1; parallelism <= maxParallelism; parallelism++) {
        let next = 0
        for (let index = 0; index < parallelism; index++) {
          const range = keyGroupRange(index, parallelism, maxParallelism)
          if (range.from !== next)
            assert.equal(range.from, next, `subtask ${index} of ${parallelism}, ${maxParallelism} groups`)
          for (let group = range.from; group < range.to; group++) {
            const owner = subtaskOfKeyGroup(group, parallelism, maxParallelism)
            if (owner !== index) assert.equal(owner, index, `group ${group} of ${maxParallelism} at ${parallelism}`)
          }
          next = range.to
        }
        if (next !== maxParallelism) assert.equal(next, maxParallelism, `the last of ${parallelism} subtasks`)
      }
    }
  })

  it('are shared out evenly: no two subtasks differ by more than one', () => {
    for (let maxParallelism = 1; maxParallelism <= 200; maxParallelism++) {
      for (let parallelism = 1; parallelism <= maxParallelism; parallelism++) {
        const least = Math.floor(maxParallelism / parallelism)
        for (let index = 0; index < parallelism; index++) {
          const { from, to } = keyGroupRange(index, parallelism, maxParallelism)
          const size = to - from
          if (size < least || size > least + 1)
            assert.fail(`subtask ${index} of ${parallelism} owns ${size} of ${maxParallelism}`)
        }
      }
    }
  })

  // These decide where state lives after a rescale: they may never change.
  it('keep their ranges', () => {
    const ranges = (parallelism: number, maxParallelism: number): number[][] =>
      Array.from({ length: parallelism }, (_, index) => {
        const { from, to } = keyGroupRange(index, parallelism, maxParallelism)
        return [from, to]
      })
    assert.deepEqual(ranges(1, 128), [[0, 128]])
    assert.deepEqual(ranges(3, 128), [
      [0, 43],
      [43, 86],
      [86, 128],
    ])
    assert.deepEqual(ranges(4, 10), [
      [0, 3],
      [3, 5],
      [5, 8],
      [8, 10],
    ])
  })

  it('are in range for the largest number of groups and the largest hash', () => {
    assert.equal(keyGroupOf(4_294_967_295, 32_768), 32_767)
    assert.equal(subtaskOfKeyGroup(32_767, 32_768, 32_768), 32_767)
    assert.deepEqual(keyGroupRange(32_767, 32_768, 32_768), { from: 32_767, to: 32_768 })
  })

  it('come from the hash by its remainder', () => {
    assert.equal(keyGroupOf(0, 128), 0)
    assert.equal(keyGroupOf(129, 128), 1)
    assert.equal(keyGroupOf(4_294_967_295, 100), 95)
  })
})
