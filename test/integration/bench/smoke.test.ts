// The benchmark runs, and its sums agree. It says how long that took and judges no time: this machine may be busy.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { describe } from 'node:test'
import { ROOT, temporaryFolder } from '../../support/project.ts'

const BENCH = join(ROOT, 'bench', 'main.ts')
const KEYS = [
  ...['workload', 'engine', 'threads', 'records', 'cpuSeconds', 'recordsPerCpuSecond', 'floorRecordsPerCpuSecond'],
  ...['ratio', 'wallSeconds', 'peakRssBytes', 'checkpoints', 'sum'],
]

type Row = Readonly<Record<string, unknown>>

function rowsOf(folder: string, ...args: readonly string[]): { readonly rows: readonly Row[]; readonly text: string } {
  const json = join(folder, 'rows.json')
  // What a job leaves behind would be seen in the folder for temporary files.
  const env = { ...process.env, TMPDIR: mkdtempSync(join(folder, 'temporary-')) }
  const text = execFileSync(process.execPath, [BENCH, '--smoke', '--json', json, ...args], { encoding: 'utf8', env })
  assert.deepEqual(readdirSync(env.TMPDIR), [])
  return { rows: JSON.parse(readFileSync(json, 'utf8')) as readonly Row[], text }
}

describe('the benchmark', () => {
  test('runs every workload, in its order, and its sums agree', scope => {
    const startedMs = performance.now()
    const { rows, text } = rowsOf(temporaryFolder(scope))
    assert.deepEqual(
      rows.map(({ workload }) => workload),
      ['W1', 'W2', 'W3-10k', 'W3-1M', 'W4', 'W5', 'W5'],
    )
    for (const row of rows) {
      for (const key of KEYS) assert.ok(Object.hasOwn(row, key), `${row.workload} has ${key}`)
      assert.equal(row.engine, 'millrace')
      assert.equal(row.threads, 1)
      // Too short for one.
      assert.equal(row.ratio, null)
      for (const key of ['records', 'cpuSeconds', 'recordsPerCpuSecond', 'wallSeconds', 'peakRssBytes', 'sum'])
        assert.ok((row[key] as number) > 0, `${row.workload}: ${key} is ${row[key]}`)
      assert.ok(text.includes(`| ${row.workload} |`), text)
    }
    const checkpoints = rows.reduce((sum, row) => sum + (row.checkpoints as number), 0)
    assert.ok(checkpoints > 0, 'checkpoints were taken')
    scope.diagnostic(`${((performance.now() - startedMs) / 1000).toFixed(1)} s`)
  })

  test('adds a row without checkpoints', scope => {
    const { rows } = rowsOf(temporaryFolder(scope), '--only', 'W3-10k', '--without-checkpoints')
    assert.equal(rows.length, 2)
    assert.ok((rows[0]?.checkpoints as number) > 0)
    assert.equal(rows[1]?.checkpoints, 0)
  })

  test('refuses what it does not have, and says what there is', scope => {
    const json = join(temporaryFolder(scope), 'rows.json')
    const { status, stderr } = spawnSync(process.execPath, [BENCH, '--only', 'W9', '--json', json], {
      encoding: 'utf8',
    })
    assert.equal(status, 2)
    assert.match(stderr, /--only W9: no such workload; there are W1, W2, W3-10k, W3-1M, W4, W5, windows/)
    assert.equal(existsSync(json), false)
  })
})
