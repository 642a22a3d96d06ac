import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { Prng } from '../../base/prng.ts'
import {
  exponentialDelay,
  failureRate,
  fixedDelay,
  noRestart,
  type RestartStrategy,
} from '../../model/restart-strategy.ts'
import { RestartPolicy } from './restart-policy.ts'

/** The delay after each failure, or why there is no restart. */
function decisions(strategy: RestartStrategy, failuresMs: readonly number[], seed = 1): (number | string)[] {
  const policy = new RestartPolicy(strategy, new Prng(seed))
  return failuresMs.map(nowMs => {
    const decision = policy.onFailure(nowMs)
    return decision.kind === 'restart' ? decision.delayMs : decision.reason
  })
}

const GROWING = { initialMs: 100, maxMs: 500, factor: 2, jitter: 0, resetAfterMs: 10_000 }

describe('a restart policy', () => {
  test('gives up at once without restarts', () => {
    assert.deepEqual(decisions(noRestart(), [5]), ['the restart strategy is noRestart()'])
    assert.deepEqual(decisions(fixedDelay({ attempts: 0, delayMs: 5 }), [1]), [
      'all 0 restarts that fixedDelay() allows are used up',
    ])
  })

  test('with a fixed delay counts restarts over the whole run, however far apart', () => {
    const reason = 'all 2 restarts that fixedDelay() allows are used up'
    assert.deepEqual(decisions(fixedDelay({ attempts: 2, delayMs: 7 }), [0, 1e9, 2e9, 3e9]), [7, 7, reason, reason])
    const endless = decisions(fixedDelay({ attempts: Infinity, delayMs: 7 }), [...Array(1000).keys()])
    assert.deepEqual(new Set(endless), new Set([7]))
  })

  test('with an exponential delay waits longer each time, up to the largest', () => {
    assert.deepEqual(
      decisions(exponentialDelay(GROWING), [0, 200, 600, 1500, 2500, 3500]),
      [100, 200, 400, 500, 500, 500],
    )
  })

  test('with an exponential delay takes failures before the restart for one', () => {
    const strategy = exponentialDelay({ ...GROWING, attempts: 2 })
    assert.deepEqual(decisions(strategy, [0, 40, 99, 100, 299, 300]), [
      100,
      60,
      1,
      200,
      1,
      'all 2 restarts that exponentialDelay() allows without 10000 ms of running between are used up',
    ])
  })

  test('with an exponential delay begins anew after a time without failures, counted from the restart', () => {
    const strategy = exponentialDelay({ ...GROWING, attempts: 2 })
    // Restarts are due at 100, 400 and 10,500: 9,999 ms of running are too few, 10,000 are enough.
    assert.deepEqual(decisions(strategy, [0, 200, 10_400, 20_499]), [100, 200, 100, 200])
    assert.equal(decisions(strategy, [0, 200, 10_399]).at(-1)?.toString().startsWith('all 2 restarts'), true)
  })

  test('spreads delays by the jitter, within the smallest and the largest, and repeatably', () => {
    const strategy = exponentialDelay({ ...GROWING, maxMs: 1000, initialMs: 200, jitter: 0.25 })
    const second = [...Array(200).keys()].map(seed => decisions(strategy, [0, 1000], seed)[1] as number)
    assert.deepEqual([second.every(ms => ms >= 300 && ms <= 500), new Set(second).size > 50], [true, true])
    assert.ok(Math.min(...second) < 320 && Math.max(...second) > 480)
    const first = [...Array(200).keys()].map(seed => decisions(strategy, [0], seed)[0] as number)
    assert.ok(first.every(ms => ms >= 200 && ms <= 250))
    assert.deepEqual(decisions(strategy, [0, 1000, 3000], 9), decisions(strategy, [0, 1000, 3000], 9))
  })

  test('by the rate of failures gives up when more fall into one interval than it bears', () => {
    const strategy = failureRate({ failuresMax: 2, intervalMs: 100, delayMs: 5 })
    assert.deepEqual(decisions(strategy, [0, 50, 101, 151, 202]), [5, 5, 5, 5, 5])
    assert.deepEqual(decisions(strategy, [0, 50, 100]), [
      5,
      5,
      'failures within 100 ms: 3, more than the 2 that failureRate() bears',
    ])
    assert.deepEqual(decisions(failureRate({ failuresMax: 0, intervalMs: 100, delayMs: 5 }), [0]), [
      'failures within 100 ms: 1, more than the 0 that failureRate() bears',
    ])
  })
})
