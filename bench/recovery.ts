// Recovery with a million keys of state: a map throws at three quarters of the records, and the job goes on from its newest checkpoint. The
// time is that from the throw to the first record at the sink of the new attempt; the state at the end must be that of a run without the failure.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environment, fixedDelay, seconds } from 'millrace'
import { nextState, pick } from './workloads.ts'

const KEYS = 1_000_000

interface Reading {
  readonly key: number
  readonly value: number
}

interface Recovery {
  readonly recoveryMs: number
  /** Records of the failed attempt that were read again. */
  readonly replayed: number
}

/** One run that fails once; throws unless its state at the end is right. */
async function recover(records: number): Promise<Recovery> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  const env = environment({ parallelism: 1 })
  env.enableCheckpointing(seconds(1)).setRestartStrategy(fixedDelay({ attempts: 1, delayMs: 0 }))
  // A position in the sequence gives its key, so that a source that goes back gives the same records.
  const keyAt = (index: number): number => pick(nextState(Math.imul(index, 0x9e3779b1)), KEYS)
  const totals = new Float64Array(KEYS)
  let failedAtMs = 0
  let firstIndex = -1
  let recoveredAtMs = 0
  env
    .generate(
      (index): Reading => {
        if (failedAtMs > 0 && firstIndex < 0) firstIndex = index
        if (failedAtMs === 0 && index === Math.floor(records * 0.75)) {
          failedAtMs = performance.now()
          throw new Error('as planned')
        }
        return { key: keyAt(index), value: 1 }
      },
      { count: records },
    )
    .keyBy('key')
    .sum('value')
    .addSink({
      open: () => ({
        write: ({ key, value }) => {
          if (failedAtMs > 0 && recoveredAtMs === 0) recoveredAtMs = performance.now()
          totals[key] = value
        },
        close: () => {},
      }),
    })
  await env.execute('recovery', { directory })
  rmSync(directory, { recursive: true })
  const expected = new Float64Array(KEYS)
  for (let index = 0; index < records; index++) expected[keyAt(index)] = (expected[keyAt(index)] as number) + 1
  const wrong = totals.findIndex((total, key) => total !== expected[key])
  if (wrong >= 0) throw new Error(`key ${wrong} has ${totals[wrong]}, expected ${expected[wrong]}`)
  return { recoveryMs: recoveredAtMs - failedAtMs, replayed: Math.floor(records * 0.75) - firstIndex }
}

/** Measures and prints. */
export async function reportRecovery(isQuick: boolean): Promise<void> {
  const runs: Recovery[] = []
  for (let run = 0; run < (isQuick ? 2 : 5); run++) runs.push(await recover(12_000_000))
  const sorted = runs.map(({ recoveryMs }) => recoveryMs).sort((a, b) => a - b)
  const text = sorted.map(ms => ms.toFixed(0)).join(', ')
  console.log(
    `\nRecovery of ${KEYS} keys of state, ms from the failure to the first record at the sink: ${text} (aim 1000)`,
  )
  console.log(
    `records read again: ${runs.map(({ replayed }) => replayed).join(', ')}; the state at the end is right in all runs`,
  )
}
