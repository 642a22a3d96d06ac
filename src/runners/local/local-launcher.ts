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
  SnapshotInfo,
  ThreadedJob,
} from '../../model/job.ts'
import { explainGraph } from '../../plan/explain.ts'
import type { PhysicalPlan } from '../../plan/physical-plan.ts'
import { planGraph } from '../../plan/plan.ts'
import type { Crew } from '../../runtime/crew.ts'
import { CHANNEL_CAPACITY_RECORDS_DEFAULT } from '../../runtime/deployment.ts'
import { EventLoopScheduler } from '../../runtime/event-loop-scheduler.ts'
import { JobRun } from '../../runtime/job-run.ts'
import { type OpenDirectory, type OpenRecovery, openRecovery } from './local-recovery.ts'

/** What a platform brings. */
export interface Platform {
  readonly clock: Clock
  readonly eventLoop: EventLoop
  readonly logger: Logger
  /** Opens what outlasts a job. */
  readonly openDirectory: OpenDirectory
}

/** What a local launcher is made of. */
export interface LocalLauncherInit {
  readonly platform: Platform
  readonly connectors: ConnectorResolver
  /** The parallelism of steps that do not say their own. */
  readonly defaultParallelism: number
  /** Starts other threads for a job; where there is none, jobs run in the calling thread alone. */
  readonly openCrew?: OpenCrew
}

/** What other threads of a job are started with. */
export interface CrewPlace {
  readonly plan: PhysicalPlan
  readonly threads: ThreadedJob
  /** The directory of the job, and its storage if that is elsewhere; undefined for a job that takes no snapshots. */
  readonly storage: { readonly directory: string; readonly url: string | undefined } | undefined
  readonly channelCapacityRecords: number
  readonly seed: number
  /** Steps of the calling thread go on. */
  readonly wake: () => void
}

/** The other threads of a job, until they are ended. */
export interface OpenedCrew extends Crew {
  end(): Promise<void>
}

/** Undefined where the job has no use for other threads. */
export type OpenCrew = (place: CrewPlace) => OpenedCrew | undefined

/** A launcher that runs every task of a job in the calling thread. */
export function localLauncher(init: LocalLauncherInit): JobLauncher {
  return {
    defaultParallelism: init.defaultParallelism,
    launch: (graph, options = {}) => new LocalJob(init, graph, options),
    explain: (graph, checkpoints) =>
      explainGraph(graph, {
        showLocations: true,
        channelCapacityRecords: CHANNEL_CAPACITY_RECORDS_DEFAULT,
        checkpointMode: checkpoints?.mode,
      }),
  }
}

class LocalJob implements JobHandle {
  readonly name: string
  readonly done: Promise<JobResult>
  private readonly init: LocalLauncherInit
  private readonly options: LaunchOptions
  private readonly plan: PhysicalPlan
  private readonly channelCapacityRecords: number
  private run: JobRun | undefined
  private recovery: OpenRecovery | undefined
  /** What was asked for before the job ran. */
  private pending: ((run: JobRun) => void)[] = []

  constructor(init: LocalLauncherInit, graph: Graph, options: LaunchOptions) {
    this.init = init
    this.options = options
    this.name = graph.name
    this.plan = planGraph(graph)
    this.channelCapacityRecords = channelCapacity(options)
    this.done = this.runToEnd()
  }

  // biome-ignore lint/suspicious/noThenProperty: a handle can be awaited for the end of its job, as documented in model/job.ts.
  then<A = JobResult, B = never>(
    onDone?: ((result: JobResult) => A | PromiseLike<A>) | null,
    onFailed?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.done.then(onDone, onFailed)
  }

  async cancel(): Promise<void> {
    this.ask(run => run.cancel())
    await this.ended()
  }

  async stop(): Promise<void> {
    this.ask(run => run.stop())
    await this.ended()
  }

  async drain(): Promise<void> {
    this.ask(run => run.stop('drain'))
    await this.ended()
  }

  async checkpoint(): Promise<SnapshotInfo> {
    const { id } = await this.snapshot('checkpoint')
    return { id, kind: 'checkpoint', location: this.recovery?.location ?? '' }
  }

  async savepoint(directory?: string): Promise<SnapshotInfo> {
    const manifest = await this.snapshot('savepoint')
    const location = await (this.recovery as OpenRecovery).writeSavepoint(manifest, directory)
    return { id: manifest.id, kind: 'savepoint', location }
  }

  metrics(): JobMetrics {
    if (this.run !== undefined) return this.run.metrics()
    return { recordsIn: 0, recordsOut: 0, watermark: -Infinity, backpressuredShare: 0, vertices: [], edges: [] }
  }

  explainNoOutput(): readonly NoOutput[] {
    return this.run?.explainNoOutput() ?? []
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cancel()
  }

  // Who stops or cancels is told of a failure by `done`, if waiting for it; a failure that nobody asks for stays unhandled, and loud.
  private ended(): Promise<void> {
    return this.done.then(ignore, ignore)
  }

  private ask(request: (run: JobRun) => void): void {
    if (this.run === undefined) this.pending.push(request)
    else request(this.run)
  }

  private snapshot(kind: 'checkpoint' | 'savepoint'): ReturnType<JobRun['snapshot']> {
    return new Promise((resolve, reject) => {
      this.ask(run => run.snapshot(kind).then(resolve, reject))
      // A job that ended takes no snapshot any more.
      const mend = 'take snapshots of a job that runs'
      const failed = (): void =>
        reject(new StreamError('CHECKPOINT_FAILED', `the job "${this.name}" has ended; ${mend}`))
      this.done.then(failed, failed)
    })
  }

  private async runToEnd(): Promise<JobResult> {
    const { init, options, plan } = this
    const { clock, eventLoop, logger } = init.platform
    // Without checkpoints nothing is waited for before the job starts.
    if (options.checkpoints !== undefined) {
      this.recovery = await openRecovery({ ...init.platform, pause: () => pause(eventLoop) }, plan, {
        ...options,
        checkpoints: options.checkpoints,
      })
    }
    const scheduler = new EventLoopScheduler(eventLoop, clock)
    const seed = Math.trunc(clock.monotonicMs() * 1000)
    const crew = this.openCrew(seed, () => scheduler.wake())
    try {
      const run = new JobRun({
        plan,
        connectors: init.connectors,
        clock,
        logger,
        scheduler,
        seed,
        channelCapacityRecords: this.channelCapacityRecords,
        recovery: this.recovery?.init,
        crew,
      })
      this.run = run
      for (const request of this.pending.splice(0)) request(run)
      await this.recovery?.serve(this)
      return await runUntilAborted(run, options.signal)
    } finally {
      await crew?.end()
      await this.recovery?.close()
    }
  }

  private openCrew(seed: number, wake: () => void): OpenedCrew | undefined {
    const { init, options, plan, channelCapacityRecords, recovery } = this
    if (options.threads === undefined) return undefined
    const storage = recovery && { directory: recovery.location, url: options.storage }
    return init.openCrew?.({ plan, threads: options.threads, storage, channelCapacityRecords, seed, wake })
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

/** Lets others have their turn between slices of long work. */
function pause(eventLoop: EventLoop): Promise<void> {
  return new Promise(resolve => eventLoop.defer(resolve))
}

function ignore(): void {}
