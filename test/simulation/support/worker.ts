// A process that runs seeds of jobs as it is told, one batch after the other, and reports each batch.
import { type ExpectedOutcome, runWithoutFaults, simulateFaults } from '../../../src/testing/simulation/simulate-job.ts'
import { JOBS } from '../jobs/jobs.ts'
import { addReports, EMPTY_REPORT, reportOf, type SeedReport } from './seed-report.ts'
import { initOf, type SimulatedJob } from './simulated-job.ts'
import type { SeedBatch } from './spread-seeds.ts'

const expectations = new Map<string, ExpectedOutcome>()

async function expectedOf(job: SimulatedJob): Promise<ExpectedOutcome> {
  const known = expectations.get(job.name)
  if (known !== undefined) return known
  const expected = await runWithoutFaults(initOf(job, 0))
  expectations.set(job.name, expected)
  return expected
}

async function run({ job: name, seeds }: SeedBatch): Promise<SeedReport> {
  const job = JOBS.find(each => each.name === name)
  if (job === undefined) throw new Error(`there is no simulated job "${name}"`)
  let report = EMPTY_REPORT
  for (const seed of seeds) {
    const expected = await expectedOf(job)
    report = addReports(report, reportOf(name, await simulateFaults({ ...initOf(job, seed), expected })))
  }
  return report
}

process.on('message', (batch: SeedBatch) => {
  run(batch).then(
    report => process.send?.(report),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
      process.exit(1)
    },
  )
})
