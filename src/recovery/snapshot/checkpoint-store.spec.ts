import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { StreamError } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { Storage } from '../../base/storage.ts'
import {
  type SampleRow,
  sampleManifest,
  samplePart,
  sampleTask,
  sampleText,
  sampleWriter,
} from '../../testing/sample-snapshots.ts'
import { CheckpointStore, type WrittenSegment } from './checkpoint-store.ts'
import { segmentFiles } from './garbage.ts'
import type { Manifest, ManifestPart } from './manifest.ts'
import { encodeManifest } from './manifest-text.ts'
import { memoryStorage } from './memory-storage.ts'
import { readSavepoint } from './savepoint.ts'

const ALL = { from: 0, to: 7 }

class Job {
  readonly storage: Storage
  readonly lines: string[] = []
  store: CheckpointStore
  manifest: Manifest | undefined
  private segments = 0
  private readonly name: string

  constructor(storage = memoryStorage(), name = 'orders') {
    this.storage = storage
    this.name = name
    this.store = this.newStore()
  }

  newStore(retained = 3): CheckpointStore {
    const logger: Logger = { log: (level, message) => this.lines.push(`${level} ${message}`) }
    this.store = new CheckpointStore({ storage: this.storage, job: this.name, logger, retained })
    return this.store
  }

  write(id: number, isFull: boolean, rows: readonly SampleRow[] = [['k', String(id)]]): Promise<WrittenSegment> {
    const name = `${String(id).padStart(10, '0')}-0-${this.segments++}`
    return this.store.writeSegment(name, sampleTask(samplePart(isFull, { 1: rows })), sampleWriter(ALL))
  }

  async take(id: number, isFull = true): Promise<Manifest> {
    this.manifest = sampleManifest(id, this.manifest, [await this.write(id, isFull)], this.name)
    await this.store.publish(this.manifest)
    return this.manifest
  }

  /** Replaces an object by what a damage made of it. */
  async damage(file: string, change: (bytes: Uint8Array) => Uint8Array | undefined): Promise<void> {
    const bytes = change((await this.storage.get(file)) as Uint8Array)
    await this.storage.remove(file)
    if (bytes !== undefined) await this.storage.put(file, bytes)
  }
}

function code(expected: string): (error: unknown) => boolean {
  return error => error instanceof StreamError && error.code === expected
}

function flip(at: number): (bytes: Uint8Array) => Uint8Array {
  return bytes => bytes.map((byte, i) => (i === at ? byte ^ 4 : byte))
}

async function rowsOf(manifest: Manifest, source: Pick<CheckpointStore, 'readRows'>): Promise<string[]> {
  const rows: string[] = []
  const part = manifest.operators[0]?.parts[0] as ManifestPart
  await source.readRows(part, { all: true }, (_schema, _group, identity, payload) => {
    rows.push(`${sampleText(identity)}=${sampleText(payload)}`)
  })
  return rows.sort()
}

describe('CheckpointStore', () => {
  test('an empty storage has no latest checkpoint, and ids begin with 1', async () => {
    const { store } = new Job()
    assert.equal(await store.latest(), undefined)
    assert.equal(await store.nextId(), 1)
    assert.deepEqual(await store.manifests(), [])
  })

  test('the newest published checkpoint is the latest, also for another process', async () => {
    const job = new Job()
    await job.take(1)
    const second = await job.take(2, false)
    await job.write(3, false)
    assert.deepEqual(await job.newStore().latest(), { manifest: second, fallbacks: [] })
    assert.deepEqual(
      (await job.store.manifests()).map(({ id, file }) => `${id} ${file}`),
      ['2 checkpoints/0000000002.manifest', '1 checkpoints/0000000001.manifest'],
    )
    assert.equal(await job.store.nextId(), 4)
  })

  test('reading a checkpoint that is not there says which are', async () => {
    const job = new Job()
    await job.take(1)
    await assert.rejects(job.store.read(9), /SNAPSHOT_NOT_FOUND: memory holds no checkpoint 9 .*it holds 1/)
  })
})

