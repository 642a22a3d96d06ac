// Thousands of runs of whole jobs through crashes, power losses, failing disks, delays, savepoints and rescaling: the results are always those
// of a run without any of it. The first seed comes from the date, or from the environment variable SIM_FIRST.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { JOBS } from './jobs/jobs.ts'
import { faultCounts, reportLines } from './support/seed-report.ts'
import { spreadSeeds } from './support/spread-seeds.ts'

const SEEDS_PER_JOB = 130
const DAY_MS = 86_400_000

/** Days do not share seeds. */
function firstSeed(): number {
  const given = process.env.SIM_FIRST
  return given === undefined ? Math.floor(Date.now() / DAY_MS) * 1000 : Number(given)
}

describe('simulated jobs', () => {
  test('come to the results of a run without faults, whatever happens to them', async t => {
    const jobs = JOBS.map(({ name }) => name)
    assert.ok(jobs.length >= 9)
    const first = firstSeed()
    const report = await spreadSeeds({ seeds: SEEDS_PER_JOB * jobs.length, first, jobs })
    assert.ok(report.seeds >= 1000)
    const lines = reportLines(report, { first, jobs: jobs.length })
    for (const line of lines) t.diagnostic(line)
    const [firstWrong] = report.wrong
    assert.equal(report.wrong.length, 0, firstWrong && `${firstWrong.job}: ${firstWrong.mistake}`)
    for (const [kind, count] of faultCounts(report)) assert.ok(count > 0, `no ${kind} happened`)
    // Three of the jobs compare theirs.
    assert.ok(
      report.checkpointsChecked > 3 * SEEDS_PER_JOB,
      `only ${report.checkpointsChecked} checkpoints were compared`,
    )
  })
})
