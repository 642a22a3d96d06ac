// Jobs in several threads from start to end: regions, stop, drain, cancel, savepoints, and what their handles tell.
import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type JobHandle, type JobResult, run } from '../../../src/entry/index.ts'
import { collected } from './support/collected.ts'
import { readLines } from './support/lines.ts'
import { jobFolder, startTroubled } from './support/run-troubled.ts'
import { expectedLines, KEYS } from './support/troubled-job.ts'

const JOBS_URL = new URL('./support/small-jobs.ts', import.meta.url)

interface Started {
  readonly handle: JobHandle
  readonly result: Promise<JobResult>
}

/** Starts a small job; resolves when it has its handle. */
function start(name: string, threads: number, parallelism = 4): Promise<Started> {
  collected.length = 0
  return new Promise((resolve, reject) => {
    const result: Promise<JobResult> = run(JOBS_URL, {
      args: [name],
      threads,
      parallelism,
      onStart: handle => resolve({ handle, result }),
    })
    result.catch(reject)
  })
}

/** Turns of the event loop until it holds. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise<void>(resolve => setImmediate(resolve))
}

describe('regions of a job in several threads', () => {
  test('are all waited for and counted, however early one ends', async () => {
    const { result } = await start('several regions', 2)
    const { status, recordsIn, recordsOut } = await result
    assert.deepEqual({ status, recordsIn, recordsOut }, { status: 'finished', recordsIn: 100, recordsOut: 100 })
    assert.equal(collected.length, 100)
  })

  test('end the job when one of them fails while others are still being made', async () => {
    const { result } = await start('a region fails at once', 2)
    await assert.rejects(result, /USER_FUNCTION_FAILED: .*at once/)
  })

  test('with a loop that calls back go round in the main thread', async () => {
    const { result } = await start('a callback in a loop', 2)
    assert.equal((await result).status, 'finished')
    assert.equal(collected.length, 30 + 40)
  })
})

describe('a handle', () => {
  test('stops a job gracefully: what was read has reached the sink', async () => {
    const { handle, result } = await start('endless', 2)
    await until(() => collected.length > 50)
    await handle.stop()
    const { status, recordsIn, recordsOut } = await result
    assert.equal(status, 'stopped')
    assert.deepEqual([recordsIn, recordsOut], [collected.length, collected.length])
  })

  test('drains a job: windows that are open fire', async () => {
    const { handle, result } = await start('waiting', 2)
    await until(() => handle.metrics().recordsIn > 100)
    assert.equal(collected.length, 0)
    await handle.drain()
    const { recordsIn } = await result
    const counted = collected.reduce((sum, text) => sum + Number(text), 0)
    assert.equal(counted, recordsIn)
  })

  test('cancels a job', async () => {
    const { handle, result } = await start('endless', 4)
    await until(() => collected.length > 50)
    await handle.cancel()
    assert.equal((await result).status, 'cancelled')
  })

  test('cancels a job whose threads are still being started', async () => {
    for (const turns of [0, 1, 20]) {
      const { handle, result } = await start('endless', 2)
      for (let turn = 0; turn < turns; turn++) await new Promise<void>(resolve => setImmediate(resolve))
      await handle.cancel()
      assert.equal((await result).status, 'cancelled')
    }
  })

  test('stops a job whose threads are still being started', async () => {
    const { handle, result } = await start('endless', 2)
    await handle.stop()
    const { recordsIn, recordsOut } = await result
    assert.equal(recordsIn, recordsOut)
  })

  test('tells what all threads count and wait for', async () => {
    const { handle, result } = await start('waiting', 2)
    await until(() => handle.explainNoOutput().reduce((sum, { count }) => sum + count, 0) === 8)
    const { recordsIn, vertices, edges } = handle.metrics()
    assert.ok(recordsIn >= 8)
    assert.equal(vertices[0]?.recordsOut, recordsIn)
    assert.equal(edges.find(({ from }) => from === vertices[0]?.name)?.channels, 16)
    const waiting = handle.explainNoOutput()
    assert.deepEqual([...new Set(waiting.map(({ waiting: what }) => what))], ['windows'])
    const holds = new Set(waiting.map(({ hold }) => hold?.kind))
    assert.ok(holds.has('elsewhere') && !holds.has('none'), `${[...holds].join(', ')}: ${waiting[0]?.text}`)
    await handle.cancel()
    await result
  })

  test('ends a job though a function left timers behind in its threads', async () => {
    const { result } = await start('timers left behind', 2)
    assert.equal((await result).recordsOut, 40)
  })
})

describe('two jobs at the same time', () => {
  test('each have threads of their own', async t => {
    const jobs = await Promise.all(
      [2, 3].map(async threads => {
        const folder = await jobFolder(t)
        return { folder, ...startTroubled({ folder, threads, parallelism: threads, records: 2000 }) }
      }),
    )
    for (const { handle, folder } of jobs) {
      assert.equal((await handle).status, 'finished')
      assert.deepEqual(await readLines(join(folder, 'out')), expectedLines(2000))
    }
  })
})

describe('a job that goes on', () => {
  const PACED = { records: 3000, recordsPerSecond: 4000 }
  for (const [before, after] of [
    [
      { threads: 2, parallelism: 4 },
      { threads: 4, parallelism: 4 },
    ],
    [
      { threads: 1, parallelism: 3 },
      { threads: 2, parallelism: 2 },
    ],
    [
      { threads: 4, parallelism: 4 },
      { threads: 1, parallelism: 2 },
    ],
    [
      { threads: 2, parallelism: 2 },
      { threads: 3, parallelism: 6 },
    ],
  ] as const) {
    const title = `${before.threads} threads and parallelism ${before.parallelism}, then ${after.threads} and ${after.parallelism}`
    test(`from where it was stopped: ${title}`, async t => {
      const folder = await jobFolder(t)
      const first = startTroubled({ ...PACED, ...before, folder })
      await until(() => first.handle.metrics().recordsIn > 400)
      await first.handle.stop()
      assert.equal((await first.handle).status, 'stopped')
      const written = (await readLines(join(folder, 'out'))).length
      assert.ok(written > 400 && written < PACED.records, `${written}`)
      const second = startTroubled({ ...PACED, ...after, folder, recordsPerSecond: 0 })
      assert.equal((await second.handle).status, 'finished')
      assert.deepEqual(await readLines(join(folder, 'out')), expectedLines(PACED.records))
    })

    test(`from a savepoint: ${title}`, async t => {
      const folder = await jobFolder(t)
      const savepoint = join(folder, 'savepoint')
      const first = startTroubled({ ...PACED, ...before, folder, output: join(folder, 'first') })
      await until(() => first.handle.metrics().recordsIn > 400)
      await first.handle.savepoint(savepoint)
      await first.handle.cancel()
      const second = startTroubled({
        ...PACED,
        ...after,
        folder,
        recordsPerSecond: 0,
        launch: { directory: join(folder, 'other'), from: savepoint },
      })
      assert.equal((await second.handle).status, 'finished')
      // It writes what came after the savepoint: for each key all counts from one on.
      const lines = await readLines(join(folder, 'out'))
      const whole = new Set(expectedLines(PACED.records))
      assert.ok(lines.length < PACED.records - 300 && lines.length > 0, `${lines.length}`)
      assert.deepEqual(
        lines.filter(line => !whole.has(line)),
        [],
      )
      assert.deepEqual(missingBehind(lines, PACED.records), [])
    })
  }

  test('from an earlier checkpoint where the newest is damaged', async t => {
    const folder = await jobFolder(t)
    const job = { ...PACED, folder, threads: 2, parallelism: 2 }
    const first = startTroubled(job)
    await until(() => first.handle.metrics().recordsIn > 1000)
    await first.handle.checkpoint()
    const { id } = await first.handle.checkpoint()
    await first.handle.cancel()
    const damaged = await damageSnapshot(join(folder, 'job'), id)
    const second = startTroubled({ ...job, recordsPerSecond: 0 })
    assert.equal((await second.handle).status, 'finished')
    assert.ok(
      second.log.some(line => damaged.some(name => line.includes(name))),
      second.log.join('\n'),
    )
  })
})

/** The counts of keys that are not there though a smaller one of the key is. */
function missingBehind(lines: readonly string[], records: number): readonly string[] {
  const found = new Set(lines)
  return Array.from({ length: KEYS }, (_, key) => {
    const counts = expectedLines(records).filter(line => line.startsWith(`${key} `))
    const least = Math.min(...counts.filter(line => found.has(line)).map(line => Number(line.split(' ')[1])))
    return counts.filter(line => Number(line.split(' ')[1]) >= least && !found.has(line))
  }).flat()
}

/** Overwrites the segments that a snapshot has written, and those of later ones; gives their names. */
async function damageSnapshot(directory: string, id: number): Promise<readonly string[]> {
  const names = await readdir(join(directory, 'segments'))
  const damaged = names.filter(name => Number.parseInt(name, 10) >= id)
  assert.ok(damaged.length > 0, names.join(' '))
  for (const name of damaged) await writeFile(join(directory, 'segments', name), 'damaged')
  return damaged
}
