// What a source with a write-ahead log promises, on a simulated disk: whatever call the power fails at, or the disk fails, what was emitted
// once counts once, and in order.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Feed, LogLife } from '../../../test/integration/connectors/support/log-life.ts'
import { StreamError } from '../../base/errors.ts'
import { Prng } from '../../base/prng.ts'
import { SimulatedFiles } from '../../testing/simulated-files.ts'

const RECORDS = 60
/** More than an attempt without faults makes. */
const CALLS_MAX = 150

/** What must hold however the attempts ended. Returns how many records were lost before they were in the log. */
function checkCounted({ counted, everEmitted }: LogLife, what: string): number {
  for (const [index, record] of counted.entries())
    assert.ok(index === 0 || record > (counted[index - 1] as number), `${what}: ${counted.slice(0, index + 1)}`)
  const all = new Set(counted)
  for (const record of everEmitted) assert.ok(all.has(record), `${what}: ${record} was emitted and does not count`)
  return RECORDS - counted.length
}

function newLife(seed: number): { life: LogLife; files: SimulatedFiles } {
  const files = new SimulatedFiles()
  return { life: new LogLife(new Feed(RECORDS), files, new Prng(seed)), files }
}

/** Restarts until all of the input has come: the call that fails may be one of a later attempt. */
async function liveToEnd(life: LogLife, what: string): Promise<void> {
  for (let attempts = 0; attempts < 3; attempts++) if ((await life.attempt()) === 'end') return
  assert.fail(`${what}: ${life.failures}`)
}

describe('a source with a write-ahead log', () => {
  test('counts everything once where nothing fails', async () => {
    const { life, files } = newLife(1)
    assert.equal(await life.attempt(), 'end')
    assert.equal(checkCounted(life, 'no fault'), 0)
    assert.ok(files.calls > 40 && files.calls < CALLS_MAX, `${files.calls} calls`)
    assert.equal(files.openHandles, 0)
  })

  test('counts once what it emitted, at whatever call the power fails', async () => {
    let killed = 0
    let lost = 0
    for (let call = 1; call < CALLS_MAX; call++) {
      for (let seed = 0; seed < 6; seed++) {
        const { life } = newLife(1000 * call + seed)
        const what = `seed ${1000 * call + seed}, power fails at call ${call}`
        if ((await life.attempt(call)) === 'killed') killed++
        assert.equal(await life.attempt(), 'end', `${what}: ${life.failures}`)
        const lostNow = checkCounted(life, what)
        // The batch that was written, and the one that was collected meanwhile.
        assert.ok(lostNow <= 2 * 50, `${what}: ${lostNow} lost`)
        lost += lostNow
      }
    }
    assert.ok(killed > 300, `${killed} killed`)
    assert.ok(lost > 0, 'a feed that cannot go back loses what was not in the log')
  })

  test('counts once what it emitted, through many failures of power', async () => {
    for (let seed = 0; seed < 300; seed++) {
      const prng = new Prng(seed)
      const { life } = newLife(seed)
      for (let attempts = 1 + prng.below(6); attempts > 0; attempts--) await life.attempt(1 + prng.below(60))
      assert.equal(await life.attempt(), 'end', `seed ${seed}: ${life.failures}`)
      checkCounted(life, `seed ${seed}`)
    }
  })

  test('counts once what it emitted, whatever call to the disk fails', async () => {
    for (const code of ['EIO', 'ENOSPC', 'EACCES']) {
      for (let call = 1; call < CALLS_MAX; call++) {
        const { life, files } = newLife(call)
        const what = `${code} at call ${call}`
        files.failCall(call, code)
        const first = await life.attempt()
        if (first === 'failed') {
          const [failure] = life.failures
          assert.ok(failure instanceof StreamError, `${what}: ${failure}`)
          assert.equal(failure.code, code === 'EACCES' ? 'DIRECTORY_NOT_WRITABLE' : 'STORAGE_FAILED', what)
          // The power fails too: what the system held in memory of the write that failed is gone.
          await life.attempt(1 + (call % 20))
        }
        await liveToEnd(life, what)
        checkCounted(life, what)
        assert.equal(files.openHandles, 0, what)
      }
    }
  })

  test('does not trust what stands in a file behind a sync that failed', async () => {
    let failed = 0
    for (let sync = 1; sync < 60; sync++) {
      for (let seed = 0; seed < 5; seed++) {
        const { life, files } = newLife(100 * sync + seed)
        files.failSync(sync)
        if ((await life.attempt()) === 'failed') failed++
        for (const call of [25, 20]) await life.attempt(call)
        await liveToEnd(life, `sync ${sync}, seed ${seed}`)
        checkCounted(life, `sync ${sync}, seed ${seed}`)
      }
    }
    assert.ok(failed > 50, `${failed} failed`)
  })
})