describe('damaged checkpoints', () => {
  test('a manifest damaged at any byte leads to the checkpoint before it, and the log says so', async () => {
    const job = new Job()
    const first = await job.take(1)
    await job.take(2, false)
    const file = 'checkpoints/0000000002.manifest'
    const whole = (await job.storage.get(file)) as Uint8Array
    for (let at = 0; at < whole.length; at++) {
      await job.damage(file, () => flip(at)(whole))
      const latest = await job.newStore().latest()
      assert.equal(latest?.manifest.id, first.id, `byte ${at}`)
      assert.equal(latest?.fallbacks.length, 1)
      assert.match(
        job.lines.pop() ?? '',
        /^error checkpoint 2 is damaged: SNAPSHOT_DAMAGED: checkpoints\/0000000002.manifest: found .*; checkpoint 1 is used instead$/,
      )
    }
  })

  test('a segment that is missing, cut or replaced leads to the checkpoint before it, and the log names it', async () => {
    const damages: ((bytes: Uint8Array) => Uint8Array | undefined)[] = [
      () => undefined,
      bytes => bytes.slice(0, -1),
      bytes => new Uint8Array([...bytes, ...bytes]),
      bytes => flip(bytes.length - 30)(bytes),
    ]
    for (const damage of damages) {
      const job = new Job()
      await job.take(1)
      const second = await job.take(2, false)
      const file = segmentFiles(second)[1] as string
      await job.damage(file, damage)
      assert.equal((await job.newStore().latest())?.manifest.id, 1)
      assert.ok(
        job.lines.some(
          line => line.startsWith('error') && line.includes(file) && line.includes('checkpoint 1 is used instead'),
        ),
      )
    }
  })

  test('a damaged base takes all checkpoints that build on it with it; when none is left all are named', async () => {
    const job = new Job()
    const first = await job.take(1)
    await job.take(2, false)
    await job.damage(segmentFiles(first)[0] as string, () => undefined)
    await assert.rejects(job.newStore().latest(), (error: unknown) => {
      return (
        code('SNAPSHOT_DAMAGED')(error) &&
        /2 checkpoints .*checkpoint 2 is damaged.*checkpoint 1 is damaged/.test(String(error))
      )
    })
  })

  test('a manifest under the name of another is damaged', async () => {
    const job = new Job()
    await job.take(1)
    await job.storage.put(
      'checkpoints/0000000005.manifest',
      (await job.storage.get('checkpoints/0000000001.manifest')) as Uint8Array,
    )
    const latest = await job.newStore().latest()
    assert.equal(latest?.manifest.id, 1)
    assert.match(latest?.fallbacks[0] ?? '', /found the manifest of checkpoint 1, expected that of 5/)
    assert.equal(await job.store.nextId(), 6)
  })

  test('what reading rows found damaged is passed over afterwards', async () => {
    const job = new Job()
    await job.take(1)
    const second = await job.take(2)
    await job.damage(segmentFiles(second)[0] as string, flip(13))
    const latest = await job.store.latest()
    assert.equal(latest?.manifest.id, 2, 'the index alone is sound')
    const error = await rowsOf(second, job.store).then(
      () => undefined,
      (error: unknown) => error,
    )
    assert.ok(code('SNAPSHOT_DAMAGED')(error))
    job.store.markDamaged(2, error)
    assert.equal((await job.store.latest())?.manifest.id, 1)
  })

  test('a checkpoint of another job, or of a later format, is refused and never passed over', async () => {
    const job = new Job()
    await job.take(1)
    await job.storage.put('checkpoints/0000000002.manifest', encodeManifest(sampleManifest(2, undefined, [], 'bills')))
    await assert.rejects(job.newStore().latest(), /SNAPSHOT_FOREIGN: .*job "bills".* this is job "orders"/)
    await job.damage('checkpoints/0000000002.manifest', () =>
      encodeManifest({ ...sampleManifest(2, undefined, []), format: 9 }),
    )
    await assert.rejects(job.newStore().latest(), code('SNAPSHOT_VERSION'))
    await assert.rejects(job.store.collectGarbage(), code('SNAPSHOT_VERSION'))
  })
})

