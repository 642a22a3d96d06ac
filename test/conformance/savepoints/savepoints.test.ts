// Snapshots that earlier builds of this or an earlier format wrote are read by this one, and jobs go on from them to the very results that were
// noted then. README.md says when to add one; none is ever changed.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { SNAPSHOT_FORMAT } from '../../../src/recovery/snapshot/manifest.ts'
import { readSavepoint, type Savepoint } from '../../../src/recovery/snapshot/savepoint.ts'
import { inspectSnapshot, readSnapshotRows } from '../../../src/recovery/start/inspect.ts'
import { resultsDifference } from '../../../src/testing/simulation/compare-results.ts'
import { storageOnDisk } from '../../../src/testing/simulation/snapshot-on-disk.ts'
import { GOLDEN_JOB } from './format-1/job.ts'
import { pack, readGolden, unpack } from './golden-files.ts'
import { diskOf, type FileTree, runGolden, SNAPSHOT_DIRECTORY } from './golden-run.ts'

/** The checksums of the files of each golden: who changes one has to change them too, and is told not to. */
const GOLDENS = [
  { name: 'savepoint', kind: 'full', sha256: 'd64c277d4cd8e6bd5c698521f05d1080b46c6d7bf33d097f3198a1d33106dae1' },
  { name: 'checkpoint', kind: 'changes', sha256: '350104693a2c1dbb558be09f599efc9999ed328c5f574f2d9c62cc29deebb642' },
] as const

/** What the rows of a snapshot may hold, in format 1. */
const LAYOUTS = [
  'accumulators',
  'calls',
  'elements',
  'generator',
  'in-flight',
  'loop',
  'mixed-window',
  'per-record-windows',
  'session-elements',
  'sessions',
  'slices',
  'slots',
  'splits',
  'time',
  'transactions',
  'watermark',
  'window-elements',
  'windows',
]

async function opened(files: FileTree): Promise<Savepoint> {
  return readSavepoint(storageOnDisk(await diskOf(files), SNAPSHOT_DIRECTORY))
}

function segmentCounts({ manifest }: Savepoint): { readonly full: number; readonly changes: number } {
  const segments = manifest.operators.flatMap(({ parts }) => parts.flatMap(part => part.segments))
  const full = segments.filter(({ isFull }) => isFull).length
  return { full, changes: segments.length - full }
}

for (const { name, kind, sha256 } of GOLDENS) {
  describe(`the ${name} of format 1`, () => {
    const golden = readGolden(1, name)

    test('is the one that was made', () => {
      assert.equal(createHash('sha256').update(pack(golden.files)).digest('hex'), sha256)
      const { format } = JSON.parse(manifestText(golden.files)) as { readonly format: number }
      assert.equal(format, 1)
    })

    for (const [index, parallelism] of [GOLDEN_JOB.parallelism, 1, 3, 4].entries()) {
      test(`goes on to the results that were noted, with parallelism ${parallelism}`, async () => {
        const after = await runGolden(GOLDEN_JOB, { seed: 10 + index, parallelism, files: golden.files })
        assert.equal(resultsDifference(after, golden.after), undefined)
      })
    }

    test('gives, with what was committed before it, what a run without it gives', async () => {
      const whole = await runGolden(GOLDEN_JOB, { seed: 30, parallelism: GOLDEN_JOB.parallelism })
      assert.ok(golden.before.length > 0 && golden.after.length > 0)
      assert.equal(resultsDifference([...golden.before, ...golden.after], whole), undefined)
    })

    test('can be looked into', async () => {
      const savepoint = await opened(golden.files)
      const { operators } = await inspectSnapshot(savepoint)
      let rows = 0
      await readSnapshotRows(savepoint, {}, ({ uid, part, values }) => {
        rows++
        assert.ok(!Object.hasOwn(values, 'bytes'), `${uid} ${part} has a row that cannot be read`)
      })
      const counted = operators.flatMap(({ parts }) => parts).reduce((sum, part) => sum + part.rows, 0)
      assert.equal(rows, counted)
      assert.equal(segmentCounts(savepoint).changes > 0, kind === 'changes')
    })
  })
}

describe('the goldens', () => {
  test('are of the present format too', () => {
    assert.equal(SNAPSHOT_FORMAT, 1, 'the format is a new one: make goldens of it, see README.md')
  })

  test('hold rows of every layout, and finished subtasks', async () => {
    const found = new Set<string>()
    for (const { name } of GOLDENS) {
      const savepoint = await opened(readGolden(1, name).files)
      assert.ok(savepoint.manifest.operators.some(({ finishedSubtasks }) => finishedSubtasks.length > 0))
      const { operators } = await inspectSnapshot(savepoint)
      for (const part of operators.flatMap(({ parts }) => parts)) if (part.rows > 0) found.add(part.layout)
    }
    assert.deepEqual([...found].sort(), LAYOUTS)
  })

  test('tell when a row is lost', async () => {
    const golden = readGolden(1, 'savepoint')
    const without = new Map([...golden.files].filter(([path]) => !path.startsWith(GOLDEN_JOB.resultsDirectory)))
    const run = runGolden(GOLDEN_JOB, { seed: 40, parallelism: 1, files: without })
    await assert.rejects(run, /TRANSACTION_FAILED: .*neither .* nor/)
    const fromBeginning = await runGolden(GOLDEN_JOB, { seed: 41, parallelism: 1 })
    assert.notEqual(resultsDifference(fromBeginning, golden.after), undefined)
  })

  test('are packed and unpacked to the byte', () => {
    const files = new Map([
      ['a/ü "b"\n', new Uint8Array([10, 0, 255])],
      ['empty', new Uint8Array(0)],
    ])
    assert.deepEqual(unpack(pack(files)), files)
  })
})

/** The manifest without its first line. */
function manifestText(files: FileTree): string {
  const text = new TextDecoder().decode(files.get(`${SNAPSHOT_DIRECTORY}/savepoint.manifest`))
  return text.slice(text.indexOf('\n') + 1)
}
