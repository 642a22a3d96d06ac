// Runs a job in this process, on this thread. What it needs of the platform it is given, so it works in Node and in a browser tab.
import type { Clock } from '../../base/clock.ts'
import { StreamError } from '../../base/errors.ts'
import type { EventLoop } from '../../base/event-loop.ts'
import type { Logger } from '../../base/logger.ts'
import type { ConnectorResolver } from '../../model/connector.ts'
import type { Graph } from '../../model/graph.ts'
import type {
  CancelSignal,
  JobHandle,
  JobLauncher,
  JobMetrics,
  JobResult,
  LaunchOptions,
  NoOutput,
} from '../../model/job.ts'
import { explainGraph } from '../../plan/explain.ts'
import { planGraph } from '../../plan/plan.ts'
import { CHANNEL_CAPACITY_RECORDS_DEFAULT } from '../../runtime/deployment.ts'
import { EventLoopScheduler } from '../../runtime/event-loop-scheduler.ts'
import { JobRun } from '../../runtime/job-run.ts'

/** What a platform brings. */
export interface Platform {
  readonly clock: Clock
  readonly eventLoop: EventLoop
  readonly logger: Logger
}

/** What a local launcher is made of. */
export interface LocalLauncherInit {
  readonly platform: Platform
  readonly connectors: ConnectorResolver
  /** The parallelism of steps that do not say their own. */
  readonly defaultParallelism: number
}

/** A launcher that runs every task of a job in the calling thread. */
export function localLauncher(init: LocalLauncherInit): JobLauncher {
  return {
    defaultParallelism: init.defaultParallelism,
    launch: (graph, options = {}) => new LocalJob(init, graph, options),
    explain: graph =>
      explainGraph(graph, { showLocations: true, channelCapacityRecords: CHANNEL_CAPACITY_RECORDS_DEFAULT }),
  }
}

class LocalJob implements JobHandle {
  readonly name: string
  readonly done: Promise<JobResult>
  private readonly run: JobRun

  constructor(init: LocalLauncherInit, graph: Graph, options: LaunchOptions) {
    const { clock, eventLoop, logger } = init.platform
    this.name = graph.name
    this.run = new JobRun({
      plan: planGraph(graph),
      connectors: init.connectors,
      clock,
      logger,
      scheduler: new EventLoopScheduler(eventLoop, clock),
      seed: Math.trunc(clock.monotonicMs() * 1000),
      channelCapacityRecords: channelCapacity(options),
    })
    this.done = runUntilAborted(this.run, options.signal)
  }

  // biome-ignore lint/suspicious/noThenProperty: a handle can be awaited for the end of its job, as documented in model/job.ts.
  then<A = JobResult, B = never>(
    onDone?: ((result: JobResult) => A | PromiseLike<A>) | null,
    onFailed?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.done.then(onDone, onFailed)
  }

  async cancel(): Promise<void> {
    this.run.cancel()
    await this.ended()
  }

  async stop(): Promise<void> {
    this.run.stop()
    await this.ended()
  }

  // Who stops or cancels is told of a failure by `done`, if waiting for it; a failure that nobody asks for stays unhandled, and loud.
  private ended(): Promise<void> {
    return this.done.then(ignore, ignore)
  }

  metrics(): JobMetrics {
    return this.run.metrics()
  }

  explainNoOutput(): readonly NoOutput[] {
    return this.run.explainNoOutput()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cancel()
  }
}

async function runUntilAborted(run: JobRun, signal: CancelSignal | undefined): Promise<JobResult> {
  const onAbort = (): void => run.cancel()
  if (signal?.aborted === true) run.cancel()
  signal?.addEventListener('abort', onAbort)
  try {
    return await run.run()
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}

function channelCapacity(options: LaunchOptions): number {
  const records = options.channelCapacityRecords ?? CHANNEL_CAPACITY_RECORDS_DEFAULT
  if (Number.isInteger(records) && records >= 1) return records
  throw new StreamError('OPTION_INVALID', `channelCapacityRecords is ${records}; give a whole number from 1`)
}

function ignore(): void {}
