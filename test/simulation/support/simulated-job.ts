// A job of the DataStream API as a graph for the simulator.
import { StreamEnvironment } from '../../../src/api/datastream/environment.ts'
import { portableConnectors } from '../../../src/connectors/portable.ts'
import type { Graph } from '../../../src/model/graph.ts'
import type { JobHandle, JobLauncher } from '../../../src/model/job.ts'
import type { SimulatedJobInit } from '../../../src/testing/simulation/simulate-job.ts'
import {
  type TransactionalCollection,
  transactionalCollection,
} from '../../../src/testing/simulation/transactional-collection.ts'

/** A job that writes texts, and what the simulator has to know of it. */
export interface SimulatedJob {
  readonly name: string
  build(env: StreamEnvironment, out: TransactionalCollection<string>): void
  readonly options?: Partial<SimulatedJobInit>
}

/** The simulator's view of a job. */
export function initOf(job: SimulatedJob, seed: number): SimulatedJobInit {
  const out = transactionalCollection<string>()
  return {
    graph: parallelism => graphOf(job.name, parallelism, env => job.build(env, out)),
    connectors: () => portableConnectors({ text: { write: () => {} } }),
    results: () => out.records,
    reset: () => out.clear(),
    seed,
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
