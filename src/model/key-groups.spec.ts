import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { keyGroupOf, keyGroupRange, subtaskOfKeyGroup } from './key-groups.ts'

/** The ranges must follow one another from 0 to the end, and name the same owner as `subtaskOfKeyGroup`. */
function assertPartition(parallelism: number, maxParallelism: number): void {
  let next = 0
  for (let subtask = 0; subtask < parallelism; subtask++) {
    const { from, to } = keyGroupRange(subtask, parallelism, maxParallelism)
    if (from !== next || to <= from)
      assert.fail(`${parallelism}/${maxParallelism}: subtask ${subtask} [${from}, ${to})`)
    for (let group = from; group < to; group++) {
      const owner = subtaskOfKeyGroup(group, parallelism, maxParallelism)
      if (owner !== subtask) assert.fail(`${parallelism}/${maxParallelism}: group ${group} is of ${owner}`)
    }
    next = to
  }
  assert.equal(next, maxParallelism)
}

describe('key groups', () => {
  it('are owned once each, in ranges, at every parallelism', () => {
    for (let maxParallelism = 1; maxParallelism <= 200; maxParallelism++) {
      for (let parallelism = 1; parallelism <= maxParallelism; parallelism++)
        assertPartition(parallelism, maxParallelism)
    }
  })

  it('are owned once each at the largest number of them', () => {
    for (const parallelism of [1, 2, 3, 127, 1000, 32_767, 32_768]) assertPartition(parallelism, 32_768)
  })

  it('belong to the only subtask at parallelism 1, and one to each at full parallelism', () => {
    assert.deepEqual(keyGroupRange(0, 1, 128), { from: 0, to: 128 })
    assert.deepEqual(keyGroupRange(5, 8, 8), { from: 5, to: 6 })
  })

  it('are spread as evenly as they can', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 128 }), parallelism => {
        const sizes = Array.from({ length: parallelism }, (_, subtask) => {
          const { from, to } = keyGroupRange(subtask, parallelism, 128)
          return to - from
        })
        assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1)
      }),
    )
  })

  it('stay where they are for ever: where state lies follows from these numbers', () => {
    assert.deepEqual(
      [0, 1, 2, 3].map(subtask => keyGroupRange(subtask, 4, 128)),
      [
        { from: 0, to: 32 },
        { from: 32, to: 64 },
        { from: 64, to: 96 },
        { from: 96, to: 128 },
      ],
    )
    assert.deepEqual(
      [0, 1, 2].map(subtask => keyGroupRange(subtask, 3, 128)),
      [
        { from: 0, to: 43 },
        { from: 43, to: 86 },
        { from: 86, to: 128 },
      ],
    )
    assert.deepEqual(
      [0, 127, 128, 0xffffffff].map(hash => keyGroupOf(hash, 128)),
      [0, 127, 0, 127],
    )
    assert.equal(keyGroupOf(0xffffffff, 100), 95)
  })
})
