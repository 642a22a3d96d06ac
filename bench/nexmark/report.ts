// What the queries of Nexmark cost, in events per CPU second on one thread, events of all kinds counted. Each query has a process of its own and is
// checked against its oracle on 100,000 events there before it is timed.
import { execFileSync } from 'node:child_process'
import { checkQuery } from './check.ts'
import { FLOORS } from './floors.ts'
import { generateEvents } from './generator.ts'
import { Laps } from './laps.ts'
import { QUERIES } from './queries/all.ts'
import type { NexmarkQuery } from './query.ts'
import { type TimedPass, timed, timedPass } from './timed-pass.ts'

/** What was measured of a query. */
export interface NexmarkRow {
  readonly workload: string
  readonly title: string
  readonly engine: 'millrace'
  readonly threads: 1
  /** Events of a pass. */
  readonly records: number
  readonly rows: number
  readonly cpuSeconds: number
  readonly recordsPerCpuSecond: number
  readonly wallSeconds: number
  /** Pauses for garbage collection, of the time by the clock: from 0 to 1. */
  readonly gcShare: number
  readonly peakRssBytes: number
  /** A plain loop over the same events, where there is one. */
  readonly floorRecordsPerCpuSecond: number | undefined
  /** CPU seconds of the loop to those of the query: the median of the pairs. */
  readonly ratio: number | undefined
  readonly checkpointed: CheckpointedPasses | undefined
}

/** Passes with a checkpoint each second and without, by turns. */
export interface CheckpointedPasses {
  readonly records: number
  /** CPU seconds with to those without: the median of the pairs. */
  readonly costRatio: number
  readonly checkpoints: number
}

/** Which queries, and where the results go beside the output. */
export interface NexmarkOptions {
  /** Ids of the queries to run; all unless given. */
  readonly only?: readonly string[]
  /** False leaves the passes with checkpoints out; a quick run has none. */
  readonly checkpoints?: boolean
  /** Called with each row as it is measured. */
  readonly onRow?: (row: NexmarkRow) => void
}

const CHECKED_EVENTS = 100_000
const EVENTS_PER_SECOND = 100_000
const CHECKPOINT_INTERVAL_MS = 1000
/** Passes with checkpoints are so long that several fall into each. */
const CHECKPOINTED_SECONDS = 5
const LAPS_MAX = 100
const HEAP_MIB = 8192
const MILLION = 1_000_000

/** What a child process is told. */
interface Task {
  readonly id: string
  readonly isQuick: boolean
  readonly checkpoints: boolean
}

/** Measures the queries one by one and prints a line for each. Throws when a query is wrong. */
export function reportNexmark(isQuick: boolean, options: NexmarkOptions = {}): readonly NexmarkRow[] {
  console.log(
    '\nNexmark: million events (of all kinds) per CPU second, one thread, 100,000 events a second of event time.',
  )
  console.log(
    'By hand = a plain loop over the same objects. Checkpoints: CPU seconds with one each second to those without.\n',
  )
  console.log('| query | | millrace | by hand | ratio | GC | with checkpoints | rows |')
  console.log('|---|---|---|---|---|---|---|---|')
  const ids = options.only ?? QUERIES.map(({ id }) => id)
  return ids.map(id => {
    const row = measureApart({ id, isQuick, checkpoints: !isQuick && options.checkpoints !== false })
    console.log(line(row))
    options.onRow?.(row)
    return row
  })
}

function line(row: NexmarkRow): string {
  const { workload, title, floorRecordsPerCpuSecond: floor, ratio, checkpointed } = row
  const cells = [
    workload,
    title,
    (row.recordsPerCpuSecond / MILLION).toFixed(2),
    floor === undefined ? '' : (floor / MILLION).toFixed(1),
    ratio?.toFixed(2) ?? '',
    `${(row.gcShare * 100).toFixed(0)} %`,
    checkpointed === undefined ? '' : `${checkpointed.costRatio.toFixed(3)} (${checkpointed.checkpoints})`,
    row.rows,
  ]
  return `| ${cells.join(' | ')} |`
}

function measureApart(task: Task): NexmarkRow {
  const args = [`--max-old-space-size=${HEAP_MIB}`, import.meta.filename, JSON.stringify(task)]
  const text = execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  return JSON.parse(text) as NexmarkRow
}

async function measure({ id, isQuick, checkpoints }: Task): Promise<NexmarkRow> {
  const query = QUERIES.find(each => each.id === id)
  if (query === undefined) throw new Error(`no query ${id}; there are ${QUERIES.map(each => each.id).join(', ')}`)
  await checkQuery(query, { events: CHECKED_EVENTS })
  const events = generateEvents({ events: isQuick ? 500_000 : 2 * MILLION, eventsPerSecond: EVENTS_PER_SECOND })
  const passes: TimedPass[] = []
  const floors: number[] = []
  const floor = FLOORS[id]
  for (let pair = -1; pair < (isQuick ? 3 : 5); pair++) {
    const byHand = floor === undefined ? undefined : await timed(() => floor(events))
    const pass = await timedPass(query, { events })
    requireRows(query, pass, byHand?.result ?? passes[0]?.rows)
    // The first pair warms up.
    if (pair < 0) continue
    passes.push(pass)
    if (byHand !== undefined) floors.push(byHand.cpuSeconds)
  }
  const cpuSeconds = median(passes.map(pass => pass.cpuSeconds))
  return {
    workload: id,
    title: query.title,
    engine: 'millrace',
    threads: 1,
    records: events.length,
    rows: passes[0].rows,
    cpuSeconds,
    recordsPerCpuSecond: events.length / cpuSeconds,
    wallSeconds: median(passes.map(pass => pass.wallSeconds)),
    gcShare: median(passes.map(pass => pass.gcShare)),
    floorRecordsPerCpuSecond: floor === undefined ? undefined : events.length / median(floors),
    ratio: floor === undefined ? undefined : median(passes.map((pass, i) => floors[i] / pass.cpuSeconds)),
    checkpointed: checkpoints ? await measureCheckpoints(query, lapsFor(events, cpuSeconds)) : undefined,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
  }
}

function lapsFor(events: ReturnType<typeof generateEvents>, lapSeconds: number): Laps {
  const laps = Math.min(LAPS_MAX, Math.ceil(CHECKPOINTED_SECONDS / lapSeconds))
  return new Laps(events, laps, EVENTS_PER_SECOND)
}

async function measureCheckpoints(query: NexmarkQuery, events: Laps): Promise<CheckpointedPasses> {
  const ratios: number[] = []
  const counts: number[] = []
  for (let pair = 0; pair < 3; pair++) {
    const without = await timedPass(query, { events })
    const pass = await timedPass(query, { events, checkpointIntervalMs: CHECKPOINT_INTERVAL_MS })
    requireRows(query, pass, without.rows)
    ratios.push(pass.cpuSeconds / without.cpuSeconds)
    counts.push(pass.checkpoints)
  }
  return { records: events.length, costRatio: median(ratios), checkpoints: median(counts) }
}

// Rows that depend on the clock, which settle() adds up, need not be equal in number.
function requireRows(query: NexmarkQuery, { rows }: TimedPass, expected: number | undefined): void {
  if (expected === undefined || rows === expected || query.id === 'q12') return
  throw new Error(`${query.id}: ${rows} rows, expected ${expected}`)
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1]
}

const [, program, argument] = process.argv
if (program === import.meta.filename && argument !== undefined)
  console.log(JSON.stringify(await measure(JSON.parse(argument) as Task)))
