import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { StreamError } from '../../base/errors.ts'
import type { Storage } from '../../base/storage.ts'
import { samplePart, sampleTask } from '../../testing/sample-snapshots.ts'
import type { SegmentRef } from './manifest.ts'
import { memoryStorage } from './memory-storage.ts'
import { encodeSegment } from './segment.ts'
import { SegmentReader } from './segment-reader.ts'

const SMALL = sampleTask(
  samplePart(true, {
    0: [['a', '1']],
    3: [
      ['b', '2'],
      ['c', '33'],
    ],
  }),
  samplePart(true, { [-1]: [['', 'split']] }, { part: 'splits', kind: 'list' }),
)

interface Stored {
  readonly storage: Storage
  readonly bytes: Uint8Array
  readonly ref: SegmentRef
}

async function stored(snapshot = SMALL): Promise<Stored> {
  const { bytes, checksum, parts } = await encodeSegment(snapshot)
  const storage = memoryStorage()
  await storage.put('s', bytes)
  const { schema, isFull } = (parts[0] as (typeof parts)[number]).snapshot
  const groups = [{ from: 0, to: 7 }]
  const ref = {
    file: 's',
    bytes: bytes.length,
    checksum,
    place: 0,
    subtask: 0,
    parallelism: 1,
    isFull,
    groups,
    schema,
    rows: 3,
  }
  return { storage, bytes, ref }
}

async function replaced(bytes: Uint8Array): Promise<Storage> {
  const storage = memoryStorage()
  await storage.put('s', bytes)
  return storage
}

function isDamaged(error: unknown): boolean {
  return error instanceof StreamError && error.code === 'SNAPSHOT_DAMAGED' && error.message.includes('s: found')
}

describe('segment', () => {
  test('gives back the sections of each part, with the key groups that were asked for alone', async () => {
    const { storage, ref } = await stored()
    const reader = new SegmentReader(storage)
    const found: string[] = []
    await reader.readSections(
      ref,
      group => group !== 0,
      ({ keyGroup, rows }, bytes) => found.push(`${keyGroup} ${rows} ${[...bytes].join(' ')}`),
    )
    assert.deepEqual(found, ['3 2 1 98 2 50 1 99 3 51 51'])
    const index = await reader.readIndex(ref)
    assert.deepEqual(
      index.map(({ uid, part, kind, isFull, sections }) => [uid, part, kind, isFull, sections.length]),
      [
        ['count', 'counts', 'keyed', true, 2],
        ['count', 'splits', 'list', true, 1],
      ],
    )
    assert.equal(index[1]?.sections[0]?.keyGroup, -1)
  })

  test('a bit flipped in any byte is found', async () => {
    const { bytes, ref } = await stored()
    assert.ok(bytes.length > 100)
    for (let at = 0; at < bytes.length; at++) {
      for (const bit of [1, 0x10, 0x80]) {
        const damaged = bytes.slice()
        damaged[at] = (damaged[at] as number) ^ bit
        const reader = new SegmentReader(await replaced(damaged))
        await assert.rejects(reader.readAll(ref), isDamaged, `byte ${at}, bit ${bit}`)
      }
    }
  })

  test('a segment cut anywhere, or with anything behind it, is found by its index alone', async () => {
    const { bytes, ref } = await stored()
    for (let size = 0; size < bytes.length; size++)
      await assert.rejects(
        new SegmentReader(await replaced(bytes.slice(0, size))).readIndex(ref),
        isDamaged,
        `${size} bytes`,
      )
    const doubled = new Uint8Array(bytes.length * 2)
    doubled.set(bytes)
    doubled.set(bytes, bytes.length)
    await assert.rejects(
      new SegmentReader(await replaced(doubled)).readIndex(ref),
      /found more than \d+ bytes, expected/,
    )
  })

  test('a segment that is missing, or another in its place, is found by its index alone', async () => {
    const { ref } = await stored()
    await assert.rejects(new SegmentReader(memoryStorage()).readIndex(ref), /s: found no such file/)
    const other = await stored(
      sampleTask(
        samplePart(true, {
          0: [['a', '9']],
          3: [
            ['b', '2'],
            ['c', '33'],
          ],
        }),
        ...(SMALL.operators[0]?.parts.slice(1) ?? []),
      ),
    )
    assert.equal(other.bytes.length, ref.bytes)
    await assert.rejects(
      new SegmentReader(other.storage).readIndex(ref),
      /expected [0-9a-f]{8}, the one of the manifest/,
    )
  })

  test('an index larger than what is read at once is read whole', async () => {
    const groups = Object.fromEntries(
      Array.from({ length: 12000 }, (_, group) => [group, [['k', `${group}`] as const]]),
    )
    const { storage, ref } = await stored(sampleTask(samplePart(true, groups)))
    let rows = 0
    await new SegmentReader(storage).readSections(
      ref,
      () => true,
      section => (rows += section.rows),
    )
    assert.equal(rows, 12000)
  })

  test('copying and checksumming pause after at most 512 KiB', async () => {
    const rows = [['k', 'x'.repeat(3 * 1024 * 1024)]] as const
    let pauses = 0
    const pause = async (): Promise<void> => {
      pauses++
    }
    const { bytes } = await encodeSegment(sampleTask(samplePart(true, { 0: rows, 1: rows })), pause)
    assert.ok(bytes.length > 6 * 1024 * 1024)
    assert.ok(pauses >= 12, `${pauses} pauses`)
  })
})
