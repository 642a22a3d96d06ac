// Measures a workload: the engine and the idiomatic floor in turn, each in a process of its own, in passes that are long enough to have
// checkpoints in them. Every result is compared with what it must be before its time counts.
import type { FloorKind, Workload } from './definitions.ts'
import type { PassResult } from './floors.ts'
import { BenchProcess } from './processes.ts'
import type { TimedPass } from './program.ts'

/** A timed pass that is shorter, or has fewer completed checkpoints, has no ratio. */
export const LONG_PASS = { wallSecondsMin: 5, checkpointsMin: 4 } as const

/** How much is measured. */
export interface Effort {
  /** Pairs of passes, floor and engine. */
  readonly pairs: number
  /** A timed pass with less is repeated with more records. */
  readonly wallSecondsMin: number
  /** A pass of the engine is made as long as this. */
  readonly wallSecondsAim: number
  /** A timed pass with fewer is repeated with more records. */
  readonly checkpointsMin: number
  readonly checkpointIntervalMs: number
  /** No further pair is begun when it would end later than this, for the rows of one workload. */
  readonly wallSecondsBudget: number
  /** The share of the normative records in the first pass, which warms up. */
  readonly normativeShare: number
}

/** One line of the report, as `--json` writes it. */
export interface Row {
  readonly workload: string
  readonly engine: 'millrace'
  readonly threads: number
  /** Of one timed pass. */
  readonly records: number
  readonly cpuSeconds: number
  readonly recordsPerCpuSecond: number
  readonly floorRecordsPerCpuSecond: number | null
  /** To the idiomatic floor, the median of the pairs; null when a pass was too short for one, or without checkpoints. */
  readonly ratio: number | null
  readonly wallSeconds: number
  readonly peakRssBytes: number
  /** The fewest of a timed pass. */
  readonly checkpoints: number
  readonly sum: number
}

/** How a row is run. */
export interface RowSetup {
  readonly threads: number
  readonly hasCheckpoints: boolean
}

/** A row, and what stands beside it in the report. */
export interface Measured {
  readonly row: Row
  readonly pairs: number
  /** Records per CPU second of the normative passes of the floors. */
  readonly floors: Readonly<Record<FloorKind, number>>
}

interface Pair {
  readonly floor: TimedPass
  readonly engine: TimedPass
}

/** The middle of some numbers, between the two middle ones where there is none. NaN of none. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

const rate = ({ records, cpuSeconds }: TimedPass): number => records / cpuSeconds

/** Throws unless the result is the expected one. */
export function check(who: string, { rows, sum }: PassResult, expected: PassResult): void {
  if (rows === expected.rows && sum === expected.sum) return
  throw new Error(`${who}: ${rows} rows summing to ${sum}; expected ${expected.rows} rows and ${expected.sum}`)
}

/** Measures the rows of one workload. Rejects when a sum is wrong. */
export async function measure(
  workload: Workload,
  { threads, hasCheckpoints }: RowSetup,
  effort: Effort,
): Promise<Measured> {
  using engine = new BenchProcess()
  using floors = new BenchProcess()
  const session = new Session(workload, { threads, hasCheckpoints }, effort, { engine, floors })
  return await session.run()
}

class Session {
  private readonly workload: Workload
  private readonly setup: RowSetup
  private readonly effort: Effort
  private readonly processes: { readonly engine: BenchProcess; readonly floors: BenchProcess }
  private readonly startedMs = performance.now()

  constructor(workload: Workload, setup: RowSetup, effort: Effort, processes: Session['processes']) {
    this.workload = workload
    this.setup = setup
    this.effort = effort
    this.processes = processes
  }

  async run(): Promise<Measured> {
    const { workload, effort } = this
    const normative = this.rounded(workload.records * effort.normativeShare)
    const first = await this.engine(normative)
    // The first passes of the floors warm them up.
    await this.floor('idiomatic', normative, 0)
    await this.floor('bytes', normative, 0)
    const bytes = await this.floor('bytes', normative, Math.min(1, effort.wallSecondsMin))
    const pairs = await this.pairs(normative, first)
    return {
      row: this.row(pairs),
      pairs: pairs.length,
      floors: { idiomatic: median(pairs.map(({ floor }) => rate(floor))), bytes: rate(bytes) },
    }
  }

