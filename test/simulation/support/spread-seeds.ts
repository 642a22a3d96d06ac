// Deals seeds out to as many processes as there are cores.
import { type ChildProcess, fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { addReports, EMPTY_REPORT, type SeedReport, type WrongSeed } from './seed-report.ts'

/** Seeds of one job. */
export interface SeedBatch {
  readonly job: string
  readonly seeds: readonly number[]
}

/** What is to be run. */
export interface SeedRange {
  /** Of all jobs together. */
  readonly seeds: number
  readonly first: number
  readonly jobs: readonly string[]
}

const BATCH = 10
/** The worker's file, from the project's folder. */
export const WORKER_FILE = 'test/simulation/support/worker.ts'
const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url))

/** The batches of a range: the jobs in turn get the seeds from the first on. */
export function batchesOf({ seeds, first, jobs }: SeedRange): readonly SeedBatch[] {
  return jobs.flatMap((job, index) => {
    const count = Math.ceil((seeds - index) / jobs.length)
    const own = Array.from({ length: Math.max(0, count) }, (_, n) => first + n)
    return Array.from({ length: Math.ceil(own.length / BATCH) }, (_, n) => ({
      job,
      seeds: own.slice(n * BATCH, (n + 1) * BATCH),
    }))
  })
}

/** Runs them all; `onBatch` hears of each batch. */
export async function spreadSeeds(
  range: SeedRange,
  onBatch: (report: SeedReport) => void = () => {},
): Promise<SeedReport> {
  const batches = [...batchesOf(range)]
  let total = EMPTY_REPORT
  const workers = Array.from({ length: Math.min(availableParallelism(), batches.length) }, () => startWorker(WORKER))
  try {
    await Promise.all(
      workers.map(async worker => {
        for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
          const report = await runBatch(worker, batch)
          total = addReports(total, report)
          onBatch(report)
        }
      }),
    )
  } finally {
    for (const worker of workers) worker.kill()
  }
  return total
}

/** The first seed of the range that is wrong, tried one batch after the other by a worker of whatever sources; undefined when none is. */
export async function firstWrong(worker: string, range: SeedRange): Promise<WrongSeed | undefined> {
  const child = startWorker(worker)
  try {
    for (const batch of batchesOf(range)) {
      const { wrong } = await runBatch(child, batch)
      if (wrong[0] !== undefined) return wrong[0]
    }
    return undefined
  } finally {
    child.kill()
  }
}

function startWorker(file: string): ChildProcess {
  return fork(file, { execArgv: ['--disable-warning=ExperimentalWarning'] })
}

function runBatch(worker: ChildProcess, batch: SeedBatch): Promise<SeedReport> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => {
      reject(new Error(`the process that ran ${batch.job}, seeds from ${batch.seeds[0]}, ended with ${code}`))
    }
    worker.once('exit', onExit)
    worker.once('message', report => {
      worker.off('exit', onExit)
      resolve(report as SeedReport)
    })
    worker.send(batch)
  })
}
