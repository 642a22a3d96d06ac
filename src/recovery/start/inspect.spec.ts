import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { ByteReader } from '../../base/byte-reader.ts'
import { ByteWriter } from '../../base/byte-writer.ts'
import { silentLogger } from '../../base/logger.ts'
import { keyGroupOf } from '../../model/key-groups.ts'
import { hashKey } from '../../serde/key-encoding.ts'
import { writeValue } from '../../serde/value-codec.ts'
import type { PartSchema, PartSection, PartSnapshot } from '../../state/state-part.ts'
import { CheckpointStore, type WrittenPart } from '../snapshot/checkpoint-store.ts'
import type { Manifest } from '../snapshot/manifest.ts'
import { memoryStorage } from '../snapshot/memory-storage.ts'
import { decodeRow } from './decode-row.ts'
import { inspectSnapshot, type ReadableSnapshot, type RowFilter, readSnapshotRows } from './inspect.ts'
import { keyFromJson, toJson } from './json-value.ts'

const MAX_PARALLELISM = 8

interface Row {
  readonly identity: readonly unknown[]
  /** Undefined: what the row is about is gone. */
  readonly payload: readonly unknown[] | undefined
}

function section(keyGroup: number, rows: readonly Row[]): PartSection {
  const out = new ByteWriter()
  for (const { identity, payload } of rows) {
    const from = out.openLength()
    for (const value of identity) writeValue(out, value)
    out.fillLength(from)
    const at = out.openLength()
    for (const value of payload ?? []) writeValue(out, value)
    if (payload !== undefined) out.fillLength(at, 1)
  }
  return { keyGroup, rows: rows.length, bytes: out.copy() }
}

function keyedPart(name: string, schema: PartSchema, rows: readonly Row[], isFull = true): PartSnapshot {
  const byGroup = new Map<number, Row[]>()
  for (const row of rows) {
    const group = keyGroupOf(hashKey(row.identity[0]), MAX_PARALLELISM)
    byGroup.set(group, [...(byGroup.get(group) ?? []), row])
  }
  const sections = [...byGroup].sort(([a], [b]) => a - b).map(([group, own]) => section(group, own))
  return { part: name, kind: 'keyed', schema, isFull, sections }
}

const ACCUMULATORS: PartSchema = { layout: 'accumulators', states: [] }
const WINDOWS: PartSchema = { layout: 'windows', states: [] }
const SPLITS: PartSchema = { layout: 'splits', states: [] }

const KEYED_BEFORE: readonly Row[] = [
  { identity: ['ann'], payload: [1, { n: 1 }] },
  { identity: ['bob'], payload: [2, { n: 2 }] },
  { identity: [7n], payload: [3, { n: 3 }] },
]
const KEYED_CHANGES: readonly Row[] = [
  { identity: ['ann'], payload: [9, { n: 9 }] },
  { identity: ['bob'], payload: undefined },
]
const PANES: readonly Row[] = [
  { identity: ['ann', 0, 10], payload: [false, 1] },
  { identity: ['ann', 10, 20], payload: [false, 2] },
]
const SPLIT: readonly Row[] = [{ identity: [], payload: [{ id: 'file', position: 5 }] }]

function splitsPart(): PartSnapshot {
  return { part: 'splits', kind: 'list', schema: SPLITS, isFull: true, sections: [section(-1, SPLIT)] }
}

/** Three segments, the second with changes on top of the first. */
async function snapshot(): Promise<ReadableSnapshot> {
  const store = new CheckpointStore({ storage: memoryStorage(), job: 'job', logger: silentLogger })
  const written: WrittenPart[] = []
  const write = async (name: string, parts: Readonly<Record<string, PartSnapshot>>): Promise<void> => {
    const operators = Object.entries(parts).map(([uid, part]) => ({ uid, parts: [part] }))
    const writer = { subtask: 0, parallelism: 1, groupsOf: () => ({ from: 0, to: MAX_PARALLELISM - 1 }) }
    written.push(...(await store.writeSegment(name, { operators }, writer)).parts)
  }
  await write('0000000001-0', { counts: keyedPart('accumulators', ACCUMULATORS, KEYED_BEFORE) })
  await write('0000000002-0', { counts: keyedPart('accumulators', ACCUMULATORS, KEYED_CHANGES, false) })
  await write('0000000002-1', { panes: keyedPart('windows', WINDOWS, PANES), source: splitsPart() })
  return { manifest: manifestOf(written), readRows: store.readRows.bind(store) }
}

