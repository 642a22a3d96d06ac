// `npm run bench [-- --quick] [--json FILE] [--only ID] [--threads K] [--without-checkpoints]`: each workload by the engine and by a
// hand-written loop in turn, in CPU seconds; the ratio is the median of the pairs. A wrong sum ends the run. Markdown on standard output.
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { WORKLOADS, type Workload } from './definitions.ts'
import { measureLatency } from './latency.ts'
import { type Effort, LONG_PASS, type Measured, measure, type Row, type RowSetup } from './measure.ts'
import { floorReport, floorStandings, latencyReport, throughputHead, throughputRow } from './report.ts'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    // Only to see that all of it runs and that the sums agree.
    smoke: { type: 'boolean', default: false },
    json: { type: 'string' },
    only: { type: 'string' },
    threads: { type: 'string', default: '1' },
    'without-checkpoints': { type: 'boolean', default: false },
  },
})

const FULL: Effort = {
  ...LONG_PASS,
  pairs: 5,
  wallSecondsAim: 6.5,
  checkpointIntervalMs: 1000,
  wallSecondsBudget: 300,
  normativeShare: 1,
}
/** Five workloads within 240 s. */
const QUICK: Effort = { ...FULL, pairs: 3, wallSecondsAim: 6, wallSecondsBudget: 45 }
const SMOKE: Effort = {
  ...FULL,
  pairs: 1,
  wallSecondsMin: 0,
  wallSecondsAim: 0.5,
  checkpointsMin: 0,
  checkpointIntervalMs: 100,
  normativeShare: 0.02,
}

/** What else there is beside W1 to W5, each with a report of its own. Loaded when asked for: processes begin with the memory of this one. */
const EXTRAS: Readonly<Record<string, (isQuick: boolean) => Promise<unknown>>> = {
  windows: async isQuick => (await import('./windows.ts')).reportWindows(isQuick),
  checkpoints: async isQuick => (await import('./checkpoints.ts')).reportCheckpoints(isQuick),
  exchange: async isQuick => (await import('./exchange.ts')).reportExchange(isQuick),
  recovery: async isQuick => (await import('./recovery.ts')).reportRecovery(isQuick),
  nexmark: async isQuick => (await import('./nexmark/report.ts')).reportNexmark(isQuick),
}

const isShort = options.quick || options.smoke
const threads = Number(options.threads)
const setups: readonly RowSetup[] = [
  { threads: 1, hasCheckpoints: true },
  ...(options['without-checkpoints'] ? [{ threads: 1, hasCheckpoints: false }] : []),
  ...(threads > 1 ? [{ threads, hasCheckpoints: true }] : []),
]

function effort(): Effort {
  const { wallSecondsBudget, ...rest } = options.smoke ? SMOKE : options.quick ? QUICK : FULL
  return { ...rest, wallSecondsBudget: options.quick ? wallSecondsBudget / setups.length : wallSecondsBudget }
}

async function reportThroughput(workloads: readonly Workload[]): Promise<readonly Row[]> {
  const all: { readonly workload: Workload; readonly measured: Measured }[] = []
  console.log(throughputHead(effort().checkpointIntervalMs))
  for (const workload of workloads) {
    for (const setup of setups) {
      const measured = await measure(workload, setup, effort())
      console.log(throughputRow(measured))
      all.push({ workload, measured })
    }
  }
  // Passes of a smoke test are too short to tell.
  if (options.smoke) return all.map(({ measured }) => measured.row)
  const headlines = all.filter(({ measured }, i) => all[i - 1]?.measured.row.workload !== measured.row.workload)
  console.log(floorReport(floorStandings(headlines.map(({ workload, measured }) => ({ workload, ...measured })))))
  return all.map(({ measured }) => measured.row)
}

async function reportLatency(): Promise<readonly Row[]> {
  const threadCounts = threads > 1 ? [1, threads] : [1]
  const rows = await measureLatency({ seconds: options.smoke ? 0.5 : 12, threads: threadCounts })
  console.log(latencyReport(rows))
  return rows
}

async function main(): Promise<void> {
  const { only, json, quick } = options
  const workloads = WORKLOADS.filter(({ id }) => only === undefined || id === only)
  // The quick run holds W1 to W4.
  const hasLatency = only === undefined ? !quick : only === 'W5'
  const extra = Object.hasOwn(EXTRAS, only ?? '') ? EXTRAS[only as string] : undefined
  if (!Number.isInteger(threads) || threads < 1)
    return usage(`--threads ${options.threads}: give a whole number from 1`)
  if (extra !== undefined) return void (await extra(isShort))
  if (workloads.length === 0 && !hasLatency) {
    const ids = [...WORKLOADS.map(({ id }) => id), 'W5', ...Object.keys(EXTRAS)]
    return usage(`--only ${only}: no such workload; there are ${ids.join(', ')}`)
  }
  const rows: Row[] = workloads.length === 0 ? [] : [...(await reportThroughput(workloads))]
  if (hasLatency) rows.push(...(await reportLatency()))
  if (json !== undefined)
    writeFileSync(resolve(process.env.INIT_CWD ?? '.', json), `${JSON.stringify(rows, null, 2)}\n`)
  if (only === undefined && !isShort) await EXTRAS.windows?.(false)
}

function usage(mistake: string): void {
  console.error(mistake)
  process.exitCode = 2
}

await main()
console.log(`\n${(performance.now() / 1000).toFixed(0)} s in all.`)
