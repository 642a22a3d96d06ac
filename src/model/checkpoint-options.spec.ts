import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { type CheckpointOptions, checkpointOptionsMistake, checkpointSettings } from './checkpoint-options.ts'

describe('checkpoint options', () => {
  test('need an interval only; the rest has defaults', () => {
    assert.equal(checkpointOptionsMistake({ intervalMs: 1000 }), undefined)
    assert.deepEqual(checkpointSettings({ intervalMs: 1000 }), {
      intervalMs: 1000,
      mode: 'exactly-once',
      minPauseMs: 0,
      timeoutMs: 600_000,
      tolerableFailures: Infinity,
      alignmentTimeoutMs: Infinity,
      isUnaligned: false,
      retained: 3,
    })
  })

  test('keep what was given, and take undefined for not given', () => {
    const options: CheckpointOptions = {
      intervalMs: 1,
      mode: 'at-least-once',
      minPauseMs: 2,
      timeoutMs: 3,
      tolerableFailures: 0,
      retained: 1,
    }
    assert.equal(checkpointOptionsMistake(options), undefined)
    const settings = checkpointSettings({ ...options, isUnaligned: undefined } as unknown as CheckpointOptions)
    assert.deepEqual(settings, { ...options, alignmentTimeoutMs: Infinity, isUnaligned: false })
    assert.ok(Object.isFrozen(settings))
  })

  test('are off without any, but for the snapshot at the end', () => {
    assert.equal(checkpointSettings().intervalMs, Infinity)
    assert.equal(checkpointOptionsMistake({ intervalMs: Infinity }), undefined)
  })

  for (const [options, mistake] of [
    [{}, 'checkpoint option intervalMs is missing; give milliseconds from 1, or Infinity for on request only'],
    [{ intervalMs: 0 }, 'checkpoint option intervalMs is 0; give milliseconds from 1, or Infinity for on request only'],
    [
      { intervalMs: Number.NaN },
      'checkpoint option intervalMs is NaN; give milliseconds from 1, or Infinity for on request only',
    ],
    [
      { intervalMs: '5s' },
      'checkpoint option intervalMs is "5s"; give milliseconds from 1, or Infinity for on request only',
    ],
    [
      { intervalMs: 1, minPauseMs: Infinity },
      'checkpoint option minPauseMs is Infinity; give finite milliseconds from 0',
    ],
    [
      { intervalMs: 1, timeoutMs: 0 },
      'checkpoint option timeoutMs is 0; give milliseconds from 1, or Infinity for no limit',
    ],
    [
      { intervalMs: 1, mode: 'exactly once' },
      `checkpoint option mode is "exactly once"; give 'exactly-once', 'at-least-once' or 'at-most-once'`,
    ],
    [
      { intervalMs: 1, tolerableFailures: 1.5 },
      'checkpoint option tolerableFailures is 1.5; give a whole number from 0, or Infinity',
    ],
    [{ intervalMs: 1, retained: 0 }, 'checkpoint option retained is 0; give a whole number from 1'],
    [{ intervalMs: 1, retained: Infinity }, 'checkpoint option retained is Infinity; give a whole number from 1'],
    [{ intervalMs: 1, isUnaligned: 1 }, 'checkpoint option isUnaligned is 1; give true or false'],
    [
      { intervalMs: 1, interval: 1 },
      'checkpoint options have no interval; they have intervalMs, mode, minPauseMs, timeoutMs, tolerableFailures, alignmentTimeoutMs, isUnaligned, retained',
    ],
    [
      { intervalMs: 1, mode: 'at-least-once', isUnaligned: true },
      "checkpoint option isUnaligned is true, but at-least-once does not align barriers; leave it out, or use mode 'exactly-once'",
    ],
    [
      { intervalMs: 1, mode: 'at-least-once', alignmentTimeoutMs: 5 },
      "checkpoint option alignmentTimeoutMs is 5, but at-least-once does not align barriers; leave it out, or use mode 'exactly-once'",
    ],
    [
      { intervalMs: 1, mode: 'at-most-once', isUnaligned: true },
      "checkpoint option isUnaligned is true, but at-most-once does not align barriers; leave it out, or use mode 'exactly-once'",
    ],
    [
      { intervalMs: 1, isUnaligned: true, alignmentTimeoutMs: 5 },
      'checkpoint option alignmentTimeoutMs is 5, but with isUnaligned nothing is aligned; leave one of them out',
    ],
    [5, 'checkpoint options are 5; give an object, as in { intervalMs: 10_000 }'],
  ] as const) {
    test(`refuse ${JSON.stringify(options)}: ${mistake.slice(0, 60)}`, () => {
      assert.equal(checkpointOptionsMistake(options as unknown as CheckpointOptions), mistake)
    })
  }
})
