import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { writerContext } from '../../../test/integration/connectors/support/reader-driver.ts'
import { PartNames } from './part-names.ts'

const NAMING = { prefix: 'part', suffix: '.txt' }

function names(
  subtaskIndex: number,
  attempt: number,
  more: { uid?: string; jobName?: string; owner?: string } = {},
): PartNames {
  return new PartNames(NAMING, { ...writerContext({ subtaskIndex, parallelism: 4 }), attempt, ...more })
}

/** Whether subtask 0 of attempt 5 removes a file. */
function isLeftover(name: string, startedFromId: number | undefined): boolean {
  const part = names(0, 5).parse(name)
  assert.ok(part !== undefined, name)
  return names(0, 5).isLeftover(part, startedFromId)
}

describe('the names of part files', () => {
  it('hide what is not finished, and say what is known of it', () => {
    const mine = names(2, 7)
    assert.match(mine.inProgress(3), /^\.part-[0-9a-f]{8}-02-0007-000003\.inprogress$/)
    assert.match(mine.pending(3, 12.5), /^\.part-[0-9a-f]{8}-02-0007-000003\.12\.5\.pending$/)
    assert.match(mine.finished(3), /^part-[0-9a-f]{8}-02-0007-000003\.txt$/)
    const part = { attempt: 7, subtask: 2, ordinal: 3 }
    assert.deepEqual(mine.parse(mine.inProgress(3)), { state: 'in-progress', ...part, snapshotId: undefined })
    assert.deepEqual(mine.parse(mine.pending(3, 12.5)), { state: 'pending', ...part, snapshotId: 12.5 })
    assert.deepEqual(mine.parse(mine.finished(3)), { state: 'finished', ...part, snapshotId: undefined })
  })

  it('stay readable when numbers outgrow their padding', () => {
    const mine = names(123, 12_345)
    const part = { attempt: 12_345, subtask: 123, ordinal: 1_234_567, snapshotId: undefined }
    assert.deepEqual(mine.parse(mine.finished(1_234_567)), { state: 'finished', ...part })
    assert.deepEqual(mine.parse(mine.inProgress(1_234_567)), { state: 'in-progress', ...part })
  })

  it('are told from those of other sinks, jobs and prefixes, and from other files', () => {
    const mine = names(0, 1)
    const others = [
      names(0, 1, { uid: 'other' }).finished(0),
      names(0, 1, { jobName: 'other' }).finished(0),
      names(0, 1, { owner: 'a fork' }).inProgress(0),
      new PartNames({ ...NAMING, prefix: 'partial' }, writerContext()).finished(0),
      'notes.txt',
      '.part-',
      `.${mine.finished(0)}`,
      mine.inProgress(0).slice(1, 5),
    ]
    for (const name of others) assert.equal(mine.parse(name), undefined, name)
  })

  it('of an earlier attempt are leftovers unless the snapshot or one before it may hold them', () => {
    const dead = names(1, 4)
    assert.equal(isLeftover(dead.inProgress(0), 8), true)
    assert.equal(isLeftover(dead.pending(0, 9), 8), true)
    assert.equal(isLeftover(dead.pending(0, 8.5), 8), true)
    assert.equal(isLeftover(dead.pending(0, 8), 8), false)
    assert.equal(isLeftover(dead.pending(0, 7.5), 8), false)
    assert.equal(isLeftover(dead.pending(0, 7.5), undefined), true)
    assert.equal(isLeftover(dead.finished(0), undefined), false)
  })

  it('of other writers of the same attempt are never leftovers, those of the own place are', () => {
    assert.equal(isLeftover(names(1, 5).inProgress(0), 8), false)
    assert.equal(isLeftover(names(1, 5).pending(0, 9), undefined), false)
    assert.equal(isLeftover(names(0, 5).inProgress(0), 8), true)
    assert.equal(isLeftover(names(0, 6).inProgress(0), 8), false)
  })
})
