// Snapshots in real folders of the test, written by the store as a job would; a running job is played by its control socket.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, before, describe } from 'node:test'
import { pathToFileURL } from 'node:url'
import { ByteWriter } from '../base/byte-writer.ts'
import { StreamError } from '../base/errors.ts'
import { silentLogger } from '../base/logger.ts'
import { keyGroupOf } from '../model/key-groups.ts'
import { type ControlRequest, serveControl } from '../platform/node/control-socket.ts'
import { openJobDirectory } from '../platform/node/job-directory.ts'
import { CheckpointStore } from '../recovery/snapshot/checkpoint-store.ts'
import type { ManifestOperator } from '../recovery/snapshot/manifest.ts'
import { mergeParts } from '../recovery/snapshot/merge-parts.ts'
import { hashKey } from '../serde/key-encoding.ts'
import { writeValue } from '../serde/value-codec.ts'
import type { PartSchema } from '../state/state-part.ts'
import { bytesText } from './inspection-text.ts'
import { directoryStorage, openSnapshot } from './snapshot-places.ts'
import {
  diff,
  endJob,
  exportRows,
  type InspectOptions,
  inspect,
  isAllKept,
  mappingText,
  parseRenames,
  takeSavepoint,
} from './snapshots.ts'

const MILLRACE = new URL('./index.ts', import.meta.url).href
const ACCUMULATORS: PartSchema = { layout: 'accumulators', states: [] }

let root = ''

before(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-snapshots-')))
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }')
})
after(() => rmSync(root, { recursive: true, force: true }))

function accumulatorRow(key: string, count: number): { readonly keyGroup: number; readonly bytes: Uint8Array } {
  const out = new ByteWriter()
  const identity = out.openLength()
  writeValue(out, key)
  out.fillLength(identity)
  const payload = out.openLength()
  writeValue(out, count)
  writeValue(out, { word: key, count })
  out.fillLength(payload, 1)
  return { keyGroup: keyGroupOf(hashKey(key), 128), bytes: out.copy() }
}

/** A store in the folder of a job, and how to write a checkpoint of one rolling step with a count for each word. */
function jobIn(directory: string) {
  const storage = directoryStorage(directory)
  const store = new CheckpointStore({ storage, job: 'words', logger: silentLogger })
  const checkpoint = async (id: number, counts: Readonly<Record<string, number>>): Promise<void> => {
    const rows = Object.entries(counts).map(([key, count]) => accumulatorRow(key, count))
    const sections = rows
      .map(({ keyGroup, bytes }) => ({ keyGroup, rows: 1, bytes }))
      .sort((a, b) => a.keyGroup - b.keyGroup)
    const part = { part: 'accumulators', kind: 'keyed', schema: ACCUMULATORS, isFull: true, sections } as const
    const writer = { subtask: 0, parallelism: 1, groupsOf: () => ({ from: 0, to: 127 }) }
    const name = `${String(id).padStart(10, '0')}-0`
    const { parts } = await store.writeSegment(name, { operators: [{ uid: 'counts', parts: [part] }] }, writer)
    const segments = parts.flatMap(({ ref }) => ref ?? [])
    const operator: ManifestOperator = {
      ...{ uid: 'counts', isUidDerived: false, name: 'count words', kind: 'rolling', parallelism: 1 },
      ...{ maxParallelism: 128, finishedSubtasks: [] },
      parts: [mergeParts(undefined, { name: 'accumulators', kind: 'keyed', segments })],
    }
    const times = { triggeredMs: 1_000_000, completedMs: 1_000_012 }
    await store.publish({
      format: 1,
      job: 'words',
      kind: 'checkpoint',
      id,
      ...times,
      graphHash: '',
      operators: [operator],
    })
  }
  return { store, checkpoint }
}

async function jobFolder(name: string): Promise<string> {
  const directory = join(root, name)
  const { checkpoint } = jobIn(directory)
  await checkpoint(1, { to: 1, be: 1 })
  await checkpoint(2, { to: 2, be: 2, or: 1 })
  return directory
}

async function linesOf(place: string, options: InspectOptions): Promise<unknown[]> {
  const lines: unknown[] = []
  const rows = await exportRows(place, options, line => lines.push(JSON.parse(line)))
  assert.equal(rows, lines.length)
  return lines
}

