// The golden job of format 1: a step for every kind of state that this format keeps. It stays as it is, since its snapshots do.

import type { Files } from '../../../../src/base/storage.ts'
import { transactionalFileSink } from '../../../../src/connectors/file/transactional-file-sink.ts'
import { portableTable } from '../../../../src/connectors/portable.ts'
import { connectorResolver } from '../../../../src/connectors/resolver.ts'
import type { ConnectorResolver } from '../../../../src/model/connector.ts'
import type { Graph } from '../../../../src/model/graph.ts'
import type { VirtualClock } from '../../../../src/runtime/simulated-scheduler.ts'
import { graphOf } from '../../../simulation/support/simulated-job.ts'
import type { GoldenJob } from '../golden-run.ts'
import { Ledger, readInOrder } from './input.ts'
import { connectedSteps, declaredStateSteps, rollingSteps, START_MS } from './state-steps.ts'
import { countWindowSteps, joinSteps, timeWindowSteps } from './window-steps.ts'

const RESULTS_DIRECTORY = 'results'
const MAX_PARALLELISM = 4

/** The job at some parallelism. */
function goldenGraph(parallelism: number, clock: VirtualClock, ledger: Ledger): Graph {
  return graphOf('golden', parallelism, env => {
    env.setMaxParallelism(MAX_PARALLELISM)
    const [first, ...others] = [
      ...declaredStateSteps(env),
      ...rollingSteps(env),
      ...connectedSteps(env, clock),
      ...timeWindowSteps(env),
      ...countWindowSteps(env),
      ...joinSteps(env),
    ]
    if (first === undefined) throw new Error('the golden job has no step')
    first
      .union(...others)
      .addSink(ledger.sink, { delivery: 'transactional' })
      .uid('ledger')
      .setParallelism(1)
    readInOrder(env, 'files', { salt: 9 })
      .map(({ n }) => `file ${n}`)
      .writeToFiles(RESULTS_DIRECTORY, { rollBytes: 30 })
      .uid('files')
      .setParallelism(1)
  })
}

/** The connectors that come with the library, with the file sink on the given files. */
function goldenConnectors(files: Files): ConnectorResolver {
  const table = portableTable('the golden job', { text: { write: () => {} } })
  const sinks = {
    ...table.sinks,
    'file-directory': spec => transactionalFileSink(spec, { files, pathOf: directory => directory }),
  } satisfies typeof table.sinks
  return connectorResolver({ ...table, sinks })
}

/** All that the snapshots of this format are run with. */
export const GOLDEN_JOB: GoldenJob<Ledger> = {
  name: 'golden',
  startMs: START_MS,
  parallelism: 2,
  resultsDirectory: RESULTS_DIRECTORY,
  ledger: name => new Ledger(name),
  graph: goldenGraph,
  connectors: goldenConnectors,
}
