// Snapshots that a job cannot take: of another job, of a later format, with state of another kind, codec or key. Each is one clear error with its
// code, before any record is read, and the snapshot stays as it is.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { crc32 } from '../../../src/base/crc32.ts'
import { StreamError } from '../../../src/base/errors.ts'
import type { KeyedProcessFunction } from '../../../src/model/functions.ts'
import { list, type StateDescriptor, type ValueDescriptor, value } from '../../../src/model/state.ts'
import { decodeManifest, encodeManifest } from '../../../src/recovery/snapshot/manifest-text.ts'
import {
  decodeIndex,
  encodeIndex,
  FOOTER_BYTES,
  HEADER_BYTES,
  type IndexedPart,
  type IndexedSection,
  readFooter,
} from '../../../src/recovery/snapshot/segment-index.ts'
import { temporaryFolder } from '../connectors/support/temporary-folder.ts'
import { type CountingOptions, checkpointsAt, finishCounting, startCounting } from './support/counting-job.ts'
import { snapshotFiles } from './support/stored-files.ts'

type AnyFunction = KeyedProcessFunction<never, number, string, never>

/** A function that keeps `count` in some way. */
function keeping(count: StateDescriptor): AnyFunction {
  const fn: KeyedProcessFunction<unknown, number, string, { count: ValueDescriptor<number> }> = {
    state: { count: count as ValueDescriptor<number> },
    onRecord: (n, { state }) => state.count.set(n),
  }
  return fn as unknown as AnyFunction
}

/** Starts the job, which must be refused at once and leave its snapshots alone. */
async function assertRefused(
  directory: string,
  options: CountingOptions,
  code: string,
  expected: RegExp,
): Promise<void> {
  const before = snapshotFiles(directory)
  for (let round = 0; round < 2; round++) {
    const run = startCounting(directory, options)
    run.source.raise(100)
    await assert.rejects(run.handle.done, error => {
      assert.ok(error instanceof StreamError)
      assert.equal(error.code, code, error.message)
      assert.match(error.message, expected)
      return true
    })
    assert.deepEqual(run.lines, [])
    assert.deepEqual(snapshotFiles(directory), before)
  }
}

/** Writes the keys of a checkpoint anew in a codec of nobody, with all checksums as they must be. */
function rewriteKeys(directory: string, id: number): void {
  const path = join(directory, `checkpoints/000000000${id}.manifest`)
  let text = JSON.stringify(decodeManifest(new Uint8Array(readFileSync(path)), path))
  for (const [file, bytes] of snapshotFiles(directory)) {
    if (!file.startsWith(`segments/000000000${id}-`)) continue
    const header = bytes.subarray(0, HEADER_BYTES)
    const { offset, length, checksum } = readFooter(bytes.subarray(-FOOTER_BYTES), file, bytes.length)
    const parts = decodeIndex(bytes.subarray(offset, offset + length), header, file, checksum)
    const changed = parts.map(part => ({
      ...part,
      sections: part.sections.map(section => rekeyed(part, section, bytes)),
    }))
    const index = encodeIndex(changed, header, offset)
    writeFileSync(join(directory, file), new Uint8Array([...bytes.subarray(0, offset), ...index.bytes]))
    text = text.replaceAll(`"checksum":${checksum}`, `"checksum":${index.checksum}`)
  }
  writeFileSync(path, encodeManifest(JSON.parse(text)))
}

function rekeyed({ part }: IndexedPart, section: IndexedSection, bytes: Uint8Array): IndexedSection {
  if (part !== 'state') return section
  const rows = bytes.subarray(section.offset, section.offset + section.bytes)
  // Behind the length of what the row is about stands the tag of the key.
  rows[1] = 0
  return { ...section, checksum: crc32(rows) }
}