describe('openSnapshot', () => {
  test('finds the newest checkpoint of a job, a checkpoint by its manifest, and a savepoint', async () => {
    const directory = await jobFolder('places')
    const { store } = jobIn(directory)
    const savepoint = join(root, 'places-savepoint')
    await store.writeSavepoint(directoryStorage(savepoint), await store.read(1))
    const found = async (place: string) => {
      const { manifest } = await openSnapshot(place)
      return [manifest.kind, manifest.id]
    }
    assert.deepEqual(await found(directory), ['checkpoint', 2])
    assert.deepEqual(await found(join(directory, 'checkpoints')), ['checkpoint', 2])
    assert.deepEqual(await found(join(directory, 'checkpoints/0000000001.manifest')), ['checkpoint', 1])
    assert.deepEqual(await found(savepoint), ['savepoint', 1])
    assert.deepEqual(await found(join(savepoint, 'savepoint.manifest')), ['savepoint', 1])
  })

  test('falls back where the newest is damaged, as a job would', async () => {
    const directory = await jobFolder('damaged')
    const segment = join(directory, 'segments/0000000002-0.segment')
    writeFileSync(segment, readFileSync(segment).subarray(1))
    assert.equal((await openSnapshot(directory)).manifest.id, 1)
    writeFileSync(join(directory, 'checkpoints/0000000002.manifest'), 'nothing')
    assert.equal((await openSnapshot(directory)).manifest.id, 1)
  })

  test('says what a snapshot is when it is given something else', async () => {
    mkdirSync(join(root, 'empty'))
    writeFileSync(join(root, 'a-file'), '')
    for (const place of ['nowhere', 'empty', 'a-file'].map(name => join(root, name))) {
      await assert.rejects(
        openSnapshot(place),
        /SNAPSHOT_NOT_FOUND: .*is no snapshot: .*; give the directory of a savepoint or/,
      )
    }
  })
})

describe('inspect', () => {
  test('shows steps, states, keys and bytes in words and as data', async () => {
    const { text, json } = await inspect(await jobFolder('shown'))
    assert.match(text, /^checkpoint 2 of job "words", complete 1970-01-01T00:16:40\.012Z after 12 ms\n/)
    assert.match(text, /\n {2}"count words" \(uid counts\): rolling, 1 subtask of 128 key groups\n/)
    assert.match(text, /\n {4}accumulators \(keyed\): 3 keys, 3 rows, \d+ B in 1 segment$/)
    const { operators } = json as { operators: { uid: string; parts: { keys: number }[] }[] }
    assert.deepEqual([operators[0]?.uid, operators[0]?.parts[0]?.keys], ['counts', 3])
  })

  test('reads by key, and exports everything', async () => {
    const directory = await jobFolder('exported')
    const be = { operator: 'counts', part: 'accumulators', key: 'be', keyGroup: keyGroupOf(hashKey('be'), 128) }
    const values = { count: 2, accumulator: { word: 'be', count: 2 } }
    assert.deepEqual(await linesOf(directory, { key: '"be"' }), [{ ...be, values }])
    const all = (await linesOf(directory, {})) as { key: string; values: { count: number } }[]
    assert.deepEqual(
      new Map(all.map(row => [row.key, row.values.count])),
      new Map([
        ['to', 2],
        ['be', 2],
        ['or', 1],
      ]),
    )
    await assert.rejects(linesOf(directory, { operator: 'x' }), { code: 'OPTION_INVALID' })
  })

  test('writes bytes as people read them', () => {
    const texts = [0, 999, 1000, 999_949, 999_950, 5e12].map(bytesText)
    assert.deepEqual(texts, ['0 B', '999 B', '1.0 kB', '999.9 kB', '1.0 MB', '5.0 TB'])
  })
})

