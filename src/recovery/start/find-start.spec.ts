// What a job starts from: after a stop, after an end, from a savepoint, and after a failure of a run that was started with renames.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { Logger } from '../../base/logger.ts'
import { GraphBuilder } from '../../model/graph-builder.ts'
import { functionSelector } from '../../model/key.ts'
import { customSink, valuesSource } from '../../testing/collections.ts'
import { CheckpointStore } from '../snapshot/checkpoint-store.ts'
import type { Manifest } from '../snapshot/manifest.ts'
import { SNAPSHOT_FORMAT } from '../snapshot/manifest.ts'
import { memoryStorage } from '../snapshot/memory-storage.ts'
import { ownerOf } from '../snapshot/owner.ts'
import { findRestart, findStart, noteEnding, type StartOptions } from './find-start.ts'

const count = { create: () => 0, add: (n: number) => n + 1, merge: (a: number, b: number) => a + b, result: Number }

function graph() {
  const built = new GraphBuilder()
  const key = functionSelector((record: unknown) => record)
  built.addVertex({ name: 'values', operator: { kind: 'source', source: valuesSource([1]) } })
  built.addVertex({ name: 'count', operator: { kind: 'rolling', aggregate: count as never }, keySelectors: [key] })
  built.addVertex({ name: 'sink', operator: { kind: 'sink', sink: customSink({ open: () => assert.fail() }) } })
  built.addEdge({ from: 0, to: 1, partitioning: { kind: 'hash', key } })
  built.addEdge({ from: 1, to: 2 })
  return built.build('job', { parallelism: 1 })
}

/** A job directory in memory. */
class Place {
  readonly storage = memoryStorage()
  readonly lines: string[] = []
  readonly logger: Logger = { log: (level, message) => this.lines.push(`${level}: ${message}`) }
  readonly graph = graph()
  readonly store = new CheckpointStore({ storage: this.storage, job: 'job', logger: this.logger })

  options(from: StartOptions['from'], renames: StartOptions['renames'] = {}): StartOptions {
    const { graph, storage, logger } = this
    return { graph, from, allowUnmapped: false, renames, storage, logger }
  }

  /** A snapshot that holds rows of one step. */
  async publish(kind: Manifest['kind'], uid: string, isUidDerived = false): Promise<Manifest> {
    const id = await this.store.nextId()
    const segments = [await this.segment(id)]
    const part = { name: 'accumulators', kind: 'keyed', segments } as const
    const shape = { kind: 'rolling', parallelism: 1, maxParallelism: 128, finishedSubtasks: [] }
    const operator = { uid, isUidDerived, name: uid, ...shape, parts: [part] }
    const times = { triggeredMs: 0, completedMs: 0 }
    const manifest = { format: SNAPSHOT_FORMAT, job: 'job', kind, id, ...times, graphHash: '', operators: [operator] }
    await this.store.publish(manifest)
    return manifest
  }

  private async segment(id: number) {
    const schema = { layout: 'accumulators', states: [] }
    const section = { keyGroup: 0, rows: 1, bytes: new Uint8Array([0, 0]) }
    const snapshot = { part: 'accumulators', kind: 'keyed', schema, isFull: true, sections: [section] } as const
    const written = await this.store.writeSegment(
      `${String(id).padStart(10, '0')}-0-0`,
      { operators: [{ uid: 'any', parts: [snapshot] }] },
      { subtask: 0, parallelism: 1, groupsOf: () => ({ from: 0, to: 127 }) },
    )
    const ref = written.parts[0]?.ref
    assert.ok(ref !== undefined)
    return ref
  }
}

const UID = graph().vertices[1]?.uid as string

