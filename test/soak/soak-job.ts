// The job that runs for long while its threads are killed: it counts records by key and writes each count. Threads import this module; in them
// it listens for what is to happen to them.
import { BroadcastChannel, isMainThread, workerData } from 'node:worker_threads'
import { fixedDelay, type StreamEnvironment } from '../../src/entry/index.ts'
import { KEYS } from '../integration/kill/kill-settings.ts'

/** How a thread is lost: `exit` and `throw` at once or within a function, `memory` and `silence` within one. */
export const DEATHS = ['exit', 'exit-in-function', 'throw', 'memory', 'silence'] as const
export type Death = (typeof DEATHS)[number]

/** What is sent to all threads. */
export interface Order {
  readonly thread: number
  readonly death: Death
}

/** The name of the channel that orders go through. */
export const ORDERS = 'millrace-soak'

/** What the job is told. */
export interface SoakSettings {
  readonly records: number
  /** 0: as fast as it goes. */
  readonly recordsPerSecond: number
  readonly output: string
}

const RESTARTS_MAX = 1_000_000
const CHECKPOINT_INTERVAL_MS = 100
const RESTART_DELAY_MS = 5

/** What happens with the next record. */
let pending: Death | undefined

if (!isMainThread) {
  const { thread } = workerData as { readonly thread: number }
  const orders = new BroadcastChannel(ORDERS)
  orders.onmessage = message => {
    const order = (message as { readonly data: Order }).data
    if (order.thread === thread) obey(order.death)
  }
  orders.unref()
}

function obey(death: Death): void {
  if (death === 'exit') process.exit(9)
  if (death === 'throw') throw new Error('nobody catches this')
  pending = death
}

function die(death: Death): void {
  if (death === 'silence') for (;;) JSON.stringify(death)
  if (death === 'memory') {
    const all: unknown[] = []
    for (;;) all.push(Array.from({ length: 10_000 }, (_, n) => ({ n })))
  }
  process.exit(9)
}

/** `args`: the settings as JSON. */
export function job(env: StreamEnvironment, args: readonly string[]): void {
  const { records, recordsPerSecond, output } = JSON.parse(args[0] ?? '') as SoakSettings
  const rate = recordsPerSecond > 0 ? { recordsPerSecond } : {}
  env.enableCheckpointing(CHECKPOINT_INTERVAL_MS)
  env.setRestartStrategy(fixedDelay({ attempts: RESTARTS_MAX, delayMs: RESTART_DELAY_MS }))
  env
    .generate(index => ({ key: index % KEYS, count: 1 }), { count: records, ...rate })
    .uid('numbers')
    .keyBy('key')
    .sum('count')
    .uid('counts')
    .map(({ key, count }) => {
      if (pending !== undefined) die(pending)
      return `${key} ${count}`
    })
    .writeToFiles(output)
    .uid('out')
}
