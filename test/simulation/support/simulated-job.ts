// A job of the DataStream API as the simulator takes it: how its graph is made, what its results are, and what must hold of them.
import { StreamEnvironment } from '../../../src/api/datastream/environment.ts'
import type { Files } from '../../../src/base/storage.ts'
import { transactionalFileSink } from '../../../src/connectors/file/transactional-file-sink.ts'
import { portableTable } from '../../../src/connectors/portable.ts'
import { connectorResolver } from '../../../src/connectors/resolver.ts'
import type { ConnectorResolver, Sink } from '../../../src/model/connector.ts'
import type { Graph } from '../../../src/model/graph.ts'
import type { JobHandle, JobLauncher } from '../../../src/model/job.ts'
import type { VirtualClock } from '../../../src/runtime/simulated-scheduler.ts'
import type { SimulatedJobInit } from '../../../src/testing/simulation/simulate-job.ts'
import { transactionalCollection } from '../../../src/testing/simulation/transactional-collection.ts'

/** What a job writes to, and what its functions can reach. */
export interface JobOutput {
  /** To be added with `TRANSACTIONAL`. */
  readonly sink: Sink<string>
  readonly clock: VirtualClock
  /** Says that something is wrong, whatever the results. */
  report(mistake: string): void
}

/** A job whose results, as texts, do not depend on the order of steps. */
export interface SimulatedJob {
  readonly name: string
  build(env: StreamEnvironment, out: JobOutput): void
  /** What is wrong with the order of the records of one transaction, in words. */
  readonly checkOrder?: (records: readonly string[]) => string | undefined
  /** Results from elsewhere than the sink, checks, and settings. */
  readonly options?: Partial<SimulatedJobInit>
}

/** The settings of the sink of a job's output. */
export const TRANSACTIONAL = { delivery: 'transactional' } as const

/** The simulator's view of a job. */
export function initOf(job: SimulatedJob, seed: number): SimulatedJobInit {
  const out = transactionalCollection<string>()
  const reports: string[] = []
  const output = { sink: out.sink, report: (mistake: string) => reports.push(mistake) }
  return {
    graph: (parallelism, clock) => graphOf(job.name, parallelism, env => job.build(env, { ...output, clock })),
    connectors,
    results: () => out.records,
    reset: () => {
      out.clear()
      reports.length = 0
    },
    seed,
    repeat: `npm run test:sim -- --seeds 1 --first-seed ${seed} --job "${job.name}"`,
    checkOrder: () =>
      [...reports, ...out.transactions.map(records => job.checkOrder?.(records))].find(text => text !== undefined),
    ...job.options,
  }
}

/** The graph of what the function builds. */
export function graphOf(name: string, parallelism: number, build: (env: StreamEnvironment) => void): Graph {
  let graph: Graph | undefined
  const launcher: JobLauncher = {
    defaultParallelism: parallelism,
    launch: launched => {
      graph = launched
      return undefined as unknown as JobHandle
    },
    explain: () => ({ text: '', json: {} }),
  }
  const env = new StreamEnvironment(launcher)
  build(env)
  env.execute(name)
  return graph as unknown as Graph
}

/** The portable connectors, and the file sink on the simulated disk. */
function connectors(files: Files): ConnectorResolver {
  const table = portableTable('the simulator', { text: { write: () => {} } })
  const pathOf = (directory: string): string => directory
  const sinks = {
    ...table.sinks,
    'file-directory': spec => transactionalFileSink(spec, { files, pathOf }),
  } satisfies typeof table.sinks
  return connectorResolver({ ...table, sinks })
}
