// Threads of a job that are lost, and functions that fail in them: the job goes on from a checkpoint, and each record is written once.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { readLines } from './support/lines.ts'
import { jobFolder, startTroubled, type TroubledRun } from './support/run-troubled.ts'
import { expectedLines } from './support/troubled-job.ts'

const RECORDS = 3000
/** About a second, so that there are checkpoints to go on from. */
const PACED = { records: RECORDS, recordsPerSecond: 3000, at: 700 }

/** Runs the job to its end; it must have been in trouble, and written each record once. */
async function survives(run: TroubledRun, told: RegExp): Promise<void> {
  const { handle, log } = startTroubled(run)
  const { status } = await handle
  assert.equal(status, 'finished')
  assert.ok(existsSync(join(run.folder, 'flag')), 'the trouble happened')
  assert.ok(
    log.some(line => told.test(line)),
    log.join('\n'),
  )
  assert.deepEqual(await readLines(join(run.folder, 'out')), expectedLines(run.records ?? RECORDS))
}

describe('a job with checkpoints goes on as if nothing had happened', () => {
  for (const threads of [2, 4]) {
    test(`after a function threw in one of ${threads} threads`, async t => {
      const folder = await jobFolder(t)
      await survives(
        { ...PACED, folder, threads, parallelism: 4, trouble: 'throw' },
        /the trouble of a test.*"from":"checkpoint/,
      )
    })

    test(`after a function called process.exit in one of ${threads} threads`, async t => {
      const folder = await jobFolder(t)
      await survives({ ...PACED, folder, threads, parallelism: 4, trouble: 'exit' }, /it ended with exit code 7/)
    })
  }

  test('after a thread ran out of memory', async t => {
    const limits = { resources: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 } }
    const run = {
      ...PACED,
      folder: await jobFolder(t),
      threads: 2,
      parallelism: 4,
      limits,
      trouble: 'allocate',
    } as const
    await survives(run, /it ran out of memory/)
  })

  test('after a thread was in an endless loop for longer than it may be silent', async t => {
    const limits = { silenceMsMax: 3000 }
    const run = { ...PACED, folder: await jobFolder(t), threads: 2, parallelism: 4, limits, trouble: 'spin' } as const
    await survives(run, /it gave no sign of life for \d+ ms/)
  })

  test('after a thread was lost before anything was read', async t => {
    const run = {
      records: 200,
      at: 0,
      folder: await jobFolder(t),
      threads: 3,
      parallelism: 3,
      trouble: 'exit',
    } as const
    await survives(run, /it ended with exit code 7/)
  })
})

describe('barriers that overtake records between threads', () => {
  const FULL = { records: 16_000, padding: 1000, slowness: 60_000, at: 3900, threads: 2, parallelism: 4 } as const
  for (const [what, options] of [
    ['at once', { isUnaligned: true }],
    ['after a time', { alignmentTimeoutMs: 5 }],
  ] as const) {
    for (const trouble of ['exit', 'throw'] as const) {
      test(`${what}: nothing is lost or twice after ${trouble}, though channels are full`, async t => {
        const folder = await jobFolder(t)
        await survives(
          { ...FULL, ...options, launch: { channelCapacityRecords: 64 }, folder, trouble },
          /the job failed and is restarted .*"from":"checkpoint/,
        )
      })
    }
  }
})

describe('a job without a restart', () => {
  test('fails with WORKER_FAILED and the reason when a thread is lost', async t => {
    const run = { at: 10, folder: await jobFolder(t), threads: 2, parallelism: 2, trouble: 'exit' } as const
    const { handle } = startTroubled({ ...run, launch: { restart: { kind: 'none' } } })
    await assert.rejects(
      async () => handle,
      /^StreamError: WORKER_FAILED: thread \d of the job was lost: it ended with exit code 7; see what its functions do/,
    )
  })

  test('fails with the error of a function as in one thread: step, record and subtask', async t => {
    const messages: string[] = []
    for (const threads of [1, 2, 4]) {
      const run = { at: 1234, folder: await jobFolder(t), threads, parallelism: 4, trouble: 'always' } as const
      const { handle } = startTroubled({ ...run, launch: { restart: { kind: 'none' } } })
      await assert.rejects(
        async () => handle,
        (error: Error) => messages.push(error.message) > 0,
      )
    }
    const [one = ''] = messages
    assert.match(one, /^USER_FUNCTION_FAILED: .*"trouble".*the trouble of a test/)
    assert.deepEqual(messages, [one, one, one])
  })
})
