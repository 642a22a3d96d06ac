import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { silentLogger } from '../../base/logger.ts'
import {
  type SampleRow,
  sampleManifest,
  samplePart,
  sampleTask,
  sampleText,
  sampleWriter,
} from '../../testing/sample-snapshots.ts'
import { CheckpointStore } from './checkpoint-store.ts'
import type { GroupRange, Manifest, ManifestPart } from './manifest.ts'
import { memoryStorage } from './memory-storage.ts'
import type { RowsWanted } from './read-rows.ts'

const ALL: GroupRange = { from: 0, to: 7 }

class History {
  readonly store = new CheckpointStore({ storage: memoryStorage(), job: 'orders', logger: silentLogger })
  manifest: Manifest | undefined
  private id = 0

  /** Takes a checkpoint: what each range of key groups hands in, in full or as changes. */
  async take(...tasks: readonly { isFull: boolean; groups: GroupRange; rows: Record<number, readonly SampleRow[]> }[]) {
    const id = ++this.id
    const written = []
    for (const [subtask, { isFull, groups, rows }] of tasks.entries()) {
      const name = `${String(id).padStart(10, '0')}-${subtask}`
      const snapshot = sampleTask(samplePart(isFull, rows))
      written.push(await this.store.writeSegment(name, snapshot, sampleWriter(groups, subtask, tasks.length)))
    }
    this.manifest = sampleManifest(id, this.manifest, written)
  }

  async rows(wanted: RowsWanted = { all: true }): Promise<string[]> {
    const part = this.manifest?.operators[0]?.parts[0] as ManifestPart
    const found: string[] = []
    await this.store.readRows(part, wanted, (_schema, keyGroup, identity, payload) =>
      found.push(`${keyGroup} ${sampleText(identity)}=${sampleText(payload)}`),
    )
    return found.sort()
  }
}

