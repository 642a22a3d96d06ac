import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { TimerQueue } from './timer-queue.ts'

function popAll(queue: TimerQueue<string>, timeMs: number): string[] {
  const popped: string[] = []
  for (let timer = queue.popDue(timeMs); timer !== undefined; timer = queue.popDue(timeMs)) {
    popped.push(`${timer.owner}@${timer.timeMs}`)
  }
  return popped
}

describe('TimerQueue', () => {
  it('has nothing due while it is empty, not even at the end of time', () => {
    const queue = new TimerQueue<string>()
    assert.deepEqual([queue.nextTimeMs(), queue.hasDue(Infinity), queue.popDue(Infinity)], [Infinity, false, undefined])
  })

  it('tells the times of an owner, in the order of registration, without those that fired or were deleted', () => {
    const queue = new TimerQueue<string>()
    for (const timeMs of [30, 10, 20, 40]) queue.register('a', timeMs)
    queue.register('b', 5)
    queue.delete('a', 20)
    assert.deepEqual([queue.timesOf('a'), queue.timesOf('b'), queue.timesOf('c')], [[30, 10, 40], [5], []])
    assert.deepEqual(popAll(queue, 10), ['b@5', 'a@10'])
    assert.deepEqual([queue.timesOf('a'), queue.timesOf('b')], [[30, 40], []])
  })

  it('tells whose timer is due next, which stays', () => {
    const queue = new TimerQueue<string>()
    queue.register('a', 10)
    queue.register('b', 5)
    queue.delete('b', 5)
    assert.deepEqual([queue.dueOwner(9), queue.dueOwner(10), queue.registeredCount], [undefined, 'a', 1])
  })

  it('gives timers by time, and those of one time in the order they were registered', () => {
    const queue = new TimerQueue<string>()
    for (const [owner, timeMs] of [
      ['c', 20],
      ['a', 10],
      ['b', 20],
      ['z', -5],
      ['a', 20],
    ] as const) {
      assert.equal(queue.register(owner, timeMs), true)
    }
    assert.equal(queue.nextTimeMs(), -5)
    assert.deepEqual(popAll(queue, 20), ['z@-5', 'a@10', 'c@20', 'b@20', 'a@20'])
    assert.equal(queue.nextTimeMs(), Infinity)
  })

  it('gives a timer at its very time, not before', () => {
    const queue = new TimerQueue<string>()
    queue.register('a', 10)
    assert.deepEqual([queue.hasDue(9), queue.popDue(9), queue.hasDue(10)], [false, undefined, true])
    assert.deepEqual(popAll(queue, 10), ['a@10'])
    assert.equal(queue.hasDue(10), false)
  })

  it('holds one timer per owner and time', () => {
    const queue = new TimerQueue<string>()
    assert.deepEqual(
      [queue.register('a', 10), queue.register('a', 10), queue.register('b', 10), queue.register('a', 11)],
      [true, false, true, true],
    )
    assert.deepEqual(popAll(queue, Infinity), ['a@10', 'b@10', 'a@11'])
    assert.equal(queue.register('a', 10), true)
  })

  it('goes by the identity of owners that are objects', () => {
    const queue = new TimerQueue<object>()
    assert.deepEqual([queue.register({ key: 1 }, 10), queue.register({ key: 1 }, 10)], [true, true])
  })

  it('deletes the timer of an owner and time, and no other', () => {
    const queue = new TimerQueue<string>()
    for (const owner of ['a', 'b']) for (const timeMs of [10, 20]) queue.register(owner, timeMs)
    assert.deepEqual([queue.delete('a', 10), queue.delete('a', 10), queue.delete('c', 10)], [true, false, false])
    assert.deepEqual(popAll(queue, Infinity), ['b@10', 'a@20', 'b@20'])
    assert.equal(queue.delete('b', 20), false)
  })

  it('does not tell the time of a deleted timer', () => {
    const queue = new TimerQueue<string>()
    queue.register('a', 10)
    queue.register('b', 30)
    queue.delete('a', 10)
    assert.deepEqual([queue.nextTimeMs(), queue.hasDue(20)], [30, false])
  })

  it('registers a deleted timer anew, behind those of the same time', () => {
    const queue = new TimerQueue<string>()
    queue.register('a', 10)
    queue.register('b', 10)
    queue.delete('a', 10)
    assert.equal(queue.register('a', 10), true)
    assert.deepEqual(popAll(queue, 10), ['b@10', 'a@10'])
  })

  it('takes times at both infinities, in the order they were registered', () => {
    const queue = new TimerQueue<string>()
    for (const owner of ['a', 'b', 'c']) queue.register(owner, Infinity)
    for (const owner of ['x', 'y']) queue.register(owner, -Infinity)
    assert.equal(queue.hasDue(-Infinity), true)
    assert.deepEqual(popAll(queue, -Infinity), ['x@-Infinity', 'y@-Infinity'])
    assert.equal(queue.hasDue(Number.MAX_VALUE), false)
    assert.deepEqual(popAll(queue, Infinity), ['a@Infinity', 'b@Infinity', 'c@Infinity'])
  })

  it('tells by the sequence which timers were registered before a moment', () => {
    const queue = new TimerQueue<string>()
    queue.register('a', 10)
    queue.register('a', 10)
    const moment = queue.nextSequence()
    queue.register('b', 5)
    assert.equal(moment, 1)
    assert.equal((queue.popDue(10)?.sequence ?? -1) >= moment, true)
    assert.equal((queue.popDue(10)?.sequence ?? 99) < moment, true)
  })

  it('does not pile up timers that move with every record', () => {
    const queue = new TimerQueue<string>()
    let heldMax = 0
    for (let record = 0; record < 10_000; record++) {
      const owner = `key-${record % 10}`
      queue.delete(owner, 1_000_000 + record - 10)
      queue.register(owner, 1_000_000 + record)
      heldMax = Math.max(heldMax, queue.heldCount)
    }
    assert.ok(heldMax <= 100, `${heldMax} timers held for 10`)
    assert.deepEqual(
      popAll(queue, Infinity),
      Array.from({ length: 10 }, (_, i) => `key-${i}@${1_009_990 + i}`),
    )
    assert.equal(queue.heldCount, 0)
  })

  it('does not clear out for one deleted timer, however many left at the top before', () => {
    const queue = new TimerQueue<number>()
    for (let timeMs = 0; timeMs < 64; timeMs++) {
      queue.register(0, timeMs)
      queue.delete(0, timeMs)
      assert.equal(queue.hasDue(timeMs), false)
    }
    queue.register(0, 500)
    queue.register(0, 600)
    queue.delete(0, 600)
    assert.equal(queue.heldCount, 2, 'clearing out costs a pass over all timers')
  })

  it('clears deleted timers out when they are the larger part, not at every deletion', () => {
    const queue = new TimerQueue<string>()
    for (let timeMs = 0; timeMs < 1000; timeMs++) queue.register('a', timeMs)
    const held: number[] = []
    for (let timeMs = 999; timeMs >= 498; timeMs--) {
      queue.delete('a', timeMs)
      held.push(queue.heldCount)
    }
    assert.deepEqual(held, [...new Array(500).fill(1000), 499, 499])
    queue.delete('a', 497)
    assert.equal(queue.heldCount, 499)
  })

  it('agrees with a list under any mix of changes', () => {
    const timeMs = fc.integer({ min: 0, max: 12 })
    const owner = fc.constantFrom('a', 'b', 'c')
    const step = fc.oneof(
      fc.record({ kind: fc.constantFrom('register', 'register', 'delete'), owner, timeMs }),
      fc.record({ kind: fc.constant('advance'), owner, timeMs }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400, size: 'max' }), steps => {
        const queue = new TimerQueue<string>()
        let model: { owner: string; timeMs: number }[] = []
        for (const { kind, owner, timeMs } of steps) {
          const same = model.findIndex(timer => timer.owner === owner && timer.timeMs === timeMs)
          if (kind === 'register') {
            assert.equal(queue.register(owner, timeMs), same < 0)
            if (same < 0) model.push({ owner, timeMs })
          } else if (kind === 'delete') {
            assert.equal(queue.delete(owner, timeMs), same >= 0)
            if (same >= 0) model.splice(same, 1)
          } else {
            const due = model.filter(timer => timer.timeMs <= timeMs).sort((a, b) => a.timeMs - b.timeMs)
            assert.equal(queue.hasDue(timeMs), due.length > 0)
            assert.deepEqual(
              popAll(queue, timeMs),
              due.map(timer => `${timer.owner}@${timer.timeMs}`),
            )
            model = model.filter(timer => timer.timeMs > timeMs)
          }
          assert.equal(queue.nextTimeMs(), Math.min(...model.map(timer => timer.timeMs)))
          assert.ok(queue.heldCount <= 2 * model.length + 66)
        }
      }),
    )
  })
})
