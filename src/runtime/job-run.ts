// One run of a plan: opens its tasks, lets a scheduler step them, restarts those that fail from the newest checkpoint, and ends them
// whichever way the job ends.
import type { Clock } from '../base/clock.ts'
import { errorText, StreamError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { Prng } from '../base/prng.ts'
import type { CheckpointSettings } from '../model/checkpoint-options.ts'
import type { ConnectorResolver } from '../model/connector.ts'
import type { JobMetrics, JobResult, JobStatus, NoOutput } from '../model/job.ts'
import type { RestartStrategy } from '../model/restart-strategy.ts'
import { graphWarnings } from '../model/warnings.ts'
import type { EndMode } from '../operators/operator.ts'
import type { PhysicalPlan } from '../plan/physical-plan.ts'
import { RestartPolicy } from '../recovery/restart/restart-policy.ts'
import type { CheckpointStore } from '../recovery/snapshot/checkpoint-store.ts'
import { isDamage } from '../recovery/snapshot/damaged.ts'
import type { Manifest } from '../recovery/snapshot/manifest.ts'
import { Checkpointing } from './checkpointing.ts'
import type { Crew } from './crew.ts'
import type { Deployment, DeploymentInit } from './deployment.ts'
import type { Scheduler } from './event-loop-scheduler.ts'
import { explainNoOutput } from './explain-no-output.ts'
import { addMetrics, readMetrics } from './job-metrics.ts'
import { JobRegion } from './job-region.ts'
import type { JobTask } from './job-task.ts'
import { regionsOf } from './regions.ts'
import type { Steppable } from './steppable.ts'

/** How a job survives failures. */
export interface RecoveryInit {
  readonly settings: CheckpointSettings
  readonly store: CheckpointStore
  readonly restart: RestartStrategy
  /** The snapshot to start from, which the store holds; undefined: from the beginning. */
  readonly from: Manifest | undefined
  /** The id of the first snapshot. */
  readonly nextId: number
  /** The newest snapshot that is whole, of those since the beginning of the job. */
  latest(): Promise<Manifest | undefined>
  /** Everything that the last snapshot prepared is committed: the next run has nothing to do with it. */
  noteEnding(manifest: Manifest): Promise<void>
  /** Tells the job from others of its name: the same over all runs in its directory. */
  readonly owner?: string | undefined
  /** Numbers attempts from 1, over all runs in the directory of the job: no number is given twice. */
  claimAttempt(): Promise<number>
  /** Called for each snapshot that is complete, before anything follows from it. */
  readonly onCheckpoint?: ((manifest: Manifest) => void) | undefined
}

/** What a run gets from outside. */
export interface JobRunInit {
  readonly plan: PhysicalPlan
  readonly connectors: ConnectorResolver
  readonly clock: Clock
  readonly logger: Logger
  readonly scheduler: Scheduler
  readonly seed: number
  readonly channelCapacityRecords: number
  /** Undefined: no checkpoints are taken, and the first failure ends the job. */
  readonly recovery?: RecoveryInit | undefined
  readonly makeChannel?: DeploymentInit['makeChannel']
  /** The other threads; undefined: all tasks are in this one. */
  readonly crew?: Crew | undefined
}

/** How a run is to end before its input does. A cancel overrides a stop. */
type Request = 'none' | 'stop' | 'drain' | 'cancel'

/** A run of a job, from `start` to its result. */
export class JobRun {
  private readonly init: JobRunInit
  private readonly regions: readonly JobRegion[]
  private readonly policy: RestartPolicy
  private readonly checkpointing: Checkpointing | undefined
  private request: Request = 'none'
  private attempt = 1
  private unfinished = 0
  /** The regions that failed and are not running again yet. */
  private readonly failed = new Set<JobRegion>()
  private state: 'new' | 'running' | 'restarting' | 'ended' = 'new'
  private restarting: Promise<void> | undefined
  private tellEnded: (() => void) | undefined
  private readonly ended = new Promise<void>(resolve => {
    this.tellEnded = resolve
  })
  private end: ((failure?: { readonly error: unknown }) => void) | undefined

  constructor(init: JobRunInit) {
    const { plan, recovery, logger, clock } = init
    this.init = init
    const isAtMostOnce = recovery?.settings.mode === 'at-most-once'
    this.regions = regionsOf(plan).map(
      (chains, index) => new JobRegion({ index, chains, logger, crew: init.crew, isAtMostOnce }),
    )
    init.crew?.listen({
      onSnapshot: (task, snapshotId, snapshot) => this.checkpointing?.onSnapshot(task, snapshotId, snapshot),
      onFinalSnapshot: (task, snapshot, end) => this.checkpointing?.onFinalSnapshot(task, snapshot, end),
      onTaskFinished: () => this.onTaskFinished(),
      onSplitStates: (task, states) => this.regionOf(task)?.noteSplitStates(task, states),
      onFailure: (error, task) => this.onFailure(error, task),
    })
    this.policy = new RestartPolicy(recovery?.restart ?? { kind: 'none' }, new Prng(init.seed))
    if (recovery === undefined) return
    const { settings, store, nextId, from, onCheckpoint } = recovery
    this.checkpointing = new Checkpointing(
      {
        plan,
        settings,
        store,
        nextId,
        attempt: () => this.attempt,
        clock,
        logger,
        wake: () => init.scheduler.wake(),
        onCheckpoint,
      },
      {
        tasks: () => this.tasks,
        onEnd: () => this.end?.(),
        onFailure: error => this.end?.({ error }),
      },
      from,
    )
  }

  /** Runs to the end. Rejects with the first failure that it does not recover from, after everything is closed. */
  async run(): Promise<JobResult> {
    const startedMs = this.init.clock.now()
    const { plan, recovery } = this.init
    for (const warning of graphWarnings(plan.graph)) this.init.logger.log('warn', warning)
    let failure: { readonly error: unknown } | undefined
    try {
      this.attempt = (await recovery?.claimAttempt()) ?? 1
      await this.deployAll(recovery?.from)
      if (this.request !== 'cancel') failure = await this.stepToEnd()
    } catch (error) {
      failure = { error }
    }
    this.state = 'ended'
    this.tellEnded?.()
    this.init.scheduler.halt()
    await this.checkpointing?.halt()
    await this.restarting
    for (const region of this.regions) {
      const closeFailure = await region.close(failure !== undefined)
      // Whoever cancels has no use for what a lost thread had left to do.
      if (this.request !== 'cancel' || !isLost(closeFailure?.error)) failure ??= closeFailure
    }
    if (failure !== undefined) throw failure.error
    const last = this.checkpointing?.newestManifest
    if (last !== undefined && this.request !== 'cancel') await recovery?.noteEnding(last)
    this.reportLeftInLoops()
    const { recordsIn, recordsOut } = this.metrics()
    return {
      name: plan.graph.name,
      status: this.status(),
      durationMs: this.init.clock.now() - startedMs,
      recordsIn,
      recordsOut,
    }
  }

  /** Ends the input of all sources; what is in flight reaches the sinks. With `drain` what pends fires as at the end of the data. */
  stop(mode: 'stop' | 'drain' = 'stop'): void {
    if (this.request !== 'none') return
    this.request = mode
    if (this.state === 'running') this.stopTasks(this.tasks)
    this.init.scheduler.wake()
  }

  /** Ends everything at the next opportunity; nothing more is fired or flushed. */
  cancel(): void {
    this.request = 'cancel'
    this.init.scheduler.halt()
    this.end?.()
  }

  /** Takes a snapshot; rejects with CHECKPOINT_FAILED. */
  snapshot(kind: 'checkpoint' | 'savepoint'): Promise<Manifest> {
    if (this.checkpointing !== undefined && this.state !== 'ended') return this.checkpointing.request(kind)
    const mend = 'call enableCheckpointing() on its environment, or start it with --dir'
    return Promise.reject(
      new StreamError('CHECKPOINT_FAILED', `the job "${this.init.plan.graph.name}" takes no checkpoints; ${mend}`),
    )
  }

  explainNoOutput(): readonly NoOutput[] {
    return [...explainNoOutput(this.deployment, this.init.clock.now()), ...(this.init.crew?.noOutput() ?? [])]
  }

  metrics(): JobMetrics {
    if (this.tasks.length > 0) return addMetrics([readMetrics(this.deployment), ...(this.init.crew?.metrics() ?? [])])
    return { recordsIn: 0, recordsOut: 0, watermark: -Infinity, backpressuredShare: 0, vertices: [], edges: [] }
  }

  private get tasks(): readonly JobTask[] {
    return this.regions.flatMap(region => region.tasks)
  }

  private get deployment(): Deployment {
    const deployments = this.regions.flatMap(({ deployment }) => (deployment === undefined ? [] : [deployment]))
    const exchanges = deployments.flatMap(deployment => deployment.exchanges)
    const crossings = deployments.flatMap(deployment => deployment.crossings)
    return { plan: this.init.plan, tasks: deployments.flatMap(({ tasks }) => tasks), exchanges, crossings }
  }

  private status(): JobStatus {
    if (this.request === 'cancel') return 'cancelled'
    // A stop that came when the input was at its end has stopped nothing: there is nothing left to go on with.
    const isAtEnd = this.tasks.every(task => !task.isSource || task.end() === 'finish')
    return this.request === 'stop' && !isAtEnd ? 'stopped' : 'finished'
  }

  // Rows are read, and found to be damaged, only now: then everything begins once more, from an earlier snapshot.
  private async deployAll(from: Manifest | undefined): Promise<void> {
    const { recovery } = this.init
    try {
      for (const region of this.regions) await this.deploy(region, from)
    } catch (error) {
      if (recovery === undefined || !isDamage(error)) throw error
      const earlier = await recovery.latest()
      this.checkpointing?.goBackTo(earlier)
      for (const region of this.regions) await region.close(true)
      this.attempt = await recovery.claimAttempt()
      await this.deployAll(earlier)
    }
  }

  private async deploy(region: JobRegion, from: Manifest | undefined): Promise<void> {
    try {
      await this.deployFrom(region, from)
    } catch (error) {
      if (from !== undefined && isDamage(error)) this.init.recovery?.store.markDamaged(from.id, error)
      throw error
    }
  }

  private deployFrom(region: JobRegion, from: Manifest | undefined): Promise<void> {
    const { checkpointing, init } = this
    const { recovery } = init
    const restore =
      from === undefined || recovery === undefined
        ? {}
        : { restore: { manifest: from, readRows: recovery.store.readRows.bind(recovery.store) } }
    const snapshots =
      checkpointing === undefined || recovery === undefined
        ? {}
        : {
            snapshots: {
              mode: recovery.settings.mode,
              alignmentTimeoutMs: recovery.settings.alignmentTimeoutMs,
              onSnapshot: checkpointing.onSnapshot.bind(checkpointing),
              onFinalSnapshot: checkpointing.onFinalSnapshot.bind(checkpointing),
            },
          }
    const deployment: DeploymentInit = {
      ...init,
      ...restore,
      ...snapshots,
      wake: () => init.scheduler.wake(),
      owner: recovery?.owner,
      attempt: this.attempt,
    }
    return region.deploy(deployment, () => this.request !== 'cancel' && this.state !== 'ended')
  }

  private stepToEnd(): Promise<{ readonly error: unknown } | undefined> {
    const { scheduler } = this.init
    const { tasks, checkpointing } = this
    const here = this.regions.flatMap(region => region.steppables)
    this.state = 'running'
    this.unfinished = tasks.length
    for (const region of this.regions) region.begin()
    checkpointing?.start(tasks)
    return new Promise(resolve => {
      this.end = resolve
      scheduler.start(checkpointing === undefined ? here : [...here, checkpointing], {
        onTaskFinished: () => this.onTaskFinished(),
        onFailure: (error, task) => this.onFailure(error, task),
      })
      if (this.request !== 'none') this.stopTasks(tasks)
    })
  }

  private stopTasks(tasks: readonly JobTask[]): void {
    const mode: EndMode = this.request === 'drain' ? 'finish' : 'stop'
    for (const task of tasks) task.stop(mode)
  }

  private onTaskFinished(): void {
    // With checkpoints the job ends with the last of them, which commits what its sinks prepared.
    if (--this.unfinished === 0 && this.checkpointing === undefined) this.end?.()
  }

  private onFailure(error: unknown, failedTask: Steppable | JobTask | undefined): void {
    if (this.state === 'ended') return
    const region = this.regionOf(failedTask)
    if (region === undefined || this.init.recovery === undefined) {
      this.giveUp(error)
      return
    }
    if (this.failed.has(region)) return
    region.halt()
    this.init.scheduler.remove(region.steppables)
    this.failed.add(region)
    if (this.state !== 'running') return
    this.restarting = this.restart(error).catch((failure: unknown) => this.giveUp(failure))
  }

  private regionOf(part: Steppable | JobTask | undefined): JobRegion | undefined {
    return this.regions.find(
      ({ tasks, steppables }) => tasks.some(task => task === part) || steppables.some(steppable => steppable === part),
    )
  }

  private giveUp(error: unknown): void {
    this.init.scheduler.halt()
    this.end?.({ error })
  }

  /** Restarts the regions that failed until they run, or the policy gives up. */
  private async restart(first: unknown): Promise<void> {
    this.state = 'restarting'
    let error = first
    for (;;) {
      // Whoever ended the job steps nothing any more, so nothing it waits for may come.
      await Promise.race([this.checkpointing?.suspend('the job is restarted'), this.ended])
      if ((this.state as string) === 'ended') return
      const decision = this.policy.onFailure(this.init.clock.monotonicMs())
      if (decision.kind === 'give-up') {
        this.init.logger.log('error', 'the job is not restarted', { reason: decision.reason })
        this.giveUp(error)
        return
      }
      this.tellRestart(error, decision.delayMs)
      for (const region of this.failed) await region.close(true)
      await Promise.race([this.init.scheduler.sleep(decision.delayMs), this.ended])
      if ((this.state as string) === 'ended') return
      try {
        await this.redeploy()
      } catch (failure) {
        error = failure
        for (const region of this.failed) region.halt()
        continue
      }
      if ((this.state as string) === 'ended') return
      this.goOn()
      return
    }
  }

  private async redeploy(): Promise<void> {
    const latest = await this.init.recovery?.latest()
    // The others build on a checkpoint that turned out to be damaged: they have to go back as well.
    if (latest?.id !== this.checkpointing?.newestManifest?.id) await this.failAll(latest)
    this.attempt = (await this.init.recovery?.claimAttempt()) ?? this.attempt + 1
    for (const region of this.failed) {
      // One that failed while another was waited for is not closed yet.
      await region.close(true)
      await this.deploy(region, latest)
    }
  }

  private async failAll(latest: Manifest | undefined): Promise<void> {
    this.checkpointing?.goBackTo(latest)
    for (const region of this.regions) {
      if (this.failed.has(region)) continue
      region.halt()
      this.init.scheduler.remove(region.steppables)
      this.failed.add(region)
      await region.close(true)
    }
  }

  private goOn(): void {
    const restarted = [...this.failed].flatMap(region => region.tasks)
    for (const region of this.failed) region.begin()
    this.init.scheduler.add([...this.failed].flatMap(region => region.steppables))
    this.failed.clear()
    this.state = 'running'
    this.checkpointing?.resume(restarted)
    if (this.request !== 'none') this.stopTasks(restarted)
    this.init.logger.log('info', 'the job runs again', {
      attempt: this.attempt,
      from: this.checkpointing?.newestManifest?.id ?? 'the beginning',
    })
  }

  private tellRestart(error: unknown, delayMs: number): void {
    const from = this.checkpointing?.newestManifest?.id
    this.init.logger.log('error', 'the job failed and is restarted', {
      error: errorText(error),
      delayMs,
      from: from === undefined ? 'the beginning' : `checkpoint ${from}`,
    })
  }

  // A timer in processing time that fires at the very end may still emit into a loop whose head has ended.
  private reportLeftInLoops(): void {
    if (this.request === 'cancel') return
    for (const { exchange, channels } of this.deployment.exchanges) {
      if (!exchange.edge.isFeedback) continue
      const left = channels.flat().reduce((sum, channel) => sum + (channel?.heldRecords ?? 0), 0)
      if (left > 0)
        this.init.logger.log('warn', 'records emitted into a loop after its end were not processed', { records: left })
    }
  }
}

function isLost(error: unknown): boolean {
  return error instanceof StreamError && error.code === 'WORKER_FAILED'
}