describe('readRows', () => {
  test('newer rows hide older ones, and rows that are gone hide them too', async () => {
    const history = new History()
    await history.take({
      isFull: true,
      groups: ALL,
      rows: {
        1: [
          ['a', '1'],
          ['b', '1'],
        ],
        2: [['c', '1']],
      },
    })
    await history.take({ isFull: false, groups: ALL, rows: { 1: [['a', undefined]], 2: [['d', '2']] } })
    await history.take({ isFull: false, groups: ALL, rows: { 2: [['c', '3']] } })
    assert.deepEqual(await history.rows(), ['1 b=1', '2 c=3', '2 d=2'])
    assert.deepEqual(await history.rows({ keyGroups: { from: 0, to: 1 } }), ['1 b=1'])
  })

  test('within a section a row with a payload goes before one without, in either order', async () => {
    const history = new History()
    await history.take({
      isFull: true,
      groups: ALL,
      rows: {
        1: [
          ['a', '1'],
          ['b', '1'],
        ],
      },
    })
    const both: SampleRow[] = [
      ['a', undefined],
      ['a', '2'],
      ['b', '3'],
      ['b', undefined],
    ]
    await history.take({ isFull: false, groups: ALL, rows: { 1: both } })
    assert.deepEqual(await history.rows(), ['1 a=2', '1 b=3'])
  })

  test('a full segment ends the chain for its key groups, also for those that it has no rows of', async () => {
    const history = new History()
    await history.take({ isFull: true, groups: ALL, rows: { 1: [['a', '1']], 5: [['e', '1']] } })
    await history.take({ isFull: false, groups: ALL, rows: { 1: [['b', '2']], 5: [['f', '2']] } })
    await history.take(
      { isFull: true, groups: { from: 0, to: 3 }, rows: {} },
      { isFull: false, groups: { from: 4, to: 7 }, rows: {} },
    )
    assert.deepEqual(await history.rows(), ['5 e=1', '5 f=2'])
  })

  test('an identity of any length is told from others', async () => {
    const history = new History()
    const long = 'x'.repeat(10_000)
    await history.take({
      isFull: true,
      groups: ALL,
      rows: {
        0: [
          ['', 'none'],
          [long, '1'],
          [`${long}y`, '1'],
        ],
      },
    })
    await history.take({
      isFull: false,
      groups: ALL,
      rows: {
        0: [
          [long, undefined],
          ['', 'some'],
        ],
      },
    })
    assert.deepEqual(await history.rows(), ['0 =some', `0 ${long}y=1`])
  })

  test('an empty set of changes has no segment', async () => {
    const history = new History()
    await history.take({ isFull: true, groups: ALL, rows: { 1: [['a', '1']] } })
    await history.take({ isFull: false, groups: ALL, rows: {} })
    assert.equal(history.manifest?.operators[0]?.parts[0]?.segments.length, 1)
    assert.deepEqual(await history.rows(), ['1 a=1'])
  })

  test('rows of parts that are not keyed come in the order of subtasks, with the subtask', async () => {
    const store = new CheckpointStore({ storage: memoryStorage(), job: 'orders', logger: silentLogger })
    const written = []
    for (const subtask of [0, 1, 2]) {
      const part = samplePart(
        true,
        {
          [-1]: [
            ['', `x${subtask}`],
            ['', `y${subtask}`],
          ],
        },
        { kind: 'list' },
      )
      written.push(await store.writeSegment(`0000000001-${subtask}`, sampleTask(part), sampleWriter(ALL, subtask, 3)))
    }
    const part = sampleManifest(1, undefined, written).operators[0]?.parts[0] as ManifestPart
    const rows = async (wanted: RowsWanted): Promise<string[]> => {
      const found: string[] = []
      await store.readRows(part, wanted, (_s, group, _i, payload, subtask) =>
        found.push(`${group} ${subtask} ${sampleText(payload)}`),
      )
      return found
    }
    assert.deepEqual(await rows({ all: true }), ['-1 0 x0', '-1 0 y0', '-1 1 x1', '-1 1 y1', '-1 2 x2', '-1 2 y2'])
    assert.deepEqual(await rows({ subtasks: [1] }), ['-1 1 x1', '-1 1 y1'])
  })

  test('after any history of changes, full snapshots and rescalings the rows are those of a plain map', async () => {
    const change = fc.tuple(
      fc.integer({ min: 0, max: 20 }),
      fc.option(fc.integer({ min: 0, max: 99 }), { nil: undefined }),
    )
    const step = fc.record({
      changes: fc.array(change, { maxLength: 12 }),
      cut: fc.integer({ min: 0, max: 7 }),
      full: fc.integer({ min: 0, max: 5 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async steps => {
        const history = new History()
        const model = new Map<number, number>()
        for (const [index, { changes, cut, full }] of steps.entries()) {
          const touched = new Map<number, number | undefined>(changes)
          for (const [key, value] of touched) {
            if (value === undefined) model.delete(key)
            else model.set(key, value)
          }
          // Two subtasks divide the key groups at a place that moves; bits of `full` say which of them writes everything.
          const ranges = [
            { from: 0, to: cut - 1 },
            { from: cut, to: 7 },
          ].filter(({ from, to }) => from <= to)
          await history.take(
            ...ranges.map((groups, subtask) => {
              const isFull = index === 0 || (full & (1 << subtask)) !== 0
              return { isFull, groups, rows: rowsOf(isFull ? model : touched, groups) }
            }),
          )
        }
        const expected = [...model].map(([key, value]) => `${key % 8} ${key}=${value}`).sort()
        assert.deepEqual(await history.rows(), expected)
        const halves = [
          ...(await history.rows({ keyGroups: { from: 0, to: 4 } })),
          ...(await history.rows({ keyGroups: { from: 5, to: 7 } })),
        ]
        assert.deepEqual(halves.sort(), expected)
      }),
      { numRuns: 150 },
    )
  })
})

function rowsOf(
  entries: ReadonlyMap<number, number | undefined>,
  { from, to }: GroupRange,
): Record<number, SampleRow[]> {
  const rows: Record<number, SampleRow[]> = {}
  for (const [key, value] of entries) {
    const group = key % 8
    if (group < from || group > to) continue
    rows[group] ??= []
    rows[group].push([String(key), value === undefined ? undefined : String(value)])
  }
  return rows
}
