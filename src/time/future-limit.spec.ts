import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Clock } from '../base/clock.ts'
import { FUTURE_LIMIT_MS_DEFAULT, FutureLimit, PRESENT_MS_MIN } from './future-limit.ts'

const PRESENT = Date.UTC(2026, 0, 1)

class SetClock implements Clock {
  timeMs: number
  readings = 0

  constructor(timeMs: number) {
    this.timeMs = timeMs
  }

  now(): number {
    this.readings++
    return this.timeMs
  }

  monotonicMs(): number {
    return this.timeMs
  }
}

/** What the limit makes of a timestamp, asked as its users do. */
function limited(limit: FutureLimit, timestampMs: number): number {
  return timestampMs <= limit.acceptedMs ? timestampMs : limit.limited(timestampMs)
}

describe('the limit of timestamps in the future', () => {
  it('is a day ahead of a clock that tells the present', () => {
    const limit = new FutureLimit(undefined, new SetClock(PRESENT))
    const day = PRESENT + FUTURE_LIMIT_MS_DEFAULT
    assert.deepEqual(
      [0, PRESENT, day, day + 1, Number.MAX_VALUE].map(time => limited(limit, time)),
      [0, PRESENT, day, day, day],
    )
  })

  it('moves with the clock, also where the clock is set back and forth', () => {
    const clock = new SetClock(PRESENT)
    const limit = new FutureLimit(1000, clock)
    assert.equal(limited(limit, PRESENT + 5000), PRESENT + 1000)
    clock.timeMs += 4000
    assert.equal(limited(limit, PRESENT + 5000), PRESENT + 5000)
    assert.equal(limited(limit, PRESENT + 9000), PRESENT + 5000)
  })

  it('does not apply by default while the clock is virtual or was never set, and does as soon as it is', () => {
    const clock = new SetClock(0)
    const limit = new FutureLimit(undefined, clock)
    assert.equal(limited(limit, PRESENT), PRESENT)
    clock.timeMs = PRESENT_MS_MIN - 1
    assert.equal(limited(limit, 9e15), 9e15)
    clock.timeMs = PRESENT_MS_MIN
    assert.equal(limited(limit, 9e15), PRESENT_MS_MIN + FUTURE_LIMIT_MS_DEFAULT)
  })

  it('goes by any clock where it was given', () => {
    const limit = new FutureLimit(50, new SetClock(0))
    assert.deepEqual([limited(limit, 50), limited(limit, 51)], [50, 50])
    assert.equal(limited(new FutureLimit(0, new SetClock(7)), 8), 7)
  })

  it('can be switched off, and then never reads the clock', () => {
    const clock = new SetClock(PRESENT)
    const limit = new FutureLimit(Infinity, clock)
    assert.equal(limited(limit, Number.MAX_VALUE), Number.MAX_VALUE)
    assert.equal(clock.readings, 0)
  })

  it('reads the clock once for all timestamps within it', () => {
    const clock = new SetClock(PRESENT)
    const limit = new FutureLimit(undefined, clock)
    for (let i = 0; i < 1000; i++) limited(limit, PRESENT + i)
    assert.equal(clock.readings, 1)
  })

  it('is reported the first time, then every ten seconds with the count since', () => {
    const clock = new SetClock(PRESENT)
    const limit = new FutureLimit(undefined, clock)
    assert.deepEqual([limit.countForReport(), limit.countForReport()], [1, 0])
    clock.timeMs += 9999
    assert.equal(limit.countForReport(), 0)
    clock.timeMs += 1
    assert.equal(limit.countForReport(), 3)
    clock.timeMs -= 60_000
    assert.equal(limit.countForReport(), 1)
  })
})
