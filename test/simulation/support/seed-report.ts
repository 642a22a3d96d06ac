// What came of simulated runs, in numbers that add up, and as lines for people.
import { FAULT_KINDS } from '../../../src/testing/simulation/fault-plan.ts'
import type { SimulationOutcome } from '../../../src/testing/simulation/simulate-job.ts'

/** A run whose outcome is wrong. */
export interface WrongSeed {
  readonly job: string
  readonly seed: number
  readonly mistake: string
}

/** The sum of some runs: plain data, that goes from process to process. */
export interface SeedReport {
  readonly seeds: number
  readonly processes: number
  readonly checkpointsChecked: number
  readonly faults: Readonly<Record<string, number>>
  readonly diskFaults: Readonly<Record<string, number>>
  readonly wrong: readonly WrongSeed[]
}

/** The kinds of damage on the disk that must be among the faults. */
export const DISK_FAULTS: readonly string[] = [
  'torn-write',
  'lost-data',
  'lost-entry',
  'failed-call',
  'failed-sync',
  'short-write',
]

/** No runs at all. */
export const EMPTY_REPORT: SeedReport = {
  seeds: 0,
  processes: 0,
  checkpointsChecked: 0,
  faults: {},
  diskFaults: {},
  wrong: [],
}

/** One run. */
export function reportOf(job: string, outcome: SimulationOutcome): SeedReport {
  const { seed, mistake, fired, diskFaults, processes, checkpointsChecked } = outcome
  return {
    seeds: 1,
    processes,
    checkpointsChecked,
    faults: Object.fromEntries(fired),
    diskFaults: Object.fromEntries(diskFaults),
    wrong: mistake === undefined ? [] : [{ job, seed, mistake }],
  }
}

/** Both. */
export function addReports(a: SeedReport, b: SeedReport): SeedReport {
  return {
    seeds: a.seeds + b.seeds,
    processes: a.processes + b.processes,
    checkpointsChecked: a.checkpointsChecked + b.checkpointsChecked,
    faults: addCounts(a.faults, b.faults),
    diskFaults: addCounts(a.diskFaults, b.diskFaults),
    wrong: [...a.wrong, ...b.wrong],
  }
}

/** Every kind of fault with its count; 0 for those that never happened. */
export function faultCounts({ faults, diskFaults }: SeedReport): readonly (readonly [string, number])[] {
  return [
    ...FAULT_KINDS.map(kind => [kind, faults[kind] ?? 0] as const),
    ...DISK_FAULTS.map(kind => [kind, diskFaults[kind] ?? 0] as const),
  ]
}

/** The report as lines; the last is `seeds=N first=S jobs=J faults=F wrong=W`. */
export function reportLines(
  report: SeedReport,
  run: { readonly first: number; readonly jobs: number },
): readonly string[] {
  const { seeds, wrong, faults, processes, checkpointsChecked } = report
  const total = Object.values(faults).reduce((sum, count) => sum + count, 0)
  return [
    ...wrong.map(({ job, seed, mistake }) => `WRONG ${job}, seed ${seed}: ${mistake}`),
    ...faultCounts(report).map(([kind, count]) => `${kind.padEnd(24)}${count}`),
    `${processes} processes, ${checkpointsChecked} checkpoints compared with their input`,
    `seeds=${seeds} first=${run.first} jobs=${run.jobs} faults=${total} wrong=${wrong.length}`,
  ]
}

type Counts = Readonly<Record<string, number>>

function addCounts(a: Counts, b: Counts): Counts {
  const sum: Record<string, number> = { ...a }
  for (const [kind, count] of Object.entries(b)) sum[kind] = (sum[kind] ?? 0) + count
  return sum
}