describe('a job in the directory of one that finished', () => {
  test('starts at the beginning, and says so with what to do about it', async () => {
    const place = new Place()
    await noteEnding(place.storage, await place.publish('final', UID))
    assert.equal(await findStart(place.store, place.options('newest')), undefined)
    assert.deepEqual(place.lines, [
      "warn: the last run finished, at checkpoint 1: this one starts at the beginning and gives all output again; to do nothing twice, start the job from 'last' (--from last)",
    ])
    assert.equal(await findRestart(place.store, place.options('newest'), undefined), undefined)
  })

  test('goes on from its last checkpoint when it is told to', async () => {
    const place = new Place()
    const last = await place.publish('final', UID)
    await noteEnding(place.storage, last)
    assert.deepEqual(await findStart(place.store, place.options('last')), last)
    assert.equal(
      place.lines.some(line => line.includes('the last run finished')),
      false,
    )
  })

  test('goes on from its last checkpoint when that was not noted as committed', async () => {
    const place = new Place()
    const last = await place.publish('final', UID)
    assert.deepEqual(await findStart(place.store, place.options('newest')), last)
  })
})

describe('a job in the directory of one that did not finish', () => {
  test('goes on from the newest checkpoint, which `last` means as well', async () => {
    for (const from of ['newest', 'last'] as const) {
      const place = new Place()
      await place.publish('checkpoint', UID)
      const newest = await place.publish('checkpoint', UID)
      await noteEnding(place.storage, newest)
      assert.deepEqual(await findStart(place.store, place.options(from)), newest)
    }
  })

  test('starts at the beginning where there is no checkpoint, whatever it is told', async () => {
    for (const from of ['newest', 'last', 'beginning'] as const) {
      const place = new Place()
      assert.equal(await findStart(place.store, place.options(from)), undefined)
      assert.deepEqual(place.lines, [])
    }
  })
})

describe('a start from a savepoint', () => {
  test('warns once of uids that are derived', async () => {
    const origin = new Place()
    const derived = await origin.publish('savepoint', UID, true)
    const savepoint = memoryStorage()
    await origin.store.writeSavepoint(savepoint, derived)
    const place = new Place()
    assert.equal((await findStart(place.store, place.options(savepoint)))?.kind, 'checkpoint')
    assert.equal(place.lines.filter(line => line.includes('derived from the shape')).length, 1)
    assert.equal(place.lines.length, 1)
  })
})

describe('a failure after a start with renames', () => {
  test('goes back to the snapshot with the uids that the steps have now', async () => {
    const place = new Place()
    await place.publish('checkpoint', 'old')
    const options = place.options('newest', { old: UID })
    const start = await findStart(place.store, options)
    assert.deepEqual(start?.operators[0]?.uid, UID)
    assert.deepEqual(await findRestart(place.store, options, start), start)
  })

  test('also to an earlier one, where the one that it started from is damaged', async () => {
    const place = new Place()
    await place.publish('checkpoint', 'old')
    await place.publish('checkpoint', 'old')
    const options = place.options('newest', { old: UID })
    const start = await findStart(place.store, options)
    assert.equal(start?.id, 2)
    place.store.markDamaged(2, new Error('bits'))
    const earlier = await findRestart(place.store, options, start)
    assert.deepEqual([earlier?.id, earlier?.operators[0]?.uid], [1, UID])
  })

  test('and to those that the run took itself as they are', async () => {
    const place = new Place()
    await place.publish('checkpoint', 'old')
    const options = place.options('newest', { old: UID })
    const start = await findStart(place.store, options)
    const own = await place.publish('checkpoint', UID)
    assert.deepEqual(await findRestart(place.store, options, start), own)
  })
})

describe('the owner of a directory', () => {
  test('stays the same over all runs, and is asked for once', async () => {
    const storage = memoryStorage()
    let made = 0
    const fresh = (): string => `id${++made}`
    assert.deepEqual([await ownerOf(storage, fresh), await ownerOf(storage, fresh), made], ['id1', 'id1', 1])
    assert.equal(await ownerOf(memoryStorage(), fresh), 'id2')
  })
})
