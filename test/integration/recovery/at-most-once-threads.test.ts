// At-most-once in threads: where a source has got to is told by the thread that it was in, and goes to the thread that it is in next.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, test } from 'node:test'
import { run } from '../../../src/entry/index.ts'
import { PILLS, RECORDS, written } from './support/poisoned-job.ts'

const JOB_URL = new URL('./support/poisoned-job.ts', import.meta.url)

async function jobFolder(scope: { after(action: () => Promise<void>): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-pills-'))
  scope.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

function missing(): readonly number[] {
  const found = new Set(written)
  return Array.from({ length: RECORDS }, (_, id) => id).filter(id => !found.has(id))
}

describe('a job with poison pills in threads', () => {
  beforeEach(() => {
    written.length = 0
  })

  for (const [threads, parallelism] of [
    [2, 2],
    [2, 4],
    [3, 3],
  ] as const) {
    test(`ends, the pills are missing and nothing is there twice: ${threads} threads, parallelism ${parallelism}`, async t => {
      const directory = join(await jobFolder(t), 'job')
      const { status } = await run(JOB_URL, { threads, parallelism, directory })
      const lost = missing()
      assert.equal(status, 'finished')
      assert.equal(new Set(written).size, written.length)
      assert.ok(PILLS.every(id => lost.includes(id)))
      assert.ok(written.length > RECORDS / 2, `${written.length} of ${RECORDS} are written`)
    })
  }

  test('goes back to the checkpoint where a thread was lost: records come twice, and none is missing', async t => {
    const folder = await jobFolder(t)
    const args = [join(folder, 'flag')]
    const { status } = await run(JOB_URL, { threads: 2, parallelism: 2, directory: join(folder, 'job'), args })
    assert.equal(status, 'finished')
    assert.deepEqual(missing(), [])
  })
})