describe('diff', () => {
  function job(name: string, steps: string): URL {
    const file = join(root, `${name}.ts`)
    writeFileSync(
      file,
      `export function job(env) { env.fromElements({ word: 'a', count: 1 }).keyBy('word')${steps}.print() }`,
    )
    return pathToFileURL(file)
  }

  test('tells what is kept, dropped and new in a job that it does not run', async () => {
    const directory = await jobFolder('compared')
    const kept = await diff(directory, job('same', `.sum('count').uid('counts')`))
    assert.deepEqual([kept.steps[0]?.status, isAllKept(kept)], ['kept', true])
    assert.match(mappingText(kept), /^snapshot 2 of job "words":\n {2}kept {10}"[^"]*" \(uid counts\)/)
    const renamed = job('renamed', `.sum('count').uid('sums')`)
    const lost = await diff(directory, renamed)
    assert.equal(isAllKept(lost), false)
    assert.match(
      mappingText(lost),
      /dropped .*\(uid counts\)[\s\S]*new .*\(uid sums\)[\s\S]*STATE_UNMAPPED: .*--rename counts=UID/,
    )
    const mended = await diff(directory, renamed, { renames: parseRenames(['counts=sums']) })
    assert.equal(isAllKept(mended), true)
    const wider = await diff(directory, job('same', `.sum('count').uid('counts')`), { parallelism: 4 })
    assert.match(mappingText(wider), /\(uid counts\), parallelism 1 to 4/)
  })

  test('warns of state whose identity is derived', async () => {
    const mapping = await diff(await jobFolder('derived'), job('derived', `.sum('count')`))
    const derived = mapping.steps.find(
      step => step.isUidDerived && step.states.length === 0 && step.uid.startsWith('rolling'),
    )
    assert.ok(derived !== undefined)
    const { warnings } = await diff(join(root, 'derived'), job('derived', `.sum('count')`), {
      renames: { counts: derived.uid },
    })
    assert.match(warnings[0] ?? '', /derived from the shape of the job/)
  })

  test('takes the job of the same name where a script builds several', async () => {
    const file = join(root, 'several.ts')
    const one = (name: string, uid: string): string =>
      `{ const env = environment(); env.fromElements({ w: 'a', n: 1 }).keyBy('w').sum('n').uid('${uid}').print(); await env.execute('${name}') }`
    writeFileSync(file, `import { environment } from '${MILLRACE}'\n${one('other', 'x')}\n${one('words', 'counts')}`)
    assert.equal(isAllKept(await diff(await jobFolder('several'), pathToFileURL(file))), true)
    const none = join(root, 'none.ts')
    writeFileSync(none, 'export const job = () => {}')
    await assert.rejects(diff(join(root, 'several'), pathToFileURL(none)), { code: 'JOB_EMPTY' })
  })
})

describe('parseRenames', () => {
  test('reads old=new', () => {
    assert.deepEqual(parseRenames(['a=b', 'c=d=e']), { a: 'b', c: 'd=e' })
    for (const text of ['a', '=b', 'a='])
      assert.throws(() => parseRenames([text]), /OPTION_INVALID: --rename is .*old=new/)
  })
})

describe('a running job', () => {
  /** Plays a job that has its directory locked and answers as one. */
  async function played(directory: string, asked: ControlRequest[]): Promise<void> {
    const opened = await openJobDirectory(directory)
    const server = await serveControl(directory, async request => {
      asked.push(request)
      if (request.command === 'savepoint')
        return { id: 3, kind: 'savepoint', location: request['directory'] ?? 'chosen' }
      await server.close()
      await opened.close()
      return { name: 'words', status: 'stopped', durationMs: 1, recordsIn: 2, recordsOut: 3 }
    })
  }

  test('is asked for a savepoint, and goes on', async () => {
    const directory = await jobFolder('asked')
    const asked: ControlRequest[] = []
    await played(directory, asked)
    assert.equal((await takeSavepoint(directory)).location, 'chosen')
    assert.equal((await takeSavepoint(directory, { to: join(root, 'there') })).location, join(root, 'there'))
    assert.deepEqual(
      asked.map(({ command }) => command),
      ['savepoint', 'savepoint'],
    )
    assert.equal((await endJob(directory, 'drain')).status, 'stopped')
    assert.equal(asked.at(-1)?.command, 'drain')
    await assert.rejects(takeSavepoint(directory), { code: 'JOB_UNREACHABLE' })
  })

  test('leaves what it ended with as a savepoint', async () => {
    const directory = await jobFolder('ended')
    await played(directory, [])
    const { id, location } = await takeSavepoint(directory, { end: 'stop' })
    assert.deepEqual([id, location], [2, join(directory, 'savepoints/0000000002')])
    const { manifest } = await openSnapshot(location)
    assert.deepEqual([manifest.kind, manifest.id], ['savepoint', 2])
    const asked: ControlRequest[] = []
    await played(directory, asked)
    await assert.rejects(takeSavepoint(directory, { end: 'stop', to: location }), { code: 'STORAGE_FAILED' })
    assert.deepEqual(asked, [], 'the job is not asked to end in vain')
    await assert.rejects(takeSavepoint(directory, { end: 'stop' }), (error: unknown) => {
      assert.ok(error instanceof StreamError)
      assert.equal(error.code, 'STORAGE_FAILED', 'there is a savepoint already')
      return true
    })
    await (await openJobDirectory(directory)).close()
  })
})