describe('garbage', () => {
  test('checkpoints beyond the retained ones go, with the segments that only they need', async () => {
    const job = new Job()
    for (const id of [1, 2, 3, 4, 5]) await job.take(id, id !== 2)
    await job.store.collectGarbage()
    assert.deepEqual(
      (await job.store.manifests()).map(entry => entry.id),
      [5, 4, 3],
    )
    assert.equal((await job.storage.list('segments/')).length, 3)
  })

  test('segments in progress stay, those of an aborted checkpoint go when told or once a later one is complete', async () => {
    const job = new Job()
    await job.take(1)
    const aborted = await job.write(2, false)
    const lost = await job.write(3, false)
    await job.store.collectGarbage()
    assert.equal((await job.storage.list('segments/')).length, 3)
    await job.store.discard([aborted.name])
    assert.deepEqual(
      (await job.storage.list('segments/')).map(file => file.slice(0, 19)),
      ['segments/0000000001', 'segments/0000000003'],
    )
    await job.take(4, false)
    await job.store.collectGarbage()
    assert.ok(!(await job.storage.list('segments/')).some(file => file.includes(lost.name)))
  })

  test('a segment that is still being stored stays although a checkpoint with its id is complete', async () => {
    const memory = memoryStorage()
    let release = (): void => {}
    const gate = new Promise<void>(resolve => {
      release = resolve
    })
    let isSlow = false
    const put = async (name: string, bytes: Uint8Array): Promise<void> => {
      const waits = isSlow
      await memory.put(name, bytes)
      if (waits) await gate
    }
    const job = new Job({ ...memory, put })
    const first = await job.take(1)
    const other = await job.write(2, false)
    isSlow = true
    const writing = job.write(2, false)
    // The put has to begin first.
    for (let turns = 0; turns < 50; turns++) await undefined
    isSlow = false
    await job.store.publish(sampleManifest(2, first, [other]))
    await job.store.collectGarbage()
    release()
    const last = await writing
    const third = sampleManifest(3, first, [other, last])
    await job.store.publish(third)
    await job.store.collectGarbage()
    assert.equal((await job.newStore().latest())?.manifest.id, 3)
  })

  test('while a manifest among the retained ones cannot be read no segment goes', async () => {
    const job = new Job()
    for (const id of [1, 2, 3, 4]) await job.take(id)
    await job.damage('checkpoints/0000000003.manifest', flip(40))
    await job.write(4, true)
    job.newStore()
    await job.store.collectGarbage()
    assert.equal((await job.storage.list('segments/')).length, 5)
    assert.equal((await job.store.manifests()).length, 4)
    assert.match(job.lines.join(), /warn SNAPSHOT_DAMAGED: no segments are removed/)
    for (const id of [5, 6, 7]) await job.take(id)
    await job.store.collectGarbage()
    assert.deepEqual(
      (await job.store.manifests()).map(entry => entry.id),
      [7, 6, 5],
    )
    assert.equal((await job.storage.list('segments/')).length, 3)
  })

  test('the newest complete checkpoint stays, however many damaged ones are newer', async () => {
    const job = new Job()
    await job.take(1)
    for (const id of [2, 3, 4]) {
      const manifest = await job.take(id)
      await job.damage(segmentFiles(manifest)[0] as string, () => undefined)
    }
    job.newStore(1)
    await job.store.collectGarbage()
    assert.equal((await job.newStore(1).latest())?.manifest.id, 1)
  })

  test('after any history every retained checkpoint can be read, and nothing else is left', async () => {
    const event = fc.constantFrom('full', 'delta', 'abort', 'abandon', 'collect', 'restart', 'crash')
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 40 }), fc.integer({ min: 1, max: 3 }), async (events, retained) => {
        const job = new Job()
        job.newStore(retained)
        const expected = new Map<number, string[]>()
        const state = new Map<string, string>()
        let id = 0
        for (const event of [...events, 'full', 'collect']) {
          if (event === 'collect') await job.store.collectGarbage()
          else if (event === 'restart') {
            job.newStore(retained)
            assert.equal((await job.store.latest())?.manifest.id, job.manifest?.id)
            assert.ok((await job.store.nextId()) > (job.manifest?.id ?? 0))
          } else {
            id++
            state.set(`k${id % 5}`, String(id))
            const isFull = event === 'full' || job.manifest === undefined
            const changed = [...state].filter(([key]) => isFull || key === `k${id % 5}`)
            // An aborted checkpoint's changes are in the next one: here each of those holds all of the state.
            const segment = await job.write(id, isFull, event === 'delta' ? [...state] : changed)
            if (event === 'abort') await job.store.discard([segment.name])
            else if (event === 'crash') job.newStore(retained)
            else if (event !== 'abandon') {
              job.manifest = sampleManifest(id, job.manifest, [segment])
              await job.store.publish(job.manifest)
              expected.set(id, [...state].map(([key, value]) => `${key}=${value}`).sort())
            }
          }
          for (const { id } of (await job.store.manifests()).slice(0, retained))
            assert.deepEqual(await rowsOf(await job.store.read(id), job.store), expected.get(id), `checkpoint ${id}`)
        }
        const kept = await job.store.manifests()
        assert.equal(kept.length, Math.min(retained, expected.size))
        const needed = new Set<string>()
        for (const { id } of kept) for (const file of segmentFiles(await job.store.read(id))) needed.add(file)
        assert.deepEqual(await job.storage.list('segments/'), [...needed].sort())
      }),
      { numRuns: 150 },
    )
  })
})

