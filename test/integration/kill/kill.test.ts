// A real process, really killed: the output is that of the job left alone. The full size is `npm run test:kill`.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, describe, type TestContext } from 'node:test'
import { Prng } from '../../../src/base/prng.ts'
import { postgresMissing } from '../../support/postgres.ts'
import { killLine, reportLines, wrongCount } from './kill-report.ts'
import { killRun } from './kill-run.ts'
import { fileOutputs, type Outputs, postgresOutputs } from './outputs.ts'
import { differenceOf, Tally } from './tally.ts'

const KILLS = 3
const RECORDS = 300_000
const LIMIT_MS = 150_000

const folder = mkdtempSync(join(tmpdir(), 'millrace-kill-'))
after(() => rmSync(folder, { recursive: true, force: true }))

async function assertUnharmed(t: TestContext, outputs: Outputs): Promise<void> {
  const seed = Date.now() % 1_000_000
  const told = [
    `${outputs.sink}: seed ${seed}; again with: npm run test:kill -- --kills ${KILLS} --records ${RECORDS} --sink ${outputs.sink} --seed ${seed}`,
  ]
  try {
    const report = await killRun({
      outputs,
      folder,
      kills: KILLS,
      records: RECORDS,
      prng: new Prng(seed),
      onKill: kill => told.push(killLine(kill)),
    })
    told.push(...reportLines(report))
    assert.equal(report.kills.length, KILLS)
    assert.equal(wrongCount(report), 0, told.join('\n'))
  } finally {
    for (const line of told) t.diagnostic(line)
  }
}

describe('a job that is killed', () => {
  test('leaves in files what it would have without', { timeout: LIMIT_MS }, t => assertUnharmed(t, fileOutputs(folder)))

  test('leaves in PostgreSQL what it would have without', {
    timeout: LIMIT_MS,
    skip: postgresMissing() ?? false,
  }, async t => {
    const outputs = await postgresOutputs()
    try {
      await assertUnharmed(t, outputs)
    } finally {
      await outputs.close()
    }
  })
})

describe('the comparison of outputs', () => {
  const tallyOf = (...lines: readonly string[]): Tally => {
    const tally = new Tally(10_000)
    for (const line of lines) tally.addLine(line)
    return tally
  }

  test('sees what is lost, repeated and torn', () => {
    const expected = tallyOf('7 1', '7 2', '8 1')
    assert.deepEqual(differenceOf(tallyOf('8 1', '7 2', '7 1'), expected), { lost: 0, repeated: 0, foreign: 0 })
    assert.deepEqual(differenceOf(tallyOf('7 1', '8 1'), expected), { lost: 1, repeated: 0, foreign: 0 })
    assert.deepEqual(differenceOf(tallyOf('7 1', '7 2', '7 2', '8 1'), expected), { lost: 0, repeated: 1, foreign: 0 })
    for (const torn of ['7', '', '7 1 2', '5000 1', '7 3', '7 0'])
      assert.deepEqual(differenceOf(tallyOf('7 1', '7 2', '8 1', torn), expected).foreign, 1, torn)
  })
})
