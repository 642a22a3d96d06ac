import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { WriterContext } from '../../model/connector.ts'
import {
  connectionName,
  isLeftover,
  parseTransactionName,
  sinkPrefix,
  transactionName,
  writerIdentity,
} from './transaction-names.ts'

const context = (own: Partial<WriterContext> = {}): WriterContext =>
  ({ jobName: 'job', uid: 'sink', attempt: 3, subtaskIndex: 1, parallelism: 2, ...own }) as WriterContext

describe('the names of transactions', () => {
  test('tell attempt, subtask and snapshot, that of the end of the input too', () => {
    const identity = writerIdentity(context())
    for (const snapshotId of [1, 7.5, 123_456_789]) {
      const name = transactionName(identity, snapshotId)
      assert.deepEqual(parseTransactionName(identity.scope, name), { attempt: 3, subtask: 1, snapshotId })
    }
  })

  test('are of one sink of one job, and of no other', () => {
    const { scope } = writerIdentity(context())
    assert.equal(writerIdentity(context({ attempt: 9 })).scope, scope)
    for (const own of [{ jobName: 'job2' }, { uid: 'sink2' }, { jobName: 'jobs', uid: 'ink' }, { owner: 'a fork' }]) {
      const other = writerIdentity(context(own))
      assert.notEqual(other.scope, scope)
      assert.equal(parseTransactionName(scope, transactionName(other, 1)), undefined)
    }
    for (const name of ['', scope, `${scope}_1_2`, `${scope}_x_0_1_ab`, `${scope}_1_0_1_ab; --`])
      assert.equal(parseTransactionName(scope, name), undefined)
  })

  test('of forks of a job begin alike, and those of other sinks do not', () => {
    const [one, two] = ['one', 'two'].map(owner => writerIdentity(context({ owner })))
    assert.ok(one !== undefined && two !== undefined)
    assert.notEqual(one.scope, two.scope)
    assert.equal(one.scope.length, writerIdentity(context()).scope.length)
    assert.ok(transactionName(two, 1).startsWith(sinkPrefix(one)))
    assert.ok(!transactionName(writerIdentity(context({ uid: 'other', owner: 'one' })), 1).startsWith(sinkPrefix(one)))
  })

  test('fit what PostgreSQL takes, whatever the job is called', () => {
    const identity = writerIdentity(context({ jobName: 'ü'.repeat(500), attempt: 999_999, subtaskIndex: 999 }))
    assert.ok(transactionName(identity, Number.MAX_SAFE_INTEGER).length <= 200)
    assert.ok(connectionName(identity).length <= 63)
    assert.match(transactionName(identity, 1), /^[\w.]+$/)
  })

  test('of two writers are never the same', () => {
    assert.notEqual(transactionName(writerIdentity(context()), 1), transactionName(writerIdentity(context()), 1))
  })
})

describe('a leftover', () => {
  const mine = writerIdentity(context())
  const found = (attempt: number, subtask: number, snapshotId: number) => ({ attempt, subtask, snapshotId })

  test('is of an earlier attempt and above the start, whoever wrote it', () => {
    assert.equal(isLeftover(found(2, 0, 6), mine, 5), true)
    assert.equal(isLeftover(found(2, 7, 5.5), mine, 5), true)
    assert.equal(isLeftover(found(2, 0, 5), mine, 5), false)
    assert.equal(isLeftover(found(2, 0, 1), mine, undefined), true)
  })

  test('is not of a peer or of a later attempt, but may bear my own number from an earlier life of the job', () => {
    assert.equal(isLeftover(found(3, 0, 6), mine, 5), false)
    assert.equal(isLeftover(found(4, 1, 6), mine, undefined), false)
    assert.equal(isLeftover(found(3, 1, 6), mine, undefined), true)
  })
})
