// A disk that is full: checkpoints fail and are told of, the job goes on where it may, and nothing that was complete before is lost.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { temporaryFolder } from '../connectors/support/temporary-folder.ts'
import { countedBefore, finishCounting, startCounting, TOTAL } from './support/counting-job.ts'
import { filesOfCheckpoints, snapshotFiles } from './support/stored-files.ts'

const MEGABYTE = 1024 * 1024

/** A file system of so many megabytes; undefined where none may be mounted. */
function smallDisk(megabytes: number): string | undefined {
  const target = mkdtempSync(join(tmpdir(), 'millrace-disk-'))
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', target]).status !== 0) {
    rmSync(target, { recursive: true, force: true })
    return undefined
  }
  after(() => {
    spawnSync('umount', [target])
    rmSync(target, { recursive: true, force: true })
  })
  return target
}

describe('a disk of 2 MB that is full', () => {
  test('fails checkpoints with a warning; the job goes on, and counts everything', async t => {
    const disk = smallDisk(2)
    if (disk === undefined) {
      t.skip('no file system may be mounted here')
      return
    }
    const directory = join(disk, 'job')
    const run = startCounting(directory, { checkpoints: { tolerableFailures: Infinity } })
    await run.source.readUpTo(20)
    const { id } = await run.handle.checkpoint()
    writeFileSync(join(disk, 'other'), new Uint8Array(leftOn(disk)))
    await run.source.readUpTo(40)
    for (let round = 0; round < 3; round++) {
      await assert.rejects(run.handle.checkpoint(), /CHECKPOINT_FAILED: .*ENOSPC/)
    }
    const warnings = run.log.filter(
      ({ level, message }) => level === 'warn' && message.includes('a snapshot failed; the job goes on'),
    )
    assert.equal(warnings.length, 3)
    assert.match(String(warnings[0]?.fields['reason']), /STORAGE_FAILED: .*ENOSPC.*make room/)
    assert.deepEqual([...filesOfCheckpoints(directory).keys()], [id])
    rmSync(join(disk, 'other'))
    const later = await run.handle.checkpoint()
    assert.ok(later.id > id)
    run.source.raise(100)
    assert.equal((await run.handle).status, 'finished')
    assert.equal(countedBefore(run.lines), 0)
    assert.equal(run.lines.length, TOTAL)
  })

  test('fails a job that tolerates no failure; it goes on from the last checkpoint when there is room', async t => {
    const disk = smallDisk(2)
    if (disk === undefined) {
      t.skip('no file system may be mounted here')
      return
    }
    const directory = join(disk, 'job')
    const run = startCounting(directory, { checkpoints: { tolerableFailures: 0 } })
    await run.source.readUpTo(20)
    await run.handle.checkpoint()
    writeFileSync(join(disk, 'other'), new Uint8Array(leftOn(disk)))
    await run.source.readUpTo(40)
    const failed = assert.rejects(run.handle.done, /CHECKPOINT_FAILED: .*ENOSPC/)
    await assert.rejects(run.handle.checkpoint(), /CHECKPOINT_FAILED/)
    await failed
    const complete = snapshotFiles(directory)
    assert.equal([...filesOfCheckpoints(directory).keys()].length, 1)
    // There is not even room to start.
    await assert.rejects(finishCounting(directory), /(STORAGE_FAILED|DIRECTORY_NOT_WRITABLE): .*ENOSPC.*make room/)
    for (const [path, bytes] of complete) assert.deepEqual(snapshotFiles(directory).get(path), bytes, path)
    rmSync(join(disk, 'other'))
    assert.equal(countedBefore((await finishCounting(directory)).lines), 40)
  })

  test('that state outgrows keeps the last checkpoint that found room', async t => {
    const disk = smallDisk(2)
    if (disk === undefined) {
      t.skip('no file system may be mounted here')
      return
    }
    const directory = join(disk, 'job')
    // Each key holds a fifth of a megabyte: of 13 keys not all find room.
    const options = { ballast: 'x'.repeat(MEGABYTE / 5), checkpoints: { tolerableFailures: Infinity } }
    const run = startCounting(directory, options)
    const done: number[] = []
    for (const limit of [10, 20, 60, 90]) {
      await run.source.readUpTo(limit)
      await run.handle.checkpoint().then(
        () => done.push(limit),
        () => {},
      )
    }
    await run.handle.cancel()
    assert.ok(done.length > 0 && done.length < 4, `${done.length} checkpoints found room`)
    const other = join(temporaryFolder(), 'roomy')
    const moved = spawnSync('cp', ['-r', directory, other])
    assert.equal(moved.status, 0)
    const again = await finishCounting(other, options)
    assert.equal(countedBefore(again.lines), 2 * (done.at(-1) as number))
  })
})

/** The bytes that are free. */
function leftOn(disk: string): number {
  const { bavail, bsize } = statfsSync(disk)
  return bavail * bsize
}