describe('savepoints', () => {
  test('a savepoint stands alone: the job and its storage may go', async () => {
    const job = new Job()
    await job.take(1)
    const manifest = await job.take(2, false)
    const target = memoryStorage()
    await job.store.writeSavepoint(target, manifest)
    for (const file of await job.storage.list('')) await job.storage.remove(file)
    const savepoint = await readSavepoint(target)
    assert.deepEqual(savepoint.manifest, { ...manifest, kind: 'savepoint' })
    assert.deepEqual(await rowsOf(manifest, savepoint), ['k=2'])
  })

  test('a savepoint of damaged segments is not written, and none over another', async () => {
    const job = new Job()
    const manifest = await job.take(1)
    const target = memoryStorage()
    await job.store.writeSavepoint(target, manifest)
    await assert.rejects(job.store.writeSavepoint(target, manifest), /STORAGE_FAILED: memory holds a savepoint already/)
    await job.damage(segmentFiles(manifest)[0] as string, flip(13))
    const other = memoryStorage()
    await assert.rejects(job.store.writeSavepoint(other, manifest), code('SNAPSHOT_DAMAGED'))
    await assert.rejects(readSavepoint(other), code('SNAPSHOT_NOT_FOUND'))
  })

  test('a savepoint that lacks a segment is damaged', async () => {
    const job = new Job()
    const target = memoryStorage()
    const manifest = await job.take(1)
    await job.store.writeSavepoint(target, manifest)
    await target.remove(segmentFiles(manifest)[0] as string)
    await assert.rejects(readSavepoint(target), code('SNAPSHOT_DAMAGED'))
  })

  test('another job adopts a savepoint as its newest checkpoint and builds on it', async () => {
    const job = new Job()
    const target = memoryStorage()
    await job.store.writeSavepoint(target, await job.take(1))
    const fork = new Job(memoryStorage(), 'fork')
    await fork.take(1)
    fork.manifest = await fork.store.adoptSavepoint(target)
    assert.deepEqual([fork.manifest.id, fork.manifest.job, fork.manifest.kind], [2, 'fork', 'checkpoint'])
    const next = sampleManifest(3, fork.manifest, [await fork.write(3, false, [['n', '3']])], 'fork')
    await fork.store.publish(next)
    assert.equal((await fork.newStore().latest())?.manifest.id, 3)
    assert.deepEqual(await rowsOf(next, fork.store), ['k=1', 'n=3'])
  })

  test('garbage collection leaves the segments of a savepoint being written', async () => {
    const job = new Job()
    const manifest = await job.take(1)
    const target = memoryStorage()
    let release = (): void => {}
    const gate = new Promise<void>(resolve => {
      release = resolve
    })
    const slow: Storage = { ...target, list: async prefix => gate.then(() => target.list(prefix)) }
    const writing = job.store.writeSavepoint(slow, manifest)
    for (const id of [2, 3, 4, 5]) await job.take(id)
    await job.store.collectGarbage()
    assert.ok(!(await job.store.manifests()).some(entry => entry.id === 1))
    release()
    await writing
    assert.deepEqual(await rowsOf(manifest, await readSavepoint(target)), ['k=1'])
  })
})
