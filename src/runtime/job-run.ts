// One execution of a plan: opens its tasks, lets a scheduler step them, and ends them whichever way the job ends.
import type { Clock } from '../base/clock.ts'
import { errorText } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { ConnectorResolver } from '../model/connector.ts'
import type { JobMetrics, JobResult, JobStatus, NoOutput } from '../model/job.ts'
import { graphWarnings } from '../model/warnings.ts'
import type { PhysicalPlan } from '../plan/physical-plan.ts'
import { type Deployment, deploy } from './deployment.ts'
import type { Scheduler } from './event-loop-scheduler.ts'
import { explainNoOutput } from './explain-no-output.ts'
import { readMetrics } from './job-metrics.ts'
import type { Task } from './task.ts'

/** What a run gets from outside. */
export interface JobRunInit {
  readonly plan: PhysicalPlan
  readonly connectors: ConnectorResolver
  readonly clock: Clock
  readonly logger: Logger
  readonly scheduler: Scheduler
  readonly seed: number
  readonly channelCapacityRecords: number
}

/** How a run is to end before its input does. A cancel overrides a stop. */
type Request = 'none' | 'stop' | 'cancel'

/** A run of a job, from `start` to its result. */
export class JobRun {
  private readonly init: JobRunInit
  private deployment: Deployment | undefined
  private request: Request = 'none'
  private unfinished = 0
  private end: ((failure?: unknown) => void) | undefined

  constructor(init: JobRunInit) {
    this.init = init
  }

  /** Runs to the end. Rejects with the first failure after everything is closed. */
  async run(): Promise<JobResult> {
    const startedMs = this.init.clock.now()
    const { plan } = this.init
    for (const warning of graphWarnings(plan.graph)) this.init.logger.log('warn', warning)
    const deployment = await deploy({ ...this.init, wake: () => this.init.scheduler.wake() })
    this.deployment = deployment
    let failure: { readonly error: unknown } | undefined
    try {
      for (const task of deployment.tasks) if (this.request !== 'cancel') await task.open()
      if (this.request !== 'cancel') await this.stepToEnd(deployment)
    } catch (error) {
      failure = { error }
    }
    this.init.scheduler.halt()
    const closeFailure = await this.closeAll(deployment, failure !== undefined)
    failure ??= closeFailure
    if (failure !== undefined) throw failure.error
    this.reportLeftInLoops(deployment)
    const { recordsIn, recordsOut } = readMetrics(deployment)
    return {
      name: plan.graph.name,
      status: this.status(),
      durationMs: this.init.clock.now() - startedMs,
      recordsIn,
      recordsOut,
    }
  }

  /** Ends the input of all sources; what is in flight reaches the sinks. */
  stop(): void {
    if (this.request !== 'none') return
    this.request = 'stop'
    for (const task of this.deployment?.tasks ?? []) task.stop()
    this.init.scheduler.wake()
  }

  /** Ends everything at the next opportunity; nothing more is fired or flushed. */
  cancel(): void {
    this.request = 'cancel'
    this.init.scheduler.halt()
    this.end?.()
  }

  explainNoOutput(): readonly NoOutput[] {
    return this.deployment === undefined ? [] : explainNoOutput(this.deployment, this.init.clock.now())
  }

  metrics(): JobMetrics {
    if (this.deployment !== undefined) return readMetrics(this.deployment)
    return { recordsIn: 0, recordsOut: 0, watermark: -Infinity, backpressuredShare: 0, vertices: [], edges: [] }
  }

  private status(): JobStatus {
    return this.request === 'none' ? 'finished' : this.request === 'stop' ? 'stopped' : 'cancelled'
  }

  private stepToEnd(deployment: Deployment): Promise<void> {
    this.unfinished = deployment.tasks.length
    return new Promise<void>((resolve, reject) => {
      this.end = failure => (failure === undefined ? resolve() : reject(failure))
      this.init.scheduler.start(deployment.tasks, {
        onTaskFinished: () => {
          if (--this.unfinished === 0) resolve()
        },
        onFailure: error => {
          this.init.scheduler.halt()
          reject(error)
        },
      })
      if (this.request === 'stop') for (const task of deployment.tasks) task.stop()
    })
  }

  /** Closes every task; a failure to close is the job's own only if nothing failed before. */
  private async closeAll(deployment: Deployment, hasFailed: boolean): Promise<{ readonly error: unknown } | undefined> {
    let first: { readonly error: unknown } | undefined
    for (const task of deployment.tasks) {
      try {
        await task.close()
      } catch (error) {
        if (!hasFailed && first === undefined) first = { error }
        else this.logCloseFailure(task, error)
      }
    }
    return first
  }

  private logCloseFailure(task: Task, error: unknown): void {
    this.init.logger.log('warn', 'closing a task failed after the job had failed', {
      task: task.chain.name,
      subtask: task.subtaskIndex,
      error: errorText(error),
    })
  }

  // A timer in processing time that fires at the very end may still emit into a loop whose head has ended.
  private reportLeftInLoops(deployment: Deployment): void {
    if (this.request === 'cancel') return
    for (const { exchange, channels } of deployment.exchanges) {
      if (!exchange.edge.isFeedback) continue
      const left = channels.flat().reduce((sum, channel) => sum + (channel?.heldRecords ?? 0), 0)
      if (left > 0)
        this.init.logger.log('warn', 'records emitted into a loop after its end were not processed', { records: left })
    }
  }
}
