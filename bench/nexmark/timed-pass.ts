// One pass of a query over events in memory, in CPU seconds of the process, with the share of time that garbage collection took.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PerformanceObserver } from 'node:perf_hooks'
import { environment, type Sink } from 'millrace'
import type { NexmarkQuery } from './query.ts'
import { type EventList, readEvents } from './streams.ts'

/** How a pass runs. */
export interface PassOptions {
  readonly events: EventList
  /** How often a checkpoint is taken; never unless given. */
  readonly checkpointIntervalMs?: number
}

/** What a pass came to. */
export interface TimedPass {
  readonly cpuSeconds: number
  readonly wallSeconds: number
  /** Pauses for garbage collection, of the time by the clock: from 0 to 1. */
  readonly gcShare: number
  readonly rows: number
  readonly checkpoints: number
}

/** What was measured of a function. */
export type Timed<R> = Pick<TimedPass, 'cpuSeconds' | 'wallSeconds' | 'gcShare'> & { readonly result: R }

/** Keeps the last row, so that no compiler may leave rows unmade. */
class LastRow implements Sink<unknown> {
  row: unknown

  open(): { write(row: unknown): void; close(): void } {
    return {
      write: row => {
        this.row = row
      },
      close: () => {},
    }
  }
}

/** Runs the query once. Throws when records came too late. */
export async function timedPass(query: NexmarkQuery, options: PassOptions): Promise<TimedPass> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-nexmark-'))
  try {
    const { result, ...times } = await timed(() => runQuery(query, directory, options))
    const checkpoints = options.checkpointIntervalMs === undefined ? 0 : newestCheckpoint(directory)
    return { ...times, rows: result, checkpoints }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

async function runQuery(query: NexmarkQuery, directory: string, options: PassOptions): Promise<number> {
  const { events, checkpointIntervalMs } = options
  const env = environment({ parallelism: 1 })
  if (checkpointIntervalMs !== undefined) env.enableCheckpointing(checkpointIntervalMs)
  const output = query.build(readEvents(env, events), env)
  if (query.writesFiles === true) output.writeToFiles(join(directory, 'rows'), { encode: 'json' })
  else output.addSink(new LastRow())
  const job = env.execute(query.id, { directory })
  const { recordsOut } = await job
  const late = job.metrics().vertices.reduce((sum, vertex) => sum + vertex.lateRecordsDropped, 0)
  if (late > 0) throw new Error(`${query.id}: ${late} records were dropped as late`)
  return recordsOut
}

/** Measures a function. */
export async function timed<R>(run: () => R | Promise<R>): Promise<Timed<R>> {
  let gcMs = 0
  const observer = new PerformanceObserver(list => {
    for (const entry of list.getEntries()) gcMs += entry.duration
  })
  observer.observe({ entryTypes: ['gc'] })
  const cpuBefore = process.cpuUsage()
  const wallBefore = performance.now()
  const result = await run()
  const { user, system } = process.cpuUsage(cpuBefore)
  const wallMs = performance.now() - wallBefore
  // Entries reach the observer in a later turn.
  await new Promise(resolve => setImmediate(resolve))
  observer.disconnect()
  return { cpuSeconds: (user + system) / 1e6, wallSeconds: wallMs / 1000, gcShare: gcMs / wallMs, result }
}

function newestCheckpoint(directory: string): number {
  const numbers = readdirSync(join(directory, 'checkpoints')).map(name => Number.parseInt(name, 10))
  return Math.max(0, ...numbers.filter(Number.isFinite))
}
