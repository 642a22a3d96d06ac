// A job with poison pills in the mode at-most-once, for threads: they import it. Its sink is in the main thread, which has this module once.
import { existsSync, writeFileSync } from 'node:fs'
import { fixedDelay, type StreamEnvironment } from '../../../../src/entry/index.ts'

/** How many records there are. */
export const RECORDS = 2400
/** The records that a map fails on; the last is that of the end. */
export const PILLS: readonly number[] = [0, 700, 701, 1500, 2399]
/** The records that a sink got, in order. */
export const written: number[] = []

/** `args`: whether there are pills; or a file that notes that a thread has died once. */
export function job(env: StreamEnvironment, [trouble = 'pills']: readonly string[]): void {
  const pills = new Set(trouble === 'pills' ? PILLS : [])
  env.enableCheckpointing(20, { mode: 'at-most-once' })
  env.setRestartStrategy(fixedDelay({ attempts: 100, delayMs: 1 }))
  env
    .generate(id => id, { count: RECORDS, recordsPerSecond: 6000 })
    .uid('numbers')
    .map(id => {
      if (pills.has(id)) throw new Error(`the pill ${id}`)
      if (trouble !== 'pills' && id === 700) dieOnce(trouble)
      return id
    })
    .keyBy(id => id % 7)
    .map(id => id)
    .addSink(id => void written.push(id))
    .setParallelism(1)
}

function dieOnce(flag: string): void {
  if (existsSync(flag)) return
  writeFileSync(flag, 'died')
  process.exit(7)
}
