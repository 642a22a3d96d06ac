import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type HostTimers, startTimer, TIMER_DELAY_MS_MAX } from './long-timer.ts'

/** A host whose timers fire when the test says so. */
class FakeHost implements HostTimers<number> {
  readonly delays: number[] = []
  readonly cleared: number[] = []
  private pending: (() => void) | undefined

  set(task: () => void, delayMs: number): number {
    this.pending = task
    this.delays.push(delayMs)
    return this.delays.length
  }

  clear(timer: number): void {
    this.cleared.push(timer)
  }

  fire(): void {
    this.pending?.()
  }
}

describe('startTimer', () => {
  it('passes on a delay that the host takes, and none that is negative', () => {
    const host = new FakeHost()
    let fired = 0
    startTimer(host, 250, () => fired++)
    host.fire()
    startTimer(host, -5, () => fired++)
    host.fire()
    assert.deepEqual([host.delays, fired], [[250, 0], 2])
  })

  it('chains timers for a longer delay, and can be cancelled in each part', () => {
    const host = new FakeHost()
    let fired = 0
    const cancel = startTimer(host, 2 * TIMER_DELAY_MS_MAX + 7, () => fired++)
    host.fire()
    host.fire()
    assert.equal(fired, 0)
    cancel()
    host.fire()
    assert.equal(fired, 1)
    assert.deepEqual(host.delays, [TIMER_DELAY_MS_MAX, TIMER_DELAY_MS_MAX, 7])
    assert.deepEqual(host.cleared, [3])
  })
})
