import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from './system-clock.ts'

describe('systemClock', () => {
  it('tells the time of the machine, and a monotonic reading that does not go back', () => {
    const before = Date.now()
    const now = systemClock.now()
    assert.ok(now >= before && now <= Date.now())
    const first = systemClock.monotonicMs()
    assert.ok(systemClock.monotonicMs() >= first)
  })
})
