// `npm run test:sim -- --seeds N --first-seed S [--job NAME]`: any number of seeds of all simulated jobs, or of one.
import { parseArgs } from 'node:util'
import { JOBS } from './jobs/jobs.ts'
import { reportLines } from './support/seed-report.ts'
import { spreadSeeds } from './support/spread-seeds.ts'

const { values } = parseArgs({
  options: { seeds: { type: 'string' }, 'first-seed': { type: 'string' }, job: { type: 'string' } },
})

function count(name: string, text: string | undefined, fallback: number): number {
  const number = text === undefined ? fallback : Number(text)
  if (Number.isSafeInteger(number) && number >= 0) return number
  process.stderr.write(`--${name} is ${text}; give a whole number from 0\n`)
  process.exit(2)
}

const names = JOBS.map(({ name }) => name)
const jobs = values.job === undefined ? names : names.filter(name => name === values.job)
if (jobs.length === 0) {
  process.stderr.write(`there is no job "${values.job}"; there are ${names.join(', ')}\n`)
  process.exit(2)
}
const first = count('first-seed', values['first-seed'], 1)
const seeds = count('seeds', values.seeds, 1000)
const startedAt = performance.now()
const report = await spreadSeeds({ seeds, first, jobs }, batch => {
  for (const { job, seed, mistake } of batch.wrong) process.stderr.write(`WRONG ${job}, seed ${seed}: ${mistake}\n`)
})
const perSecond = (report.seeds / (performance.now() - startedAt)) * 1000
process.stdout.write(`${perSecond.toFixed(1)} seeds per second\n`)
for (const line of reportLines(report, { first, jobs: jobs.length })) process.stdout.write(`${line}\n`)
process.exitCode = report.wrong.length > 0 ? 1 : 0
