// A launcher for tests: runs what the DataStream API built under one seed of the simulated scheduler, and keeps what the run came to.
import { portableConnectors } from '../../../src/connectors/portable.ts'
import type { CheckpointOptions } from '../../../src/model/checkpoint-options.ts'
import type { Graph } from '../../../src/model/graph.ts'
import type { JobHandle, JobLauncher, JobResult } from '../../../src/model/job.ts'
import { explainGraph } from '../../../src/plan/explain.ts'
import {
  type SimulatedJob,
  type SimulatedRun,
  type SimulateOptions,
  simulateRun,
} from '../../../src/testing/simulate.ts'

const connectors = portableConnectors({ text: { write: () => {} } })

/** Runs jobs in virtual time. */
export class SimulatedLauncher implements JobLauncher {
  readonly defaultParallelism: number
  /** The runs that ended, in the order started. */
  readonly runs: SimulatedRun[] = []
  private readonly options: SimulateOptions

  constructor(parallelism: number, options: SimulateOptions) {
    this.defaultParallelism = parallelism
    this.options = options
  }

  launch(graph: Graph): JobHandle {
    let job: SimulatedJob | undefined
    const onStart = (started: SimulatedJob): void => {
      job = started
      this.options.onStart?.(started)
    }
    const done = simulateRun(graph, { connectors, ...this.options, onStart }).then((run): JobResult => {
      this.runs.push(run)
      return run.result
    })
    const ended = done.then(
      () => {},
      () => {},
    )
    const cancel = async (): Promise<void> => {
      job?.cancel()
      await ended
    }
    return {
      name: graph.name,
      done,
      // biome-ignore lint/suspicious/noThenProperty: a handle can be awaited for the end of its job.
      then: (onDone, onFailed) => done.then(onDone, onFailed),
      cancel,
      stop: async () => {
        job?.stop()
        await ended
      },
      drain: async () => {
        job?.stop('drain')
        await ended
      },
      checkpoint: () => Promise.reject(new Error('these runs take no checkpoints')),
      savepoint: () => Promise.reject(new Error('these runs take no checkpoints')),
      metrics: () => (job as SimulatedJob).metrics(),
      explainNoOutput: () => (job as SimulatedJob).explainNoOutput(),
      [Symbol.asyncDispose]: cancel,
    }
  }

  explain(graph: Graph, checkpoints?: CheckpointOptions): { text: string; json: unknown } {
    const checkpointMode = checkpoints?.mode
    return explainGraph(graph, { showLocations: false, channelCapacityRecords: 1024, checkpointMode })
  }
}
