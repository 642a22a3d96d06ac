// `npm run test:kill [-- --kills 50 --records 10000000 --sink files|postgres --seed S]`: a job of real size, killed again and again.
// Both sinks in turn unless one is named. Fails when a record is wrong, or a phase was hit fewer than three times.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Prng } from '../../../src/base/prng.ts'
import { postgresMissing } from '../../support/postgres.ts'
import { killLine, phaseCounts, reportLines, wrongCount } from './kill-report.ts'
import { killRun } from './kill-run.ts'
import { PHASES_TO_HIT } from './kill-settings.ts'
import { fileOutputs, type Outputs, postgresOutputs } from './outputs.ts'

const HITS_MIN = 3
/** Fewer kills cannot hit each phase often enough. */
const KILLS_WITH_HITS_MIN = 50

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    records: { type: 'string', default: '10000000' },
    sink: { type: 'string' },
    seed: { type: 'string' },
  },
})

function whole(name: string, text: string): number {
  const number = Number(text)
  if (Number.isSafeInteger(number) && number >= 1) return number
  return refuse(`--${name} is ${text}; give a whole number from 1`)
}

function refuse(text: string): never {
  process.stderr.write(`${text}\n`)
  process.exit(2)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function runSink(outputs: Outputs, folder: string): Promise<boolean> {
  const kills = whole('kills', values.kills)
  const records = whole('records', values.records)
  const seed = values.seed === undefined ? Date.now() % 1_000_000 : whole('seed', values.seed)
  say(`${outputs.sink}: ${kills} kills on ${records} records, seed ${seed}`)
  const prng = new Prng(seed)
  const report = await killRun({ outputs, folder, kills, records, prng, onKill: kill => say(killLine(kill)) })
  const hits = phaseCounts(report.kills)
  const missed = kills < KILLS_WITH_HITS_MIN ? [] : PHASES_TO_HIT.filter(phase => (hits.get(phase) ?? 0) < HITS_MIN)
  if (missed.length > 0) say(`hit fewer than ${HITS_MIN} times: ${missed.join(', ')}`)
  for (const line of reportLines(report)) say(line)
  return wrongCount(report) === 0 && missed.length === 0
}

const { sink } = values
if (sink !== undefined && sink !== 'files' && sink !== 'postgres') refuse(`--sink is ${sink}; give files or postgres`)
const missing = sink === 'files' ? undefined : postgresMissing()
if (sink === 'postgres' && missing !== undefined) refuse(`--sink postgres ${missing}`)
if (missing !== undefined) say(`without the sink postgres: it ${missing}`)
const folder = mkdtempSync(join(tmpdir(), 'millrace-kill-'))
try {
  const isFilesRight = sink === 'postgres' || (await runSink(fileOutputs(folder), folder))
  let isPostgresRight = true
  if (sink !== 'files' && missing === undefined) {
    const outputs = await postgresOutputs()
    try {
      isPostgresRight = await runSink(outputs, folder)
    } finally {
      await outputs.close()
    }
  }
  process.exitCode = isFilesRight && isPostgresRight ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
