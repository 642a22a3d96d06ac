// The clock of virtual time, by which functions of a job sleep as they would by a timer of the host.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { VirtualClock } from './simulated-scheduler.ts'

describe('a sleeper', () => {
  test('is woken when its time has come, in the order of times and then of falling asleep', async () => {
    const clock = new VirtualClock(1000)
    const woken: string[] = []
    const sleeper = async (name: string, durationMs: number): Promise<void> => {
      await clock.sleep(durationMs)
      woken.push(`${name} at ${clock.now()}`)
    }
    const sleepers = [sleeper('late', 30), sleeper('first', 10), sleeper('second', 10)]
    assert.equal(clock.nextWakeMs(), 1010)
    clock.advanceTo(1009)
    await Promise.resolve()
    assert.deepEqual(woken, [])
    clock.advanceTo(1010)
    await sleepers[2]
    assert.deepEqual(woken, ['first at 1010', 'second at 1010'])
    assert.equal(clock.nextWakeMs(), 1030)
    clock.advanceTo(5000)
    await sleepers[0]
    assert.equal(woken[2], 'late at 5000')
    assert.equal(clock.nextWakeMs(), Infinity)
  })

  test('of no time at all waits for the next time that the clock is moved', async () => {
    const clock = new VirtualClock(5)
    let isAwake = false
    const sleeper = clock.sleep(-1).then(() => {
      isAwake = true
    })
    await Promise.resolve()
    assert.equal(isAwake, false)
    clock.advanceTo(5)
    await sleeper
    assert.equal(isAwake, true)
  })
})
