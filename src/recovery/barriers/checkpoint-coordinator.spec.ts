import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { checkpointSettings } from '../../model/checkpoint-options.ts'
import type { CheckpointCommand } from './checkpoint-commands.ts'
import {
  CheckpointCoordinator,
  type CoordinatorOptions,
  FINAL_ATTEMPTS_MAX,
  FINAL_RETRY_MS,
  REQUESTS_MAX,
} from './checkpoint-coordinator.ts'

type Coordinator = CheckpointCoordinator<string, string>
type Command = CheckpointCommand<string, string>

const SOURCE = { id: '0/0', isSource: true }
const SUM = { id: '1/0', isSource: false }
const TASKS = [SOURCE, SUM]

function coordinatorOf(settings: Partial<CoordinatorOptions['settings']> = {}, tasks = TASKS): Coordinator {
  return new CheckpointCoordinator<string, string>({
    settings: { ...checkpointSettings({ intervalMs: 1000 }), ...settings },
    tasks,
    nextId: 7,
    nowMs: 0,
    describe: names => `tasks ${names.join(' and ')}`,
  })
}

const triggerOf = (id: number, snapshot: 'checkpoint' | 'savepoint' = 'checkpoint'): Command => ({
  kind: 'trigger',
  id,
  snapshot,
  isUnaligned: false,
})

/** Both tasks hand in `<task>@<id>`; gives the commands of the second. */
function acknowledgeAll(coordinator: Coordinator, id: number, nowMs: number): readonly Command[] {
  assert.deepEqual(coordinator.acknowledge(id, SOURCE.id, `source@${id}`, nowMs), [])
  return coordinator.acknowledge(id, SUM.id, `sum@${id}`, nowMs)
}

function finishAll(coordinator: Coordinator, nowMs: number): readonly Command[] {
  return [
    ...coordinator.taskFinished(SOURCE.id, 'source end', nowMs),
    ...coordinator.taskFinished(SUM.id, 'sum end', nowMs),
  ]
}

const kindsOf = (commands: readonly Command[]) => commands.map(({ kind }) => kind)

