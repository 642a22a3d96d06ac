// `npm run bench [-- --quick] [--json FILE] [--only ID]`: each workload by the engine and by the hand-written loop in turn, in CPU seconds
// of the process; the ratio is the median of the pairs. Sums are compared with the known ones before any figure is printed.
// Every workload has a process of its own, as a job has: code that several workloads share would be compiled for all of them at once.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { reportCheckpoints } from './checkpoints.ts'
import { keyedSumFloor, type PassResult, rollingFloor, windowFloor } from './floors.ts'
import { keyedSumJob, rollingJob, windowJob } from './jobs.ts'
import { reportWindows } from './windows.ts'
import { makeLines } from './workloads.ts'

interface Workload {
  readonly id: string
  readonly records: number
  readonly expected: PassResult
  readonly floor: () => PassResult
  readonly engine: () => Promise<PassResult>
}

interface Timed {
  readonly cpuSeconds: number
  readonly wallSeconds: number
  readonly result: PassResult
}

/** One line of the report. Checkpoints do not exist yet. */
interface Row {
  readonly workload: string
  readonly engine: 'millrace'
  readonly threads: 1
  readonly records: number
  readonly cpuSeconds: number
  readonly recordsPerCpuSecond: number
  readonly floorRecordsPerCpuSecond: number
  readonly ratio: number
  readonly wallSeconds: number
  readonly peakRssBytes: number
  readonly checkpoints: 0
  readonly sum: number
}

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean' }, json: { type: 'string' }, only: { type: 'string' }, row: { type: 'boolean' } },
})
const pairs = options.quick === true ? 3 : 5
const lines = makeLines()
const W3_KEYS = 10_000
const MILLION = 1_000_000

const workloads: readonly Workload[] = [
  {
    id: 'W1',
    records: 10 * MILLION,
    expected: { rows: 10 * MILLION, sum: 862_179_303_793 },
    floor: () => rollingFloor(lines, 10 * MILLION),
    engine: () => rollingJob(lines, 10 * MILLION),
  },
  {
    id: 'W2',
    records: 20 * MILLION,
    expected: { rows: 3_077_592, sum: 20 * MILLION },
    floor: () => windowFloor(lines, 20 * MILLION),
    engine: () => windowJob(lines, 20 * MILLION),
  },
  {
    id: 'W3-10k',
    records: 20 * MILLION,
    expected: { rows: 20 * MILLION, sum: 20_020_092_160 },
    floor: () => keyedSumFloor(W3_KEYS, 20 * MILLION),
    engine: () => keyedSumJob(W3_KEYS, 20 * MILLION),
  },
]

async function timed(pass: () => PassResult | Promise<PassResult>): Promise<Timed> {
  const cpuBefore = process.cpuUsage()
  const wallBefore = performance.now()
  const result = await pass()
  const cpu = process.cpuUsage(cpuBefore)
  return { cpuSeconds: (cpu.user + cpu.system) / 1e6, wallSeconds: (performance.now() - wallBefore) / 1000, result }
}

function check(workload: Workload, who: string, { rows, sum }: PassResult): void {
  const { expected } = workload
  if (rows === expected.rows && sum === expected.sum) return
  throw new Error(
    `${workload.id} ${who}: ${rows} rows summing to ${sum}; expected ${expected.rows} and ${expected.sum}`,
  )
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] as number
}

async function measure(workload: Workload): Promise<Row> {
  const floors: Timed[] = []
  const engines: Timed[] = []
  for (let pair = -1; pair < pairs; pair++) {
    const floor = await timed(workload.floor)
    const engine = await timed(workload.engine)
    check(workload, 'by hand', floor.result)
    check(workload, 'by millrace', engine.result)
    // The first pair warms up.
    if (pair < 0) continue
    floors.push(floor)
    engines.push(engine)
  }
  const cpuSeconds = median(engines.map(pass => pass.cpuSeconds))
  return {
    workload: workload.id,
    engine: 'millrace',
    threads: 1,
    records: workload.records,
    cpuSeconds,
    recordsPerCpuSecond: workload.records / cpuSeconds,
    floorRecordsPerCpuSecond: workload.records / median(floors.map(pass => pass.cpuSeconds)),
    ratio: median(engines.map((pass, index) => (floors[index] as Timed).cpuSeconds / pass.cpuSeconds)),
    wallSeconds: median(engines.map(pass => pass.wallSeconds)),
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    checkpoints: 0,
    sum: workload.expected.sum,
  }
}

/** Measures one workload in a child process. */
function measureApart(id: string): Row {
  const args = [import.meta.filename, '--row', '--only', id, ...(options.quick === true ? ['--quick'] : [])]
  return JSON.parse(
    execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }),
  ) as Row
}

const millions = (perSecond: number): string => (perSecond / MILLION).toFixed(1)

function report(): void {
  console.log('Million records per CPU second, one thread, no checkpoints; by hand = split, Map and a loop.\n')
  console.log('| workload | millrace | by hand | ratio | sum |')
  console.log('|---|---|---|---|---|')
  const rows: Row[] = []
  for (const { id } of workloads) {
    if (options.only !== undefined && options.only !== id) continue
    const row = measureApart(id)
    rows.push(row)
    const rates = `${millions(row.recordsPerCpuSecond)} | ${millions(row.floorRecordsPerCpuSecond)}`
    console.log(`| ${row.workload} | ${rates} | ${row.ratio.toFixed(2)} | ${row.sum} |`)
  }
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`)
}

const chosen = workloads.find(workload => workload.id === options.only)
if (options.only === 'windows') reportWindows(options.quick === true)
else if (options.only === 'checkpoints') reportCheckpoints(options.quick === true)
else if (options.only !== undefined && chosen === undefined) {
  console.error(
    `--only ${options.only}: no such workload; there are ${workloads.map(workload => workload.id).join(', ')}, windows`,
  )
  process.exitCode = 2
} else if (options.row === true && chosen !== undefined) console.log(JSON.stringify(await measure(chosen)))
else {
  report()
  if (options.only === undefined) reportWindows(options.quick === true)
}
