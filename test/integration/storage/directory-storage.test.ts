// Checkpoints in a real directory: what is there after a process is another's to find, and what the file system refuses is told with a code.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { StreamError } from '../../../src/base/errors.ts'
import { silentLogger } from '../../../src/base/logger.ts'
import { nodeFiles } from '../../../src/platform/node/node-files.ts'
import { CheckpointStore } from '../../../src/recovery/snapshot/checkpoint-store.ts'
import { fileStorage } from '../../../src/recovery/snapshot/file-storage.ts'
import { segmentFiles } from '../../../src/recovery/snapshot/garbage.ts'
import type { Manifest, ManifestPart } from '../../../src/recovery/snapshot/manifest.ts'
import { readSavepoint } from '../../../src/recovery/snapshot/savepoint.ts'
import {
  type SampleRow,
  sampleManifest,
  samplePart,
  sampleTask,
  sampleText,
  sampleWriter,
} from '../../../src/testing/sample-snapshots.ts'
import { temporaryFolder } from '../connectors/support/temporary-folder.ts'

const ALL = { from: 0, to: 7 }

function storeIn(directory: string): CheckpointStore {
  return new CheckpointStore({ storage: fileStorage(nodeFiles(directory), ''), job: 'orders', logger: silentLogger })
}

async function take(
  store: CheckpointStore,
  id: number,
  previous?: Manifest,
  rows: readonly SampleRow[] = [['k', `${id}`]],
) {
  const snapshot = sampleTask(samplePart(previous === undefined, { 1: rows }))
  const segment = await store.writeSegment(`${String(id).padStart(10, '0')}-0`, snapshot, sampleWriter(ALL))
  const manifest = sampleManifest(id, previous, [segment])
  await store.publish(manifest)
  return manifest
}

async function rowsOf(manifest: Manifest, source: Pick<CheckpointStore, 'readRows'>): Promise<string[]> {
  const rows: string[] = []
  await source.readRows(manifest.operators[0]?.parts[0] as ManifestPart, { all: true }, (_s, _g, identity, payload) => {
    rows.push(`${sampleText(identity)}=${sampleText(payload)}`)
  })
  return rows.sort()
}

function code(expected: string): (error: unknown) => boolean {
  return error => error instanceof StreamError && error.code === expected
}

describe('checkpoints in a directory', () => {
  test('are found by the next process, fall back when damaged, and leave nothing behind', async () => {
    const directory = join(temporaryFolder(), 'jobs/orders')
    const store = storeIn(directory)
    const first = await take(store, 1)
    const second = await take(store, 2, first, [['n', '2']])
    const next = storeIn(directory)
    assert.deepEqual((await next.latest())?.manifest, second)
    assert.deepEqual(await rowsOf(second, next), ['k=1', 'n=2'])
    assert.match(readFileSync(join(directory, 'checkpoints/0000000002.manifest'), 'utf8'), /^millrace snapshot 1 crc32/)
    truncateSync(join(directory, segmentFiles(second)[1] as string), 50)
    const fallen = await storeIn(directory).latest()
    assert.equal(fallen?.manifest.id, 1)
    assert.match(
      fallen?.fallbacks[0] ?? '',
      /segments\/0000000002-0.segment: found 50 bytes at most, expected \d+ bytes/,
    )
    let manifest = first
    for (const id of [3, 4, 5]) manifest = await take(next, id, manifest)
    await next.collectGarbage()
    const files = (await nodeFiles(directory).list('')).map(file => file.path)
    assert.deepEqual(files, [
      ...[3, 4, 5].map(id => `checkpoints/000000000${id}.manifest`),
      ...[1, 3, 4, 5].map(id => `segments/000000000${id}-0.segment`),
    ])
  })

  test('a segment of many megabytes comes back', async () => {
    const store = storeIn(temporaryFolder())
    const rows = Array.from({ length: 60 }, (_, i): SampleRow => [`k${i}`, 'x'.repeat(200_000)])
    const manifest = await take(store, 1, undefined, rows)
    let bytes = 0
    await store.readRows(manifest.operators[0]?.parts[0] as ManifestPart, { all: true }, (_s, _g, _i, payload) => {
      bytes += payload.end - payload.position
    })
    assert.equal(bytes, 12_000_000)
  })

  test('a savepoint may be moved', async () => {
    const folder = temporaryFolder()
    const store = storeIn(join(folder, 'job'))
    const manifest = await take(store, 2, await take(store, 1), [['n', '2']])
    await store.writeSavepoint(fileStorage(nodeFiles(join(folder, 'save')), ''), manifest)
    renameSync(join(folder, 'save'), join(folder, 'moved'))
    renameSync(join(folder, 'job'), join(folder, 'gone'))
    const savepoint = await readSavepoint(fileStorage(nodeFiles(join(folder, 'moved')), ''))
    assert.deepEqual(await rowsOf(savepoint.manifest, savepoint), ['k=1', 'n=2'])
  })

  test('a directory that is a file is told with what the file system said', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'job'), '')
    await assert.rejects(take(storeIn(join(folder, 'job')), 1), /STORAGE_FAILED: .*(ENOTDIR|EEXIST)/)
  })

  test('a directory that may not be written to is told with what to do', async t => {
    if (process.getuid?.() === 0) {
      t.skip('root may write everywhere')
      return
    }
    const folder = temporaryFolder()
    chmodSync(folder, 0o500)
    after(() => chmodSync(folder, 0o700))
    await assert.rejects(take(storeIn(join(folder, 'job')), 1), code('DIRECTORY_NOT_WRITABLE'))
  })
})

describe('checkpoints on a small tmpfs', () => {
  test('a full disk fails the checkpoint, says to make room, and loses nothing', async t => {
    const mounted = mount('size=1m')
    if (mounted === undefined) {
      t.skip('no file system can be mounted here')
      return
    }
    const store = storeIn(mounted)
    const first = await take(store, 1, undefined, [['k', 'x'.repeat(400_000)]])
    const large: SampleRow[] = [['n', 'x'.repeat(900_000)]]
    await assert.rejects(take(store, 2, first, large), /STORAGE_FAILED: .*ENOSPC.*no space left: make room/)
    assert.deepEqual(
      (await nodeFiles(mounted).list('')).map(file => file.path),
      ['checkpoints/0000000001.manifest', 'segments/0000000001-0.segment'],
    )
    const next = storeIn(mounted)
    assert.equal((await next.latest())?.manifest.id, 1)
    const third = await take(next, 3, first, [['n', 'small']])
    assert.equal((await rowsOf(third, next)).length, 2)
  })

  test('a read-only disk is told with what to do, and can be read', async t => {
    const mounted = mount('size=1m')
    if (mounted === undefined) {
      t.skip('no file system can be mounted here')
      return
    }
    const first = await take(storeIn(mounted), 1)
    assert.equal(spawnSync('mount', ['-o', 'remount,ro', mounted]).status, 0)
    const store = storeIn(mounted)
    assert.equal((await store.latest())?.manifest.id, 1)
    await assert.rejects(take(store, 2, first), /DIRECTORY_NOT_WRITABLE: .*EROFS.*choose another directory/)
  })
})

/** A tmpfs of its own with the given options; undefined where that is not allowed. */
function mount(options: string): string | undefined {
  const target = mkdtempSync(join(tmpdir(), 'millrace-disk-'))
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', target]).status !== 0) return undefined
  after(() => {
    spawnSync('umount', [target])
    rmSync(target, { recursive: true, force: true })
  })
  return target
}
