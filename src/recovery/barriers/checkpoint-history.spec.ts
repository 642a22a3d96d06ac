import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { CheckpointHistory, HISTORY_MAX } from './checkpoint-history.ts'

describe('the history of checkpoints', () => {
  test('keeps the last fifty, oldest first, and counts all', () => {
    const history = new CheckpointHistory()
    for (let id = 1; id <= 120; id++) {
      const outcome = id % 3 === 0 ? 'aborted' : 'completed'
      history.add({ id, kind: 'checkpoint', triggeredMs: id * 10, endedMs: id * 10 + 1, outcome })
    }
    const latest = history.latest()
    assert.deepEqual([latest.length, latest[0]?.id, latest.at(-1)?.id], [HISTORY_MAX, 71, 120])
    assert.deepEqual([history.completedCount, history.abortedCount], [80, 40])
  })
})
