// Runs the job in threads and kills these at random moments, again and again, until there were enough kills; then lets it come to its end.
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { BroadcastChannel } from 'node:worker_threads'
import type { Prng } from '../../src/base/prng.ts'
import type { JobHandle } from '../../src/entry/index.ts'
import { limitedEnvironment } from '../integration/threads/support/limited-threads.ts'
import { DEATHS, type Death, job, ORDERS, type Order, type SoakSettings } from './soak-job.ts'

const JOB_URL = new URL('./soak-job.ts', import.meta.url)
const THREADS = 2
const PARALLELISM = 4
/** So that an endless loop is found in time, and threads run out of memory before the machine does. */
const LIMITS = { silenceMsMax: 3000, resources: { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 16 } }
/** A thread that was not there to hear its order is told again after so long. */
const DEATH_MS_MAX = 15_000
/** In so many orders of a hundred both threads get one at the same moment. */
const BOTH_PERCENT = 15
/** Of ten orders: those in a row that have a death of their own; the others are exits. */
const OTHER_DEATHS: readonly Death[] = ['throw', 'memory', 'exit-in-function', 'silence', 'exit-in-function', 'throw']

/** What to do. */
export interface SoakInit {
  readonly folder: string
  readonly records: number
  readonly recordsPerSecond: number
  readonly kills: number
  /** From one kill to the next, on the average. */
  readonly pauseMs: number
  readonly prng: Prng
  /** Is told how many threads were lost so far. */
  onKill(kills: number): void
}

/** What happened. */
export interface SoakReport {
  readonly kills: number
  /** By how they were to die. */
  readonly deaths: ReadonlyMap<Death, number>
  readonly restarts: number
}

/** Where a run of the name writes to. */
export function outputOf(folder: string, name: string): string {
  return join(folder, name, 'out')
}

/** Runs the job to its end without a kill, in one thread. */
export async function runUndisturbed(folder: string, records: number): Promise<void> {
  const { handle } = start({ folder, name: 'undisturbed', threads: 1, records, recordsPerSecond: 0 }, () => {})
  await handle
}

/** Kills threads of the job until there were enough kills. Rejects when the job fails, or ends before. */
export async function runKilled(init: SoakInit): Promise<SoakReport> {
  const { folder, records, recordsPerSecond } = init
  const watch = { lost: 0, restarts: 0 }
  const { handle } = start({ folder, name: 'killed', threads: THREADS, records, recordsPerSecond }, message => {
    if (message === 'a thread of the job was lost') watch.lost++
    if (message === 'the job runs again') watch.restarts++
  })
  const ending = new AbortController()
  const ended = handle.done.finally(() => ending.abort())
  const [deaths] = await Promise.all([killAll(init, watch, ending.signal), ended])
  return { kills: watch.lost, deaths, restarts: watch.restarts }
}

interface Watch {
  lost: number
  restarts: number
}

async function killAll(init: SoakInit, watch: Watch, ending: AbortSignal): Promise<ReadonlyMap<Death, number>> {
  const orders = new BroadcastChannel(ORDERS)
  const deaths = new Map<Death, number>(DEATHS.map(death => [death, 0]))
  try {
    for (let number = 0; watch.lost < init.kills; number++) {
      await sleep(init.prng.below(2 * init.pauseMs), undefined, { signal: ending })
      const death = deathOf(number)
      const lostBefore = watch.lost
      for (const thread of threadsToKill(init.prng)) orders.postMessage({ thread, death } satisfies Order)
      const untilMs = performance.now() + DEATH_MS_MAX
      while (watch.lost === lostBefore && performance.now() < untilMs) await sleep(10, undefined, { signal: ending })
      deaths.set(death, (deaths.get(death) ?? 0) + watch.lost - lostBefore)
      init.onKill(watch.lost)
    }
  } catch (error) {
    if (ending.aborted) throw new Error(`the job ended after ${watch.lost} of ${init.kills} kills`, { cause: error })
    throw error
  } finally {
    orders.close()
  }
  return deaths
}

function deathOf(number: number): Death {
  const inTen = number % 10
  return OTHER_DEATHS[inTen] ?? 'exit'
}

function threadsToKill(prng: Prng): readonly number[] {
  const all = Array.from({ length: THREADS }, (_, index) => index + 1)
  return prng.below(100) < BOTH_PERCENT ? all : [1 + prng.below(THREADS)]
}

interface Started {
  readonly folder: string
  readonly name: string
  readonly threads: number
  readonly records: number
  readonly recordsPerSecond: number
}

function start({ folder, name, threads, ...rest }: Started, onLog: (message: string) => void): { handle: JobHandle } {
  const logger = { log: (_level: string, message: string) => onLog(message) }
  const env = limitedEnvironment(LIMITS, PARALLELISM, logger)
  const settings: SoakSettings = { ...rest, output: outputOf(folder, name) }
  const args = [JSON.stringify(settings)]
  job(env, args)
  const threaded = { count: threads, jobUrl: JOB_URL.href, args, parallelism: PARALLELISM }
  return {
    handle: env.execute('soak', {
      directory: join(folder, name, 'job'),
      ...(threads > 1 ? { threads: threaded } : {}),
    }),
  }
}
