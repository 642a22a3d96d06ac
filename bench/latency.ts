// W5: how long an update takes from when its record was due to when it is at the sink, at a fixed rate with checkpoints on. A record that has
// to wait carries the time at which it was due, so a stall counts for every record that it held up.

import { LATENCY_RECORDS_PER_SECOND } from './jobs.ts'
import type { Latencies } from './latencies.ts'
import { WARM_UP_MS } from './latencies.ts'
import { check, type Row } from './measure.ts'
import { BenchProcess } from './processes.ts'

/** A row of W5. It has no ratio: a rate is given, not reached. */
export interface LatencyRow extends Row {
  readonly keys: number
  readonly latencyMs: Latencies
}

/** What is measured. */
export interface LatencyEffort {
  /** Behind the warm-up. */
  readonly seconds: number
  readonly threads: readonly number[]
}

const SETUPS = [
  { id: 'W5-10k', keys: 10_000 },
  { id: 'W5-1M', keys: 1_000_000 },
] as const

/** Measures each number of keys with each number of threads. Rejects when a sum is wrong. */
export async function measureLatency({ seconds, threads }: LatencyEffort): Promise<readonly LatencyRow[]> {
  const rows: LatencyRow[] = []
  for (const threadCount of threads) {
    for (const setup of SETUPS) rows.push(await latencyRow(setup, threadCount, seconds))
  }
  return rows
}

async function latencyRow(
  { id, keys }: (typeof SETUPS)[number],
  threads: number,
  seconds: number,
): Promise<LatencyRow> {
  using program = new BenchProcess()
  const records = Math.round((seconds + WARM_UP_MS / 1000) * LATENCY_RECORDS_PER_SECOND)
  const expected = await program.run({ kind: 'oracle', id, records, splits: threads })
  const pass = await program.run({ kind: 'engine', id, records, threads, checkpointIntervalMs: 1000 })
  check(`${id}, millrace`, pass.result, expected.result)
  const { cpuSeconds, wallSeconds, checkpoints, peakRssBytes, latencies } = pass
  return {
    workload: 'W5',
    engine: 'millrace',
    threads,
    records,
    cpuSeconds,
    recordsPerCpuSecond: records / cpuSeconds,
    floorRecordsPerCpuSecond: null,
    ratio: null,
    wallSeconds,
    peakRssBytes,
    checkpoints,
    sum: pass.result.sum,
    keys,
    latencyMs: latencies as Latencies,
  }
}