describe('a checkpoint', () => {
  test('goes from trigger over all acknowledgements and publication to completion', () => {
    const coordinator = coordinatorOf()
    assert.deepEqual([coordinator.nextTickMs(), coordinator.tick(999)], [1000, []])
    assert.deepEqual(coordinator.tick(1000), [triggerOf(7)])
    assert.deepEqual(coordinator.pendingTasks(7), ['0/0', '1/0'])
    assert.deepEqual(acknowledgeAll(coordinator, 7, 1100), [
      {
        kind: 'publish',
        id: 7,
        snapshot: 'checkpoint',
        triggeredMs: 1000,
        results: new Map([
          ['0/0', 'source@7'],
          ['1/0', 'sum@7'],
        ]),
        finished: new Set(),
      },
    ])
    assert.equal(coordinator.publishingId(), 7)
    assert.deepEqual(coordinator.published(7, 1200), [{ kind: 'completed', id: 7 }])
    assert.deepEqual(coordinator.history.latest(), [
      { id: 7, kind: 'checkpoint', triggeredMs: 1000, endedMs: 1200, outcome: 'completed' },
    ])
    assert.equal(coordinator.nextTickMs(), 2000)
    assert.deepEqual(coordinator.tick(2000), [triggerOf(8)])
  })

  test('begins a pause after the end of the one before, however long that took', () => {
    const coordinator = coordinatorOf({ minPauseMs: 300 })
    coordinator.tick(1000)
    assert.deepEqual([coordinator.tick(2500), coordinator.tick(2500)], [[], []])
    acknowledgeAll(coordinator, 7, 2600)
    coordinator.published(7, 2600)
    assert.deepEqual([coordinator.nextTickMs(), coordinator.tick(2899)], [2900, []])
    assert.deepEqual(coordinator.tick(2900), [triggerOf(8)])
    assert.deepEqual(kindsOf(coordinator.decline(8, '1/0', 'busy', 2950)), ['aborted'])
    assert.equal(coordinator.nextTickMs(), 3900)
  })

  test('is unaligned when the settings say so, a savepoint never', () => {
    const coordinator = coordinatorOf({ isUnaligned: true })
    assert.deepEqual(coordinator.tick(1000), [{ ...triggerOf(7), isUnaligned: true }])
    acknowledgeAll(coordinator, 7, 1000)
    coordinator.published(7, 1000)
    assert.deepEqual(coordinator.request('savepoint', 'me', 1100), [triggerOf(8, 'savepoint')])
  })

  test('that takes too long is given up, says who held the barrier, and discards what came', () => {
    const coordinator = coordinatorOf({ timeoutMs: 500 })
    coordinator.tick(1000)
    coordinator.acknowledge(7, '0/0', 'source@7', 1100)
    assert.equal(coordinator.stalled(1300), 'the barrier of checkpoint 7 did not get through tasks 1/0 so far (300 ms)')
    assert.deepEqual([coordinator.nextTickMs(), coordinator.tick(1499)], [1500, []])
    const reason = 'the barrier of checkpoint 7 did not get through tasks 1/0 within 500 ms'
    assert.deepEqual(coordinator.tick(1500), [{ kind: 'aborted', id: 7, reason, discard: ['source@7'] }])
    assert.deepEqual(coordinator.history.latest(), [
      { id: 7, kind: 'checkpoint', triggeredMs: 1000, endedMs: 1500, outcome: 'aborted', reason },
    ])
    assert.equal(coordinator.stalled(1500), undefined)
    assert.deepEqual(coordinator.acknowledge(7, '1/0', 'sum@7', 1600), [{ kind: 'discard', results: ['sum@7'] }])
    assert.deepEqual(coordinator.decline(7, '1/0', 'late', 1600), [])
    assert.deepEqual(coordinator.tick(2000), [triggerOf(8)])
  })

  test('does not time out while it is published', () => {
    const coordinator = coordinatorOf({ timeoutMs: 500 })
    coordinator.tick(1000)
    acknowledgeAll(coordinator, 7, 1100)
    assert.deepEqual([coordinator.nextTickMs(), coordinator.tick(99_999)], [Infinity, []])
    assert.deepEqual(coordinator.published(7, 100_000), [{ kind: 'completed', id: 7 }])
    assert.deepEqual(coordinator.tick(100_000), [triggerOf(8)])
  })

  test('that a task declines or the storage refuses is given up with the reason', () => {
    const coordinator = coordinatorOf()
    coordinator.tick(1000)
    coordinator.acknowledge(7, '0/0', 'source@7', 1100)
    assert.deepEqual(coordinator.decline(7, '1/0', 'a value cannot be written', 1200), [
      {
        kind: 'aborted',
        id: 7,
        reason: 'checkpoint 7 was declined by tasks 1/0: a value cannot be written',
        discard: ['source@7'],
      },
    ])
    coordinator.tick(2000)
    acknowledgeAll(coordinator, 8, 2100)
    assert.deepEqual(coordinator.publishFailed(8, 'disk full', 2200), [
      {
        kind: 'aborted',
        id: 8,
        reason: 'checkpoint 8 could not be published: disk full',
        discard: ['source@8', 'sum@8'],
      },
    ])
  })

  test('takes one result from each task: doubles, strangers and other ids are discarded', () => {
    const coordinator = coordinatorOf()
    coordinator.tick(1000)
    coordinator.acknowledge(7, '0/0', 'first', 1000)
    for (const [id, task] of [
      [7, '0/0'],
      [7, '9/9'],
      [6, '1/0'],
      [8, '1/0'],
    ] as const)
      assert.deepEqual(coordinator.acknowledge(id, task, 'other', 1000), [{ kind: 'discard', results: ['other'] }])
    assert.deepEqual(coordinator.pendingTasks(7), ['1/0'])
  })

  test('begins in time after the clock was set back by an hour', () => {
    const coordinator = coordinatorOf()
    coordinator.tick(500)
    const hour = 3_600_000
    assert.deepEqual(coordinator.tick(500 - hour), [])
    assert.equal(coordinator.nextTickMs(), 1000 - hour)
    assert.deepEqual(coordinator.tick(1000 - hour), [triggerOf(7)])
    assert.equal(coordinator.progress()?.triggeredMs, 1000 - hour)
  })
})

