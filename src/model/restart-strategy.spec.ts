import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { exponentialDelay, failureRate, fixedDelay, noRestart, restartText } from './restart-strategy.ts'

describe('restart strategies', () => {
  test('are plain frozen data', () => {
    assert.deepEqual(noRestart(), { kind: 'none' })
    assert.deepEqual(fixedDelay({ attempts: 3, delayMs: 0 }), { kind: 'fixed-delay', attempts: 3, delayMs: 0 })
    assert.deepEqual(exponentialDelay({ factor: 2, attempts: 4 }), {
      kind: 'exponential-delay',
      initialMs: 1000,
      maxMs: 60_000,
      factor: 2,
      jitter: 0.1,
      resetAfterMs: 3_600_000,
      attempts: 4,
    })
    const rate = { failuresMax: 3, intervalMs: 60_000, delayMs: 10 }
    assert.deepEqual(failureRate(rate), { kind: 'failure-rate', ...rate })
    for (const strategy of [
      noRestart(),
      fixedDelay({ attempts: 1, delayMs: 1 }),
      exponentialDelay(),
      failureRate(rate),
    ])
      assert.ok(Object.isFrozen(strategy))
  })

  test('say in words what they do', () => {
    assert.deepEqual(
      [
        noRestart(),
        fixedDelay({ attempts: 1, delayMs: 5 }),
        exponentialDelay({ initialMs: 10, maxMs: 80, factor: 2, resetAfterMs: 500 }),
        failureRate({ failuresMax: 3, intervalMs: 60_000, delayMs: 10 }),
      ].map(restartText),
      [
        'no restart',
        'up to 1 restart, 5 ms after each failure',
        'restarts without limit, 10 to 80 ms after a failure (times 2 each), anew after 500 ms without one',
        'restarts up to 3 failures in 60000 ms, 10 ms after each',
      ],
    )
  })

  const unchecked = (value: unknown) => value as never
  for (const [call, message] of [
    [
      () => fixedDelay({ attempts: -1, delayMs: 0 }),
      'fixedDelay(): attempts is -1; give a whole number from 0, or Infinity',
    ],
    [
      () => fixedDelay({ attempts: 1.5, delayMs: 0 }),
      'fixedDelay(): attempts is 1.5; give a whole number from 0, or Infinity',
    ],
    [
      () => fixedDelay(unchecked({ attempts: 1 })),
      'fixedDelay(): delayMs is undefined; give finite milliseconds from 0',
    ],
    [() => fixedDelay(unchecked(undefined)), 'fixedDelay(undefined): give an object of options'],
    [
      () => fixedDelay(unchecked({ attempts: 1, delay: 5 })),
      'fixedDelay(): there is no option delay; there are attempts, delayMs',
    ],
    [() => exponentialDelay({ factor: 0.5 }), 'exponentialDelay(): factor is 0.5; give a finite number from 1'],
    [() => exponentialDelay({ jitter: 2 }), 'exponentialDelay(): jitter is 2; give a number from 0 to 1'],
    [
      () => exponentialDelay({ initialMs: 100_000 }),
      'exponentialDelay(): maxMs is 60000; give at least initialMs, which is 100000',
    ],
    [
      () => exponentialDelay(unchecked({ initialMs: '1s' })),
      'exponentialDelay(): initialMs is "1s"; give finite milliseconds from 1',
    ],
    [
      () => failureRate({ failuresMax: Infinity, intervalMs: 1, delayMs: 0 }),
      'failureRate(): failuresMax is Infinity; give a whole number from 0 to 1000000',
    ],
    [
      () => failureRate({ failuresMax: 1, intervalMs: 0, delayMs: 0 }),
      'failureRate(): intervalMs is 0; give finite milliseconds from 1',
    ],
  ] as const) {
    test(`refuse: ${message}`, () => {
      assert.throws(call, { code: 'OPTION_INVALID', message: `OPTION_INVALID: ${message}` })
    })
  }
})
