// A process of the benchmark: either the engine or the floors of one workload, so that neither's memory and compiled code weighs on the
// other's. The report asks it for passes by messages and gets their times.
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from 'millrace'
import { type FloorKind, workloadOf } from './definitions.ts'
import type { PassResult } from './floors.ts'
import { jobArguments, readLatencies, readResult, type WorkloadId } from './jobs.ts'
import { type Latencies, latencySummary } from './latencies.ts'

/** A pass of the engine. */
export interface EngineRequest {
  readonly kind: 'engine'
  readonly id: WorkloadId
  readonly records: number
  readonly threads: number
  /** Undefined: without checkpoints. */
  readonly checkpointIntervalMs: number | undefined
}

/** Passes of a floor, each with fresh state, again and again until so many seconds are over. */
export interface FloorRequest {
  readonly kind: 'floor'
  readonly id: WorkloadId
  readonly floor: FloorKind
  readonly records: number
  readonly wallSecondsMin: number
}

/** What the workload must give. */
export interface OracleRequest {
  readonly kind: 'oracle'
  readonly id: WorkloadId
  readonly records: number
  readonly splits: number
}

/** What a process of the benchmark can be asked for. */
export type ProgramRequest = EngineRequest | FloorRequest | OracleRequest

/** A timed pass, or the expected result of one (then without times). */
export interface TimedPass {
  /** Records of all repetitions. */
  readonly records: number
  readonly cpuSeconds: number
  readonly wallSeconds: number
  /** Completed ones. */
  readonly checkpoints: number
  /** Of one repetition. */
  readonly result: PassResult
  /** The most memory that the process has held so far. */
  readonly peakRssBytes: number
  /** Of W5. */
  readonly latencies?: Latencies
}

async function timed(pass: () => Promise<number>): Promise<Pick<TimedPass, 'cpuSeconds' | 'wallSeconds' | 'records'>> {
  const cpuBefore = process.cpuUsage()
  const wallBefore = performance.now()
  const records = await pass()
  const cpu = process.cpuUsage(cpuBefore)
  return { records, cpuSeconds: (cpu.user + cpu.system) / 1e6, wallSeconds: (performance.now() - wallBefore) / 1000 }
}

function peakRssBytes(): number {
  return process.resourceUsage().maxRSS * 1024
}

async function enginePass({ id, records, threads, checkpointIntervalMs }: EngineRequest): Promise<TimedPass> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  try {
    const directory = join(folder, 'job')
    const resultDirectory = join(folder, 'results')
    mkdirSync(resultDirectory)
    const times = await timed(async () => {
      await run(new URL('./jobs.ts', import.meta.url), {
        args: jobArguments({ id, records, resultDirectory }),
        parallelism: threads,
        ...(threads === 1 ? {} : { threads }),
        // A job without a directory takes no checkpoints.
        ...(checkpointIntervalMs === undefined ? {} : { directory, checkpointIntervalMs }),
      })
      return records
    })
    const checkpoints = checkpointIntervalMs === undefined ? 0 : checkpointsIn(directory)
    const latencies = id.startsWith('W5') ? { latencies: latencySummary(readLatencies(resultDirectory)) } : {}
    return { ...times, checkpoints, result: readResult(resultDirectory), peakRssBytes: peakRssBytes(), ...latencies }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Checkpoints have numbers from 1; old ones are removed, so the last tells how many there were. */
function checkpointsIn(directory: string): number {
  const numbers = readdirSync(join(directory, 'checkpoints')).map(name => Number.parseInt(name, 10))
  return Math.max(0, ...numbers.filter(Number.isFinite))
}

async function floorPass({ id, floor, records, wallSecondsMin }: FloorRequest): Promise<TimedPass> {
  const program = workloadOf(id)?.floors[floor]
  if (program === undefined) throw new Error(`${id} has no floor`)
  const started = performance.now()
  let result: PassResult | undefined
  const times = await timed(async () => {
    let done = 0
    do {
      const { rows, sum } = program(records)
      if (result !== undefined && (result.rows !== rows || result.sum !== sum))
        throw new Error(`${id}, ${floor} floor: ${rows} rows summing to ${sum} behind a pass with others`)
      result = { rows, sum }
      done += records
    } while (performance.now() - started < wallSecondsMin * 1000)
    return done
  })
  return { ...times, checkpoints: 0, result: result as PassResult, peakRssBytes: peakRssBytes() }
}

function oracle({ id, records, splits }: OracleRequest): PassResult {
  const workload = workloadOf(id)
  if (workload === undefined) throw new Error(`${id} has no oracle`)
  return workload.oracle({ records, splits })
}

async function answer(request: ProgramRequest): Promise<TimedPass> {
  if (request.kind === 'engine') return enginePass(request)
  if (request.kind === 'floor') return floorPass(request)
  const { records } = request
  return { records, cpuSeconds: 0, wallSeconds: 0, checkpoints: 0, result: oracle(request), peakRssBytes: 0 }
}

process.on('message', (request: ProgramRequest) => {
  answer(request).then(
    pass => process.send?.({ pass }),
    (error: unknown) =>
      process.send?.({ failure: error instanceof Error ? (error.stack ?? error.message) : `${error}` }),
  )
})
