// One call to the disk fails, and nothing else: for every call that a run makes. The results are those of a run where none fails.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { runWithoutFaults, simulateFailedCall } from '../../src/testing/simulation/simulate-job.ts'
import { JOBS } from './jobs/jobs.ts'
import { initOf } from './support/simulated-job.ts'

/** More calls than any of the runs makes. */
const CALLS_MAX = 5000

describe('a call to the disk that fails', () => {
  for (const name of ['rolling count', 'file sink']) {
    test(`changes no result of "${name}", whichever it is`, async t => {
      const job = JOBS.find(each => each.name === name)
      assert.ok(job !== undefined)
      const init = { ...initOf(job, 1), parallelisms: [2] }
      const expected = await runWithoutFaults(init)
      let call = 0
      for (let hasFailed = true; hasFailed; ) {
        assert.ok(++call < CALLS_MAX)
        const code = call % 3 === 0 ? 'ENOSPC' : 'EIO'
        const outcome = await simulateFailedCall({ ...init, expected }, { call, code })
        assert.equal(outcome.mistake, undefined, `call ${call} failed with ${code}: ${outcome.mistake}`)
        hasFailed = outcome.diskFaults.get('failed-call') === 1
      }
      t.diagnostic(`${call - 1} calls`)
      assert.ok(call > 50, `the run made ${call - 1} calls`)
    })
  }
})
