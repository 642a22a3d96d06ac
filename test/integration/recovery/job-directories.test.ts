// The directory of a job that cannot be used: it is no directory, may not be written to, or another process runs there.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { temporaryFolder } from '../connectors/support/temporary-folder.ts'
import { checkpointsAt, countedBefore, finishCounting } from './support/counting-job.ts'
import { filesOfCheckpoints } from './support/stored-files.ts'

const JOB = join(import.meta.dirname, 'support', 'held-job.ts')

/** A process that has the job's directory, took a checkpoint at 20 records of each split, and waits. */
interface Holder {
  readonly pid: number
  /** kill -9; resolves when it is gone. */
  kill(): Promise<void>
}

function holdDirectory(directory: string): Promise<Holder> {
  const child = spawn(process.execPath, [JOB, directory], { stdio: ['pipe', 'pipe', 'pipe'] })
  const gone = new Promise<void>(resolve => child.once('close', () => resolve()))
  const kill = (): Promise<void> => {
    child.kill('SIGKILL')
    return gone
  }
  after(kill)
  return new Promise((resolve, reject) => {
    let stderr = ''
    child.stderr.on('data', piece => {
      stderr += String(piece)
    })
    child.stdout.once('data', () => resolve({ pid: child.pid as number, kill }))
    gone.then(() => reject(new Error(`the process ended: ${stderr}`)))
  })
}

describe('a directory that another process runs on', () => {
  test('is refused with its pid; after kill -9 the lock is taken over and the job goes on', async () => {
    const directory = join(temporaryFolder(), 'job')
    const holder = await holdDirectory(directory)
    const refused = new RegExp(`DIRECTORY_LOCKED: .*process ${holder.pid}\\b`)
    for (let round = 0; round < 2; round++) await assert.rejects(finishCounting(directory), refused)
    await holder.kill()
    const run = await finishCounting(directory)
    assert.equal(countedBefore(run.lines), 40)
    const takeOver = run.log.find(({ message }) => message === 'the lock of a process that is gone was taken over')
    assert.equal(takeOver?.level, 'warn')
    assert.equal(takeOver?.fields['pid'], holder.pid)
    assert.ok(!readdirSync(directory).some(name => name.startsWith('lock')))
  })

  test('is refused within one process too', async () => {
    const directory = join(temporaryFolder(), 'job')
    // Whichever comes first has it.
    const ends = await Promise.allSettled([finishCounting(directory), finishCounting(directory)])
    const run = ends.find(end => end.status === 'fulfilled')
    const refusal = ends.find(end => end.status === 'rejected')
    assert.match(String(refusal?.reason), new RegExp(`DIRECTORY_LOCKED: .*this very process \\(${process.pid}\\)`))
    assert.equal(countedBefore(run?.value.lines ?? []), 0)
  })
})

describe('a directory that cannot be written to', () => {
  test('is told when something on its path is a file', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'file'), '')
    for (const path of ['file', 'file/job', 'file/jobs/job']) {
      await assert.rejects(
        finishCounting(join(folder, path)),
        /DIRECTORY_NOT_WRITABLE: .*(ENOTDIR|EEXIST).*something on its path is a file; choose another directory/,
      )
    }
  })

  test('is told when a file is in the place of what lies below it', async () => {
    const directory = join(temporaryFolder(), 'job')
    await checkpointsAt(directory, [20])
    const inTheWay = join(directory, 'segments')
    rmSync(inTheWay, { recursive: true })
    writeFileSync(inTheWay, 'in the way')
    await assert.rejects(
      finishCounting(directory),
      /(SNAPSHOT_DAMAGED|STORAGE_FAILED|DIRECTORY_NOT_WRITABLE): .*segments/,
    )
    assert.deepEqual(readdirSync(join(directory, 'checkpoints')), ['0000000001.manifest'])
  })

  test('is told when the file system is mounted read-only, and nothing there changes', async t => {
    const disk = mkdtempSync(join(tmpdir(), 'millrace-disk-'))
    after(() => {
      spawnSync('umount', [disk])
      rmSync(disk, { recursive: true, force: true })
    })
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]).status !== 0) {
      t.skip('no file system may be mounted here')
      return
    }
    const directory = join(disk, 'job')
    await checkpointsAt(directory, [20])
    assert.equal(spawnSync('mount', ['-o', 'remount,ro', disk]).status, 0)
    await assert.rejects(
      finishCounting(directory),
      /DIRECTORY_NOT_WRITABLE: .*EROFS.*mounted read-only; choose another directory/,
    )
    assert.deepEqual([...filesOfCheckpoints(directory).keys()], [1])
    assert.equal(spawnSync('mount', ['-o', 'remount,rw', disk]).status, 0)
    assert.equal(countedBefore((await finishCounting(directory)).lines), 40)
  })

  test('is told when the user may not write there', async t => {
    if (process.getuid?.() === 0) {
      t.skip('root may write everywhere')
      return
    }
    const directory = join(temporaryFolder(), 'job')
    mkdirSync(directory)
    chmodSync(directory, 0o500)
    after(() => chmodSync(directory, 0o700))
    await assert.rejects(
      finishCounting(directory),
      /DIRECTORY_NOT_WRITABLE: .*give the user of this process the right to write there/,
    )
  })
})
