// `npm run soak [-- --minutes 10 --kills 100 --seed S]`: a job in two threads that are killed at random moments for so long. Fails when a record of
// its output is wrong, or the main thread holds more than a tenth more memory at the end than after the first quarter.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Prng } from '../../src/base/prng.ts'
import { differenceOf, tallyFiles } from '../integration/kill/tally.ts'
import { MemoryMeter } from './memory-meter.ts'
import { outputOf, runKilled, runUndisturbed, type SoakReport } from './soak-run.ts'

const RECORDS_PER_SECOND = 4000
const SAMPLE_EVERY_MS = 500
const GROWTH_PERCENT_MAX = 10
/** What of the time is for pauses between kills; the rest is for threads that die slowly and start anew. */
const PAUSES_SHARE = 0.4

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    kills: { type: 'string', default: '100' },
    seed: { type: 'string' },
  },
})

function positive(name: string, text: string): number {
  const number = Number(text)
  if (number > 0 && Number.isFinite(number)) return number
  process.stderr.write(`--${name} is ${text}; give a number above 0\n`)
  process.exit(2)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function wrongRecords(folder: string, records: number): Promise<number> {
  const expected = await tallyFiles(outputOf(folder, 'undisturbed'), records)
  const { lost, repeated, foreign } = differenceOf(await tallyFiles(outputOf(folder, 'killed'), records), expected)
  say(`records: ${records} written by each run, ${lost} lost, ${repeated} repeated, ${foreign} foreign`)
  return lost + repeated + foreign
}

function tell({ deaths, restarts }: SoakReport, meter: MemoryMeter): void {
  say(`restarts: ${restarts}; deaths: ${[...deaths].map(([death, count]) => `${death} ${count}`).join(', ')}`)
  const last = meter.samples.at(-1)
  const megabytes = (bytes = 0): string => `${Math.round(bytes / 1e6)} MB`
  say(
    `memory: held by the main thread ${megabytes(last?.heldBytes)}, process ${megabytes(last?.residentBytes)} (${meter.growthPercent('residentBytes').toFixed(1)} % more than after the first quarter)`,
  )
}

async function soak(folder: string): Promise<boolean> {
  const minutes = positive('minutes', values.minutes)
  const kills = Math.ceil(positive('kills', values.kills))
  const seed = values.seed === undefined ? Date.now() % 1_000_000 : positive('seed', values.seed)
  const records = Math.ceil(minutes * 60 * RECORDS_PER_SECOND)
  say(`${kills} kills in ${minutes} minutes on ${records} records, seed ${seed}`)
  await runUndisturbed(folder, records)
  const meter = new MemoryMeter()
  const sampling = setInterval(() => meter.sample(), SAMPLE_EVERY_MS)
  const report = await runKilled({
    folder,
    records,
    recordsPerSecond: RECORDS_PER_SECOND,
    kills,
    pauseMs: (minutes * 60_000 * PAUSES_SHARE) / kills,
    prng: new Prng(seed),
    onKill: count => {
      if (count % 10 === 0) say(`${count} threads were lost`)
    },
  }).finally(() => clearInterval(sampling))
  tell(report, meter)
  const wrong = await wrongRecords(folder, records)
  const growth = meter.growthPercent('heldBytes')
  say(`kills=${report.kills} wrong=${wrong} growth=${growth.toFixed(1)}%`)
  return wrong === 0 && growth <= GROWTH_PERCENT_MAX
}

const folder = mkdtempSync(join(tmpdir(), 'millrace-soak-'))
try {
  process.exitCode = (await soak(folder)) ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
