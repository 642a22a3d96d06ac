import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { DeadlineQueue } from './deadline-queue.ts'

function popAll(queue: DeadlineQueue<string>, timeMs: number): string[] {
  const owners: string[] = []
  for (let next = queue.popDue(timeMs); next !== undefined; next = queue.popDue(timeMs)) owners.push(next.owner)
  return owners
}

describe('a queue of deadlines', () => {
  test('gives those that are due, by time and then by the order of scheduling', () => {
    const queue = new DeadlineQueue<string>()
    for (const [owner, timeMs] of [
      ['c', 30],
      ['a2', 10],
      ['b', 20],
      ['a1', 10],
      ['n', -5],
    ] as const) {
      queue.schedule(undefined, owner, timeMs)
    }
    assert.equal(queue.nextTimeMs(), -5)
    assert.deepEqual(popAll(queue, 20), ['n', 'a2', 'a1', 'b'])
    assert.equal(queue.hasDue(29), false)
    assert.equal(queue.hasDue(30), true)
    assert.equal(queue.nextTimeMs(), 30)
  })

  test('does not move a deadline to a later time: whoever is looked at too early schedules again', () => {
    const queue = new DeadlineQueue<string>()
    const first = queue.schedule(undefined, 'a', 10)
    assert.equal(queue.schedule(first, 'a', 50), first)
    assert.equal(queue.schedule(first, 'a', 10), first)
    assert.deepEqual([queue.heldCount, queue.nextTimeMs()], [1, 10])
    assert.equal(queue.popDue(10), first)
    const second = queue.schedule(first, 'a', 50)
    assert.notEqual(second, first)
    assert.deepEqual(popAll(queue, 49), [])
    assert.deepEqual(popAll(queue, 50), ['a'])
  })

  test('puts an earlier time in the place of a later one: the owner comes once', () => {
    const queue = new DeadlineQueue<string>()
    const later = queue.schedule(undefined, 'a', 50)
    const earlier = queue.schedule(later, 'a', 10)
    assert.deepEqual([later.state, earlier.state, queue.nextTimeMs()], ['over', 'waiting', 10])
    assert.deepEqual(popAll(queue, 100), ['a'])
    assert.equal(earlier.state, 'over')
  })

  test('gives nothing of what was cancelled, twice or after it came too', () => {
    const queue = new DeadlineQueue<string>()
    const a = queue.schedule(undefined, 'a', 10)
    const b = queue.schedule(undefined, 'b', 20)
    queue.cancel(a)
    queue.cancel(a)
    queue.cancel(undefined)
    assert.equal(queue.nextTimeMs(), 20)
    assert.equal(queue.popDue(100), b)
    queue.cancel(b)
    queue.schedule(undefined, 'c', 5)
    assert.deepEqual(popAll(queue, 100), ['c'])
    assert.deepEqual([queue.heldCount, queue.nextTimeMs()], [0, Infinity])
  })

  test('knows a deadline at Infinity, due when all time is over, in the order of scheduling', () => {
    const queue = new DeadlineQueue<string>()
    assert.equal(queue.hasDue(Infinity), false)
    queue.schedule(undefined, 'b', Infinity)
    queue.schedule(undefined, 'a', Infinity)
    assert.deepEqual(
      [queue.nextTimeMs(), queue.hasDue(Number.MAX_VALUE), queue.hasDue(Infinity)],
      [Infinity, false, true],
    )
    assert.deepEqual(popAll(queue, Infinity), ['b', 'a'])
  })

  test('holds at most twice what waits and a constant, however often owners change their minds', () => {
    const queue = new DeadlineQueue<number>()
    const owners = 100
    const current = Array.from({ length: owners }, (_, owner) => queue.schedule(undefined, owner, 1_000_000))
    let most = 0
    for (let round = 1; round <= 200; round++) {
      for (let owner = 0; owner < owners; owner++) {
        current[owner] = queue.schedule(current[owner], owner, 1_000_000 - round)
        most = Math.max(most, queue.heldCount)
      }
    }
    assert.ok(most <= 2 * owners + 65, `${most} were held`)
    const popped = new Set<number>()
    for (let next = queue.popDue(Infinity); next !== undefined; next = queue.popDue(Infinity)) popped.add(next.owner)
    assert.deepEqual([popped.size, queue.heldCount], [owners, 0])
  })

  test('shows the owner of the next one that is due without taking it', () => {
    const queue = new DeadlineQueue<string>()
    const a = queue.schedule(undefined, 'a', 10)
    queue.schedule(undefined, 'b', 20)
    assert.deepEqual([queue.dueOwner(9), queue.dueOwner(10), a.state], [undefined, 'a', 'waiting'])
    queue.cancel(a)
    assert.deepEqual([queue.dueOwner(19), queue.dueOwner(20)], [undefined, 'b'])
    assert.deepEqual(popAll(queue, 20), ['b'])
  })

  test('restores those of a snapshot in their order, and schedules later ones behind them', () => {
    const before = new DeadlineQueue<string>()
    const waiting = ['a', 'b', 'c'].map(owner => before.schedule(undefined, owner, 10))
    const after = new DeadlineQueue<string>()
    const restored = waiting.toReversed().map(({ owner, timeMs, sequence }) => after.restore(owner, timeMs, sequence))
    after.schedule(undefined, 'd', 10)
    assert.ok(restored.every(({ state }) => state === 'waiting'))
    after.cancel(restored[1])
    assert.deepEqual(popAll(after, 10), ['a', 'c', 'd'])
  })
})
