import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { TimerQueue } from './timer-queue.ts'

interface ModelTimer {
  readonly owner: string
  readonly timeMs: number
  readonly sequence: number
}

/** What a timer queue must do, said with a plain list. */
class NaiveTimers {
  private timers: ModelTimer[] = []
  private sequence = 0

  register(owner: string, timeMs: number): boolean {
    if (this.timers.some(timer => timer.owner === owner && timer.timeMs === timeMs)) return false
    this.timers.push({ owner, timeMs, sequence: this.sequence++ })
    return true
  }

  delete(owner: string, timeMs: number): boolean {
    const before = this.timers.length
    this.timers = this.timers.filter(timer => timer.owner !== owner || timer.timeMs !== timeMs)
    return this.timers.length < before
  }

  popDue(timeMs: number): ModelTimer | undefined {
    const [next] = this.ordered()
    if (next === undefined || next.timeMs > timeMs) return undefined
    this.timers = this.timers.filter(timer => timer !== next)
    return next
  }

  nextTimeMs(): number {
    return this.ordered()[0]?.timeMs ?? Infinity
  }

  get size(): number {
    return this.timers.length
  }

  private ordered(): ModelTimer[] {
    return this.timers.toSorted((a, b) => (a.timeMs === b.timeMs ? a.sequence - b.sequence : a.timeMs - b.timeMs))
  }
}

const time = fc.oneof(fc.integer({ min: 0, max: 8 }), fc.constantFrom(-5, Infinity, -Infinity, 0.5))
const owner = fc.constantFrom('a', 'b', 'c')
const action = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('register' as const), owner, time }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), owner, time }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pop' as const), owner, time }) },
)

describe('TimerQueue', () => {
  it('does what a sorted list does, whatever is registered, deleted and popped', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), actions => {
        const queue = new TimerQueue<string>()
        const naive = new NaiveTimers()
        for (const { kind, owner, time } of actions) {
          if (kind === 'register') assert.equal(queue.register(owner, time), naive.register(owner, time))
          else if (kind === 'delete') assert.equal(queue.delete(owner, time), naive.delete(owner, time))
          else {
            const [popped, expected] = [queue.popDue(time), naive.popDue(time)]
            assert.equal(popped?.owner, expected?.owner)
            assert.equal(popped?.timeMs, expected?.timeMs)
            assert.equal(popped?.sequence, expected?.sequence)
          }
          assert.equal(queue.nextTimeMs(), naive.nextTimeMs())
          assert.equal(queue.hasDue(time), naive.size > 0 && naive.nextTimeMs() <= time)
        }
        let left = 0
        while (queue.popDue(Infinity) !== undefined) left++
        assert.equal(left, naive.size)
      }),
      { numRuns: 1000 },
    )
  })

  it('gives timers of one time in the order of their registration', () => {
    const queue = new TimerQueue<number>()
    for (let owner = 0; owner < 100; owner++) queue.register(owner, 5)
    for (let owner = 0; owner < 100; owner++) assert.equal(queue.popDue(5)?.owner, owner)
  })

  it('has at most one timer per owner and time, and may have it again once it fired or was deleted', () => {
    const queue = new TimerQueue<string>()
    assert.equal(queue.register('a', 5), true)
    assert.equal(queue.register('a', 5), false)
    queue.popDue(5)
    assert.equal(queue.popDue(5), undefined)
    assert.equal(queue.register('a', 5), true)
    assert.equal(queue.delete('a', 5), true)
    assert.equal(queue.delete('a', 5), false)
    assert.equal(queue.register('a', 5), true)
  })

  it('takes owners by identity', () => {
    const queue = new TimerQueue<object>()
    assert.equal(queue.register({}, 5), true)
    assert.equal(queue.register({}, 5), true)
    assert.equal(queue.delete({}, 5), false)
  })

  it('has a timer at Infinity that is due only then', () => {
    const queue = new TimerQueue<string>()
    queue.register('a', Infinity)
    assert.equal(queue.hasDue(Number.MAX_VALUE), false)
    assert.equal(queue.popDue(Number.MAX_VALUE), undefined)
    assert.equal(queue.nextTimeMs(), Infinity)
    assert.equal(queue.hasDue(Infinity), true)
    assert.equal(queue.popDue(Infinity)?.owner, 'a')
    assert.equal(queue.hasDue(Infinity), false)
  })

  it('numbers timers so that those registered after a moment can be told', () => {
    const queue = new TimerQueue<string>()
    queue.register('before', 5)
    const moment = queue.nextSequence()
    queue.register('before', 5)
    assert.equal(queue.nextSequence(), moment, 'a timer that is there already takes no number')
    queue.register('after', 1)
    assert.equal((queue.popDue(5)?.sequence ?? -1) >= moment, true)
    assert.equal((queue.popDue(5)?.sequence ?? Infinity) < moment, true)
  })

  it('does not hold a deleted timer per record when a timer moves with every record', () => {
    const queue = new TimerQueue<string>()
    queue.register('other', 1_000_000)
    let heldMax = 0
    for (let timeMs = 0; timeMs < 10_000; timeMs++) {
      queue.delete('a', timeMs + 99)
      queue.register('a', timeMs + 100)
      heldMax = Math.max(heldMax, queue.heldCount)
    }
    assert.ok(heldMax < 200, `held ${heldMax} timers for 2 registered ones`)
    assert.equal(queue.popDue(Infinity)?.timeMs, 10_099)
    assert.equal(queue.popDue(Infinity)?.owner, 'other')
    assert.equal(queue.popDue(Infinity), undefined)
  })

  it('keeps the order of what is left after clearing out many deleted timers', () => {
    const queue = new TimerQueue<number>()
    for (let owner = 0; owner < 1000; owner++) queue.register(owner, (owner * 7919) % 1000)
    for (let owner = 0; owner < 1000; owner++) if (owner % 5 !== 0) queue.delete(owner, (owner * 7919) % 1000)
    assert.ok(queue.heldCount <= 2 * 200 + 65, `${queue.heldCount} timers held for 200 registered ones`)

    const times: number[] = []
    for (let timer = queue.popDue(Infinity); timer !== undefined; timer = queue.popDue(Infinity))
      times.push(timer.timeMs)
    assert.deepEqual(
      times,
      Array.from({ length: 200 }, (_, index) => index * 5),
    )
  })
})