describe('failures in a row', () => {
  test('beyond those tolerated fail the job, and nothing begins before a reset', () => {
    const coordinator = coordinatorOf({ tolerableFailures: 1 })
    coordinator.tick(1000)
    assert.deepEqual(kindsOf(coordinator.decline(7, '1/0', 'no', 1000)), ['aborted'])
    coordinator.tick(2000)
    coordinator.request('savepoint', 'me', 2000)
    const commands = coordinator.decline(8, '1/0', 'no', 2000)
    assert.deepEqual(commands.slice(1), [
      {
        kind: 'fail',
        reason: '2 checkpoints in a row failed (1 tolerated); the last: checkpoint 8 was declined by tasks 1/0: no',
      },
      { kind: 'refuse', request: 'me', reason: 'the job fails, since too many checkpoints did' },
    ])
    assert.deepEqual([coordinator.nextTickMs(), coordinator.tick(9000)], [Infinity, []])
    assert.deepEqual(kindsOf(coordinator.request('checkpoint', 'me', 9000)), ['refuse'])
    assert.deepEqual(coordinator.reset(TASKS, 10_000), [])
    assert.deepEqual([coordinator.tick(10_999), coordinator.tick(11_000)], [[], [triggerOf(9)]])
    assert.deepEqual(kindsOf(coordinator.decline(9, '1/0', 'no', 11_000)), ['aborted'])
  })

  test('are counted from the last one that was completed, and without savepoints', () => {
    const coordinator = coordinatorOf({ tolerableFailures: 1, intervalMs: Infinity })
    for (let id = 7; id < 27; id += 4) {
      coordinator.request('checkpoint', 'a', id)
      assert.deepEqual(kindsOf(coordinator.decline(id, '1/0', 'no', id)), ['aborted', 'refuse'])
      for (const savepoint of [id + 1, id + 2]) {
        coordinator.request('savepoint', 'b', id)
        assert.deepEqual(kindsOf(coordinator.decline(savepoint, '1/0', 'no', id)), ['aborted', 'refuse'])
      }
      coordinator.request('checkpoint', 'c', id)
      acknowledgeAll(coordinator, id + 3, id)
      assert.deepEqual(kindsOf(coordinator.published(id + 3, id)), ['completed', 'answer'])
    }
  })
})

describe('a request', () => {
  test('is served at once when nothing is under way, without regard to interval and pause, and answered', () => {
    const coordinator = coordinatorOf({ minPauseMs: 500 })
    assert.deepEqual(coordinator.request('savepoint', 'me', 10), [triggerOf(7, 'savepoint')])
    acknowledgeAll(coordinator, 7, 20)
    assert.deepEqual(coordinator.published(7, 30), [
      { kind: 'completed', id: 7 },
      { kind: 'answer', request: 'me', id: 7 },
    ])
    // A savepoint is no checkpoint: the interval goes on from the last one.
    assert.equal(coordinator.nextTickMs(), 1000)
    assert.deepEqual(coordinator.request('checkpoint', 'me', 40), [triggerOf(8)])
    acknowledgeAll(coordinator, 8, 40)
    coordinator.published(8, 40)
    assert.equal(coordinator.nextTickMs(), 1040)
  })

  test('waits behind the one under way and those before it, and is refused when its own snapshot fails', () => {
    const coordinator = coordinatorOf()
    coordinator.tick(1000)
    assert.deepEqual(coordinator.request('savepoint', 'a', 1001), [])
    assert.deepEqual(coordinator.request('checkpoint', 'b', 1002), [])
    assert.deepEqual(coordinator.decline(7, '1/0', 'no', 1100).slice(1), [triggerOf(8, 'savepoint')])
    const reason = 'savepoint 8 was declined by tasks 0/0: no'
    assert.deepEqual(coordinator.decline(8, '0/0', 'no', 1200), [
      { kind: 'aborted', id: 8, reason, discard: [] },
      { kind: 'refuse', request: 'a', reason },
      triggerOf(9),
    ])
    acknowledgeAll(coordinator, 9, 1300)
    assert.deepEqual(coordinator.published(9, 1300), [
      { kind: 'completed', id: 9 },
      { kind: 'answer', request: 'b', id: 9 },
    ])
  })

  test('is refused while too many others wait', () => {
    const coordinator = coordinatorOf()
    coordinator.tick(1000)
    for (let count = 0; count < REQUESTS_MAX; count++)
      assert.deepEqual(coordinator.request('savepoint', 'early', 1000), [])
    assert.deepEqual(coordinator.request('savepoint', 'late', 1000), [
      { kind: 'refuse', request: 'late', reason: '16 snapshots wait for their turn already; ask again later' },
    ])
  })

  test('is still served after triggering was stopped, which ends periodic and final ones', () => {
    const coordinator = coordinatorOf()
    coordinator.tick(1000)
    coordinator.stopTriggering()
    coordinator.request('savepoint', 'stop', 1000)
    acknowledgeAll(coordinator, 7, 1100)
    assert.deepEqual(coordinator.published(7, 1100), [{ kind: 'completed', id: 7 }, triggerOf(8, 'savepoint')])
    acknowledgeAll(coordinator, 8, 1200)
    assert.deepEqual(kindsOf(coordinator.published(8, 1200)), ['completed', 'answer'])
    assert.deepEqual([coordinator.nextTickMs(), coordinator.tick(9000)], [Infinity, []])
    assert.deepEqual(finishAll(coordinator, 9000), [])
    assert.deepEqual(kindsOf(coordinator.request('checkpoint', 'late', 9000)), ['publish'])
  })
})