function manifestOf(written: readonly WrittenPart[]): Manifest {
  const operators = [...new Set(written.map(({ uid }) => uid))].map(uid => {
    const own = written.filter(part => part.uid === uid)
    const { part: name, kind } = own[0] as WrittenPart
    const fixed = { isUidDerived: false, parallelism: 1, maxParallelism: MAX_PARALLELISM, finishedSubtasks: [] }
    const parts = [{ name, kind, segments: own.flatMap(({ ref }) => ref ?? []) }]
    return { ...fixed, uid, name: `step ${uid}`, kind: 'k', parts }
  })
  const fixed = {
    format: 1,
    job: 'job',
    kind: 'checkpoint',
    id: 2,
    triggeredMs: 0,
    completedMs: 1,
    graphHash: '',
  } as const
  return { ...fixed, operators }
}

async function rowsOf(filter: RowFilter): Promise<unknown[]> {
  const rows: unknown[] = []
  await readSnapshotRows(await snapshot(), filter, ({ uid, identity, values }) => rows.push([uid, ...identity, values]))
  return rows
}

describe('inspectSnapshot', () => {
  test('counts rows, keys and bytes as they are now, not as segments hold them', async () => {
    const { operators, job, id } = await inspectSnapshot(await snapshot())
    assert.deepEqual([job, id], ['job', 2])
    const parts = operators.flatMap(({ parts: own }) => own)
    assert.deepEqual(
      parts.map(({ name, kind, layout, rows, keys, segments }) => [name, kind, layout, rows, keys, segments]),
      [
        ['accumulators', 'keyed', 'accumulators', 2, 2, 2],
        ['windows', 'keyed', 'windows', 2, 1, 1],
        ['splits', 'list', 'splits', 1, 0, 1],
      ],
    )
    const row = section(0, [{ identity: ['ann', 0, 10], payload: [false, 1] }]).bytes.length
    assert.equal(parts[1]?.bytes, 2 * (row - 2), 'without the two lengths of each row')
  })
})

describe('readSnapshotRows', () => {
  test('gives the rows of a step by uid or by name, decoded', async () => {
    const expected = [
      ['counts', 'ann', { count: 9, accumulator: { n: 9 } }],
      ['counts', 7n, { count: 3, accumulator: { n: 3 } }],
    ]
    for (const operator of ['counts', 'step counts']) {
      assert.deepEqual(new Set(await rowsOf({ operator })), new Set(expected))
    }
    assert.deepEqual(await rowsOf({ operator: 'source' }), [['source', { split: { id: 'file', position: 5 } }]])
    assert.equal((await rowsOf({})).length, 5)
  })

  test('gives what is kept for a key, over all steps', async () => {
    assert.deepEqual(await rowsOf({ key: { value: 'ann' } }), [
      ['counts', 'ann', { count: 9, accumulator: { n: 9 } }],
      ['panes', 'ann', 0, 10, { 0: false, 1: 1 }],
      ['panes', 'ann', 10, 20, { 0: false, 1: 2 }],
    ])
    assert.deepEqual(await rowsOf({ key: { value: 'bob' } }), [], 'it is gone')
    assert.equal((await rowsOf({ key: { value: keyFromJson('{"$bigint":"7"}') } })).length, 1)
    assert.deepEqual(await rowsOf({ key: { value: 7 } }), [], 'a number is no bigint')
  })

  test('gives one part by its name', async () => {
    assert.equal((await rowsOf({ state: 'windows' })).length, 2)
  })

  test('says what there is when asked for something else', async () => {
    await assert.rejects(
      rowsOf({ operator: 'x' }),
      /OPTION_INVALID: .*holds no step x; .*counts \("step counts"\), panes/,
    )
    await assert.rejects(rowsOf({ state: 'x' }), /no state "x"; it holds accumulators, windows, splits/)
    await assert.rejects(rowsOf({ operator: 'panes', state: 'splits' }), /no state "splits"; it holds windows/)
    await assert.rejects(rowsOf({ key: { value: undefined } }), { code: 'KEY_INVALID' })
  })
})

