// What the benchmark prints: Markdown, a table for each question. It measures nothing.
import type { FloorKind, Workload } from './definitions.ts'
import type { LatencyRow } from './latency.ts'
import { type Measured, median } from './measure.ts'

/** How far a floor may be from where the reference has it, among the other floors of a run. */
const FLOOR_RANGE = { min: 0.6, max: 1.6 } as const

const NONE = '-'

const millions = (perSecond: number | null): string => (perSecond === null ? NONE : (perSecond / 1e6).toFixed(1))
const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0)

/** Heads a table. */
export function tableHead(...columns: readonly string[]): string {
  return `| ${columns.join(' | ')} |\n|${'---|'.repeat(columns.length)}`
}

/** What stands above the rows of W1 to W4. */
export function throughputHead(checkpointIntervalMs: number): string {
  const words = `Million records per CPU second of the process. Event time, keyed state, exactly-once checkpoints each ${checkpointIntervalMs / 1000} s.`
  const columns = [
    'workload',
    'threads',
    'checkpoints',
    'millrace',
    'by hand',
    'ratio',
    'pairs',
    'records',
    'CPU s',
    'wall s',
    'peak MiB',
    'sum',
  ]
  return `${words}\n\n${tableHead(...columns)}`
}

/** A row of W1 to W4. */
export function throughputRow({ row, pairs }: Measured): string {
  const { workload, threads, checkpoints, recordsPerCpuSecond, floorRecordsPerCpuSecond, ratio, records, sum } = row
  const rates = [millions(recordsPerCpuSecond), millions(floorRecordsPerCpuSecond), ratio?.toFixed(2) ?? NONE]
  const times = [row.cpuSeconds.toFixed(1), row.wallSeconds.toFixed(1)]
  return `| ${[workload, threads, checkpoints, ...rates, pairs, records, ...times, mebibytes(row.peakRssBytes), sum].join(' | ')} |`
}

/** A floor beside its reference. */
export interface FloorStanding {
  readonly workload: string
  readonly floor: FloorKind
  readonly recordsPerCpuSecond: number
  readonly reference: number
  /** How much faster than the reference it is, relative to how much faster all floors of the run are. */
  readonly standing: number
  readonly isWithin: boolean
}

/** How the floors of a run stand to each other, held against the reference: a machine may be faster, but then all of them are. */
export function floorStandings(
  measured: readonly { readonly workload: Pick<Workload, 'id' | 'reference'>; readonly floors: Measured['floors'] }[],
): readonly FloorStanding[] {
  const all = measured.flatMap(({ workload, floors }) =>
    (['idiomatic', 'bytes'] as const).map(floor => ({
      workload: workload.id,
      floor,
      recordsPerCpuSecond: floors[floor],
      reference: workload.reference[floor],
      gain: floors[floor] / 1e6 / workload.reference[floor],
    })),
  )
  const machine = median(all.map(({ gain }) => gain))
  return all.map(({ gain, ...floor }) => {
    const standing = gain / machine
    return { ...floor, standing, isWithin: standing >= FLOOR_RANGE.min && standing <= FLOOR_RANGE.max }
  })
}

/** The floors, and a sentence on each that is out of place. */
export function floorReport(standings: readonly FloorStanding[]): string {
  const { min, max } = FLOOR_RANGE
  const rows = standings.map(
    ({ workload, floor, recordsPerCpuSecond, reference, standing }) =>
      `| ${workload} | ${floor} | ${millions(recordsPerCpuSecond)} | ${reference} | ${standing.toFixed(2)} |`,
  )
  const misplaced = standings
    .filter(({ isWithin }) => !isWithin)
    .map(
      ({ workload, floor, standing }) =>
        `The ${floor} floor of ${workload} is out of place: ${standing.toFixed(2)} of where the other floors put it, expected ${min} to ${max}. A slow floor is a bug; so is a busy machine.`,
    )
  const words =
    'Floors by hand, million records per CPU second; the last column is the gain on the reference, relative to that of all floors of this run.'
  return [
    `\n${words}\n\n${tableHead('workload', 'floor', 'here', 'reference', 'standing')}`,
    ...rows,
    ...(misplaced.length === 0 ? ['\nAll floors stand to each other as in the reference.'] : ['', ...misplaced]),
  ].join('\n')
}

/** W5. */
export function latencyReport(rows: readonly LatencyRow[]): string {
  const words =
    'W5: ms from when a record was due to when its update is at the sink, 100,000 records a second, checkpoints each second.'
  const columns = [
    'workload',
    'keys',
    'threads',
    'p50',
    'p99',
    'p99.9',
    'max',
    'records',
    'checkpoints',
    'CPU s',
    'peak MiB',
    'sum',
  ]
  const lines = rows.map(({ workload, keys, threads, latencyMs, checkpoints, cpuSeconds, peakRssBytes, sum }) => {
    const { p50, p99, p999, max, count } = latencyMs
    const latencies = [p50, p99, p999, max].map(ms => ms.toFixed(2))
    return `| ${[workload, keys, threads, ...latencies, count, checkpoints, cpuSeconds.toFixed(1), mebibytes(peakRssBytes), sum].join(' | ')} |`
  })
  return [`\n${words}\n\n${tableHead(...columns)}`, ...lines].join('\n')
}