describe('tasks at their end', () => {
  test('stand in all later snapshots with their last result', () => {
    const coordinator = coordinatorOf({}, [...TASKS, { id: '0/1', isSource: true }])
    coordinator.taskFinished('0/1', 'end', 500)
    for (const id of [7, 8]) {
      assert.deepEqual(coordinator.tick((id - 6) * 1000), [triggerOf(id)])
      const [publish] = acknowledgeAll(coordinator, id, (id - 6) * 1000)
      assert.ok(publish?.kind === 'publish')
      assert.deepEqual([publish.results.get('0/1'), publish.results.size], ['end', 3])
      assert.deepEqual(publish.finished, new Set(['0/1']))
      // What stands for a task's end is needed again, so it is never discarded.
      const [aborted] = coordinator.publishFailed(id, 'no', (id - 6) * 1000)
      assert.ok(aborted?.kind === 'aborted')
      assert.deepEqual(aborted.discard, [`source@${id}`, `sum@${id}`])
    }
  })

  test('complete the one under way unless they handed in something for it', () => {
    const coordinator = coordinatorOf({}, [...TASKS, { id: '2/0', isSource: false }])
    coordinator.tick(1000)
    coordinator.acknowledge(7, '0/0', 'source@7', 1000)
    assert.deepEqual(coordinator.taskFinished('0/0', 'source end', 1001), [])
    assert.deepEqual(coordinator.taskFinished('1/0', 'sum end', 1002), [])
    const [publish] = coordinator.acknowledge(7, '2/0', 'sink@7', 1003)
    assert.ok(publish?.kind === 'publish')
    assert.deepEqual([...publish.results.values()], ['source@7', 'sum end', 'sink@7'])
    assert.deepEqual(publish.finished, new Set(['1/0']))
  })

  test('without a running source no barrier is sent: requests wait for the final snapshot', () => {
    const coordinator = coordinatorOf()
    coordinator.taskFinished('0/0', 'source end', 100)
    assert.deepEqual([coordinator.nextTickMs(), coordinator.tick(5000)], [Infinity, []])
    assert.deepEqual(coordinator.request('checkpoint', 'a', 5000), [])
    assert.deepEqual(coordinator.request('savepoint', 'b', 5000), [])
    // The savepoint is of its own kind; the checkpoint is as good as the final one.
    assert.deepEqual(kindsOf(coordinator.taskFinished('1/0', 'sum end', 6000)), ['publish'])
    const [completed, answer, final] = coordinator.published(7, 6100)
    assert.deepEqual(
      [completed, answer],
      [
        { kind: 'completed', id: 7 },
        { kind: 'answer', request: 'b', id: 7 },
      ],
    )
    assert.ok(final?.kind === 'publish' && final.snapshot === 'final')
    assert.deepEqual(coordinator.published(8, 6200), [
      { kind: 'completed', id: 8 },
      { kind: 'answer', request: 'a', id: 8 },
    ])
    assert.deepEqual(
      coordinator.history.latest().map(({ kind }) => kind),
      ['savepoint', 'final'],
    )
  })

  test('are all in the final snapshot, which is made at once, also when periodic ones are off', () => {
    const coordinator = coordinatorOf({ intervalMs: Infinity, minPauseMs: 60_000 })
    assert.deepEqual(finishAll(coordinator, 100), [
      {
        kind: 'publish',
        id: 7,
        snapshot: 'final',
        triggeredMs: 100,
        results: new Map([
          ['0/0', 'source end'],
          ['1/0', 'sum end'],
        ]),
        finished: new Set(['0/0', '1/0']),
      },
    ])
    coordinator.request('savepoint', 'late', 150)
    assert.deepEqual(coordinator.published(7, 200), [
      { kind: 'completed', id: 7 },
      { kind: 'refuse', request: 'late', reason: 'the job has come to its end' },
    ])
    assert.deepEqual([coordinator.nextTickMs(), coordinator.tick(1e9)], [Infinity, []])
    assert.deepEqual(kindsOf(coordinator.request('checkpoint', 'later', 300)), ['refuse'])
  })

  test('have their final snapshot after the one under way', () => {
    const coordinator = coordinatorOf()
    coordinator.tick(1000)
    const [first, ...none] = finishAll(coordinator, 1100)
    assert.ok(first?.kind === 'publish' && first.snapshot === 'checkpoint')
    assert.deepEqual(none, [])
    assert.deepEqual(kindsOf(coordinator.published(7, 1200)), ['completed', 'publish'])
  })

  test('try the final snapshot again after a while, under a new id, and fail the job in the end', () => {
    const coordinator = coordinatorOf()
    finishAll(coordinator, 0)
    for (let attempt = 1; attempt < FINAL_ATTEMPTS_MAX; attempt++) {
      const nowMs = (attempt - 1) * FINAL_RETRY_MS
      const [aborted, ...none] = coordinator.publishFailed(6 + attempt, 'no', nowMs)
      assert.deepEqual([none, aborted?.kind === 'aborted' && aborted.discard], [[], []])
      assert.equal(coordinator.nextTickMs(), nowMs + FINAL_RETRY_MS)
      assert.deepEqual(coordinator.tick(nowMs + FINAL_RETRY_MS - 1), [])
      const [publish] = coordinator.tick(nowMs + FINAL_RETRY_MS)
      assert.ok(publish?.kind === 'publish' && publish.snapshot === 'final' && publish.id === 7 + attempt)
    }
    assert.deepEqual(coordinator.publishFailed(11, 'no', 9000).slice(1), [
      {
        kind: 'fail',
        reason: 'the final checkpoint failed 5 times; the last: final checkpoint 11 could not be published: no',
      },
    ])
  })
})