describe('decodeRow', () => {
  const schema: PartSchema = {
    layout: 'slots',
    states: [
      { name: 'count', kind: 'value', codec: 'tagged', version: 0 },
      { name: 'seen', kind: 'map', codec: 'tagged', version: 0 },
      { name: 'raw', kind: 'value', codec: 'avro', version: 1 },
    ],
  }

  function decoded(identity: readonly unknown[], payload: readonly unknown[]) {
    const readers = [identity, payload].map(values => {
      const out = new ByteWriter()
      for (const value of values) writeValue(out, value)
      return new ByteReader(out.copy())
    })
    return decodeRow(schema, readers[0] as ByteReader, readers[1] as ByteReader)
  }

  test('names declared states, shows timers that there are, and bytes of a codec as such', () => {
    const seen = new Map([['a', 1]])
    assert.deepEqual(decoded(['ann'], [1, seen, -1, [5, 7], []]), {
      identity: ['ann'],
      values: { seen, eventTimers: [5, 7] },
    })
    assert.deepEqual(decoded(['ann'], [0, 3, 2, Uint8Array.of(1, 2), -1, [], [9]]).values, {
      count: 3,
      raw: { codec: 'avro', base64: 'AQI=' },
      processingTimers: [9],
    })
  })

  test('names the elements of state without key by their state', () => {
    const elements = (codec: string): PartSchema => ({
      layout: 'elements',
      states: [{ name: 'seen', kind: 'operator-list', codec, version: 0 }],
    })
    const payload = (value: unknown): ByteReader => {
      const out = new ByteWriter()
      writeValue(out, value)
      return new ByteReader(out.copy())
    }
    const decode = (codec: string, value: unknown): unknown =>
      decodeRow(elements(codec), new ByteReader(new Uint8Array(0)), payload(value)).values
    assert.deepEqual(decode('tagged', 5), { seen: 5 })
    assert.deepEqual(decode('own', new Uint8Array([1])), { seen: { codec: 'own', base64: 'AQ==' } })
  })

  test('gives the bytes of what it cannot read', () => {
    assert.deepEqual(decoded([], [0]).values, { bytes: { codec: 'unknown', base64: decodedZero() } })
  })

  function decodedZero(): string {
    const out = new ByteWriter()
    writeValue(out, 0)
    return Buffer.from(out.view()).toString('base64')
  }
})

describe('values as JSON', () => {
  test('have a form for everything that state can hold', () => {
    const value = {
      text: 'a',
      none: undefined,
      $odd: 1,
      list: [undefined, null, Number.NaN, -0, 1n],
      map: new Map<unknown, unknown>([[1, new Set(['x'])]]),
      at: new Date(0),
      bytes: Uint8Array.of(0, 255, 16, 4),
      floats: Float64Array.of(1.5),
    }
    assert.deepEqual(toJson(value), {
      text: 'a',
      $$odd: 1,
      list: [{ $undefined: true }, null, { $number: 'NaN' }, { $number: '-0' }, { $bigint: '1' }],
      map: { $map: [[1, { $set: ['x'] }]] },
      at: { $date: '1970-01-01T00:00:00.000Z' },
      bytes: { $bytes: 'AP8QBA==' },
      floats: { $Float64Array: [1.5] },
    })
  })

  test('give keys back', () => {
    for (const key of ['a', 7, true, null, 12n, Uint8Array.of(1, 2, 3, 4, 5), ['a', 1n], { $a: 'b', c: -0 }]) {
      assert.deepEqual(keyFromJson(JSON.stringify(toJson(key))), key)
    }
    assert.throws(() => keyFromJson('ann'), /OPTION_INVALID: the key ann is not JSON; give JSON, as in --key '"ann"'/)
    assert.throws(() => keyFromJson('{"$bigint":"x"}'), /is not JSON/)
  })

  test('have base64 as Node has it', () => {
    for (let length = 0; length < 20; length++) {
      const bytes = Uint8Array.from({ length }, (_, at) => (at * 89 + 7) & 255)
      assert.deepEqual(toJson(bytes), { $bytes: Buffer.from(bytes).toString('base64') })
    }
  })
})