describe('a snapshot', () => {
  async function directoryOf(options: CountingOptions = {}): Promise<string> {
    const directory = join(temporaryFolder(), 'job')
    await checkpointsAt(directory, [20, 40], options)
    return directory
  }

  test('of another job is SNAPSHOT_FOREIGN, and names both', async () => {
    const directory = await directoryOf()
    await assertRefused(
      directory,
      { name: 'sums' },
      'SNAPSHOT_FOREIGN',
      /checkpoints of job "counting" .*this is job "sums"; give this job a directory of its own/,
    )
    assert.equal((await finishCounting(directory)).lines.length, 120)
  })

  test('of a later format is SNAPSHOT_VERSION, and names the file', async () => {
    const directory = await directoryOf()
    const path = join(directory, 'checkpoints/0000000002.manifest')
    const bytes = new Uint8Array(readFileSync(path))
    writeFileSync(path, encodeManifest({ ...decodeManifest(bytes, path), format: 2 }))
    await assertRefused(
      directory,
      {},
      'SNAPSHOT_VERSION',
      /checkpoints\/0000000002.manifest has snapshot format 2, .*up to 1; run the job with the version that wrote it/,
    )
    writeFileSync(path, bytes)
    assert.equal((await finishCounting(directory)).lines.length, 120)
  })

  test('with state of another kind is STATE_INCOMPATIBLE', async () => {
    const directory = await directoryOf()
    await assertRefused(
      directory,
      { count: keeping(list<number>()), launch: { allowUnmapped: true } },
      'STATE_INCOMPATIBLE',
      /step ".*" \(uid "counts"\): state "count" was value and is list; declare it as it was/,
    )
    assert.equal((await finishCounting(directory)).lines.length, 120)
  })

  test('with state that the job does not declare is STATE_UNMAPPED', async () => {
    const directory = await directoryOf()
    const other = { state: { total: value(0) }, onRecord: () => {} } as unknown as AnyFunction
    await assertRefused(
      directory,
      { count: other },
      'STATE_UNMAPPED',
      /holds state "(count|ballast)", which the step does not declare any more; declare it again, or drop it \(--allow-unmapped\)/,
    )
  })

  test('with state of another codec is STATE_INCOMPATIBLE', async () => {
    const directory = await directoryOf()
    const codec = {
      name: 'own',
      encode: (n: number) => new Uint8Array([n]),
      decode: (bytes: Uint8Array) => bytes[0] as number,
    }
    const count = keeping(value(0, { codec }))
    await assertRefused(
      directory,
      { count, launch: { allowUnmapped: true } },
      'STATE_INCOMPATIBLE',
      /state "count" was written with codec tagged and is read with own/,
    )
  })

  test('of a later version of the state is STATE_INCOMPATIBLE', async () => {
    const directory = await directoryOf({ count: keeping(value(0, { version: 3, migrate: () => 0 })) })
    await assertRefused(
      directory,
      { count: keeping(value(0, { version: 2, migrate: () => 0 })), launch: { allowUnmapped: true } },
      'STATE_INCOMPATIBLE',
      /state "count" was written by a newer version of the job \(3, this one has 2\)/,
    )
  })

  test('written with another number of key groups is RESCALE_REFUSED', async () => {
    const directory = await directoryOf()
    await assertRefused(
      directory,
      { maxParallelism: 16 },
      'RESCALE_REFUSED',
      /maxParallelism 16, and its state was written with 8, .*set maxParallelism to 8/,
    )
  })

  test('that is not there is SNAPSHOT_NOT_FOUND', async () => {
    const directory = await directoryOf()
    await assertRefused(
      directory,
      { launch: { from: join(directory, 'nowhere') } },
      'SNAPSHOT_NOT_FOUND',
      /nowhere holds no savepoint.manifest; give the directory of a savepoint/,
    )
  })

  test('with keys in a codec that this version does not know is SNAPSHOT_DAMAGED, and names step and part', async () => {
    const directory = await directoryOf()
    for (const id of [1, 2]) rewriteKeys(directory, id)
    const expected =
      /none is whole; .*checkpoint 1 is damaged: .*step ".*": a row of its part "state" cannot be read \(0 is no tag/
    await assertRefused(directory, {}, 'SNAPSHOT_DAMAGED', expected)
  })
})