describe('a restart', () => {
  test('gives up the one under way, keeps requests that wait, and begins a new interval', () => {
    const coordinator = coordinatorOf()
    coordinator.tick(1000)
    coordinator.acknowledge(7, '0/0', 'source@7', 1000)
    coordinator.request('savepoint', 'me', 1100)
    const reason = 'checkpoint 7 was given up: task 1/0 failed'
    assert.deepEqual(coordinator.suspend('task 1/0 failed', 1200), [
      { kind: 'aborted', id: 7, reason, discard: ['source@7'] },
    ])
    assert.deepEqual([coordinator.nextTickMs(), coordinator.tick(5000)], [Infinity, []])
    assert.deepEqual(coordinator.request('checkpoint', 'you', 5000), [])
    assert.deepEqual(coordinator.reset(TASKS, 6000), [triggerOf(8, 'savepoint')])
    assert.deepEqual(coordinator.reset(TASKS, 6100), [
      { kind: 'aborted', id: 8, reason: 'savepoint 8 was given up: tasks were restarted', discard: [] },
      { kind: 'refuse', request: 'me', reason: 'savepoint 8 was given up: tasks were restarted' },
      triggerOf(9),
    ])
  })

  test('waits for a publication, which may be what tasks are restored from', () => {
    const coordinator = coordinatorOf()
    coordinator.tick(1000)
    acknowledgeAll(coordinator, 7, 1000)
    assert.deepEqual(coordinator.suspend('task 1/0 failed', 1100), [])
    assert.throws(() => coordinator.reset(TASKS, 1100), /INTERNAL_ERROR: tasks were restarted while snapshot 7/)
    assert.deepEqual(coordinator.published(7, 1200), [{ kind: 'completed', id: 7 }])
    assert.equal(coordinator.publishingId(), undefined)
    assert.deepEqual(coordinator.reset(TASKS, 1300), [])
    assert.equal(coordinator.nextTickMs(), 2300)
  })

  test('of some tasks forgets their ends and keeps those of the others', () => {
    const coordinator = coordinatorOf({}, [...TASKS, { id: '0/1', isSource: true }])
    coordinator.taskFinished('0/1', 'end', 100)
    coordinator.taskFinished('1/0', 'sum end', 100)
    coordinator.suspend('task 1/0 failed', 150)
    coordinator.reset([SUM], 200)
    assert.deepEqual(coordinator.tick(1200), [triggerOf(7)])
    assert.deepEqual(coordinator.pendingTasks(7), ['0/0', '1/0'])
  })
})