  /** At least one pair. One in which the engine was not long enough does not count, and the next has more records. */
  private async pairs(normative: number, first: TimedPass): Promise<readonly Pair[]> {
    const { effort } = this
    const pairs: Pair[] = []
    // Never less than the normative pass, which is what the floor repeats.
    let records = this.longEnough(first, normative)
    do {
      const floor = await this.floor('idiomatic', normative, effort.wallSecondsMin)
      const engine = await this.engine(records)
      const isLast = pairs.length === 0 && this.elapsedSeconds() > effort.wallSecondsBudget
      if (this.isLong(engine, effort) || isLast) pairs.push({ floor, engine })
      else records = this.longEnough(engine, records * 1.25)
    } while (pairs.length < effort.pairs && this.hasTimeForPair(pairs))
    return pairs
  }

  private hasTimeForPair(pairs: readonly Pair[]): boolean {
    if (pairs.length === 0) return true
    const seconds = pairs.map(({ floor, engine }) => floor.wallSeconds + engine.wallSeconds)
    return this.elapsedSeconds() + Math.max(...seconds) < this.effort.wallSecondsBudget
  }

  private elapsedSeconds(): number {
    return (performance.now() - this.startedMs) / 1000
  }

  private isLong(
    { wallSeconds, checkpoints }: TimedPass,
    { wallSecondsMin, checkpointsMin }: Pick<Effort, 'wallSecondsMin' | 'checkpointsMin'>,
  ): boolean {
    return wallSeconds >= wallSecondsMin && (!this.setup.hasCheckpoints || checkpoints >= checkpointsMin)
  }

  private longEnough({ records, wallSeconds }: TimedPass, atLeast = 0): number {
    return this.rounded(Math.max(atLeast, (records / wallSeconds) * this.effort.wallSecondsAim))
  }

  private rounded(records: number): number {
    const step = this.workload.recordsStep * this.setup.threads
    return Math.max(1, Math.round(records / step)) * step
  }

  private async expected(records: number, splits = this.setup.threads): Promise<PassResult> {
    const { id, expected } = this.workload
    const { result } = await this.processes.floors.run({ kind: 'oracle', id, records, splits })
    if (records === this.workload.records && splits === 1) check(`${id}, oracle`, result, expected)
    return result
  }

  // A floor has one split, whatever the engine has.
  private async floor(floor: FloorKind, records: number, wallSecondsMin: number): Promise<TimedPass> {
    const { id } = this.workload
    const pass = await this.processes.floors.run({ kind: 'floor', id, floor, records, wallSecondsMin })
    check(`${id}, ${floor} floor`, pass.result, await this.expected(records, 1))
    return pass
  }

  private async engine(records: number): Promise<TimedPass> {
    const { id } = this.workload
    const { threads, hasCheckpoints } = this.setup
    const checkpointIntervalMs = hasCheckpoints ? this.effort.checkpointIntervalMs : undefined
    const pass = await this.processes.engine.run({ kind: 'engine', id, records, threads, checkpointIntervalMs })
    check(`${id}, millrace, ${records} records`, pass.result, await this.expected(records))
    return pass
  }

  private row(pairs: readonly Pair[]): Row {
    const { threads, hasCheckpoints } = this.setup
    const engines = pairs.map(pair => pair.engine)
    const areLong = pairs.every(
      ({ floor, engine }) => this.isLong(engine, LONG_PASS) && floor.wallSeconds >= LONG_PASS.wallSecondsMin,
    )
    // Numbers of records may differ, so the figures of a pass are those of the one in the middle.
    const middle = [...engines].sort((a, b) => rate(a) - rate(b))[engines.length >> 1] as TimedPass
    return {
      workload: this.workload.id,
      engine: 'millrace',
      threads,
      records: middle.records,
      cpuSeconds: middle.cpuSeconds,
      recordsPerCpuSecond: rate(middle),
      floorRecordsPerCpuSecond: median(pairs.map(({ floor }) => rate(floor))),
      ratio: hasCheckpoints && areLong ? median(pairs.map(({ floor, engine }) => rate(engine) / rate(floor))) : null,
      wallSeconds: middle.wallSeconds,
      peakRssBytes: Math.max(...engines.map(pass => pass.peakRssBytes)),
      checkpoints: Math.min(...engines.map(pass => pass.checkpoints)),
      sum: middle.result.sum,
    }
  }
}
