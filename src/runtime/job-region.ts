// A part of a job that fails alone: its tasks are made, opened, halted and closed together.
import { errorText } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { Chain } from '../plan/physical-plan.ts'
import { type Deployment, type DeploymentInit, deploy } from './deployment.ts'
import type { Task } from './task.ts'

/** One region over its restarts. */
export class JobRegion {
  readonly chains: readonly Chain[]
  private readonly logger: Logger
  private deployed: Deployment | undefined

  constructor(chains: readonly Chain[], logger: Logger) {
    this.chains = chains
    this.logger = logger
  }

  /** What runs, or ran last. */
  get deployment(): Deployment | undefined {
    return this.deployed
  }

  get tasks(): readonly Task[] {
    return this.deployed?.tasks ?? []
  }

  /** Makes the tasks anew and opens them, while it is wanted. */
  async deploy(init: DeploymentInit, isWanted: () => boolean): Promise<void> {
    this.deployed = await deploy({ ...init, chains: this.chains })
    for (const task of this.tasks) if (isWanted()) await task.open()
    for (const task of this.tasks) task.start()
  }

  /** No task does anything any more. */
  halt(): void {
    for (const task of this.tasks) task.halt()
  }

  /** Closes every task; the first failure to close is returned, unless the job failed before: then it is only told. */
  async close(hasFailed: boolean): Promise<{ readonly error: unknown } | undefined> {
    let first: { readonly error: unknown } | undefined
    for (const task of this.tasks) {
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
    this.logger.log('warn', 'closing a task failed after the job had failed', {
      task: task.chain.name,
      subtask: task.subtaskIndex,
      error: errorText(error),
    })
  }
}
