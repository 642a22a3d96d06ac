// A part of a job that fails alone: its tasks, in whatever threads, are made, opened, halted and closed together.
import { errorText } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { SplitState } from '../operators/source.ts'
import type { Chain } from '../plan/physical-plan.ts'
import type { Crew, Exchanging } from './crew.ts'
import { type Deployment, type DeploymentInit, deploy, splitsOf } from './deployment.ts'
import type { JobTask } from './job-task.ts'
import { SourcePositions, splitStatesOf } from './source-positions.ts'
import type { Steppable } from './steppable.ts'
import type { Task } from './task.ts'

/** What a region is made of. */
export interface JobRegionInit {
  /** Which region of the job it is, from 0. */
  readonly index: number
  readonly chains: readonly Chain[]
  readonly logger: Logger
  /** The other threads; undefined where there are none. */
  readonly crew: Crew | undefined
  /** True when its sources go on where they had got to after a failure. */
  readonly isAtMostOnce: boolean
}

/** One region over its restarts. */
export class JobRegion {
  readonly chains: readonly Chain[]
  private readonly init: JobRegionInit
  private deployed: Deployment | undefined
  private elsewhere: readonly JobTask[] = []
  private exchange: Exchanging | undefined
  /** Undefined where sources go back to the checkpoint. */
  private readonly positions: SourcePositions | undefined

  constructor(init: JobRegionInit) {
    this.init = init
    this.chains = init.chains
    this.positions = init.isAtMostOnce ? new SourcePositions() : undefined
  }

  /** What runs in this thread, or ran last. */
  get deployment(): Deployment | undefined {
    return this.deployed
  }

  /** The tasks of this thread. */
  get tasksHere(): readonly Task[] {
    return this.deployed?.tasks ?? []
  }

  get tasks(): readonly JobTask[] {
    return this.elsewhere.length === 0 ? this.tasksHere : [...this.tasksHere, ...this.elsewhere]
  }

  /** What is to be stepped in this thread. */
  get steppables(): readonly Steppable[] {
    return this.exchange === undefined ? this.tasksHere : [...this.tasksHere, this.exchange]
  }

  /** Makes the tasks anew and opens them, while it is wanted. */
  async deploy(init: DeploymentInit, isWanted: () => boolean): Promise<void> {
    const { crew, index } = this.init
    const mine: DeploymentInit = { ...init, chains: this.chains, ...this.resumption() }
    if (crew === undefined) {
      await this.deployHere(mine, isWanted)
      return
    }
    const splits = await splitsOf(mine)
    const elsewhere = crew.deploy({
      region: index,
      attempt: init.attempt ?? 1,
      chains: this.chains,
      splits,
      from: init.restore?.manifest,
      snapshots: init.snapshots && {
        mode: init.snapshots.mode,
        alignmentTimeoutMs: init.snapshots.alignmentTimeoutMs,
      },
      owner: init.owner,
    })
    // What fails here first must not leave the other without anybody who hears of it.
    elsewhere.catch(() => {})
    await this.deployHere({ ...mine, splits, isHere: (chain, subtask) => crew.isHere(chain, subtask) }, isWanted)
    this.elsewhere = await elsewhere
    this.exchange = crew.connect(index, this.deployed as Deployment)
    crew.start(index)
  }

  /** The tasks begin to be stepped. */
  begin(): void {
    this.positions?.begin()
  }

  /** A source of another thread, which is closed, had got so far. */
  noteSplitStates(task: JobTask, states: readonly SplitState[]): void {
    this.positions?.note(task, states)
  }

  /** No task does anything any more. */
  halt(): void {
    for (const task of this.tasksHere) task.halt()
    this.exchange?.halt()
    this.init.crew?.halt(this.init.index)
  }

  /** Closes every task; the first failure to close is returned, unless the job failed before: then it is only told. */
  async close(hasFailed: boolean): Promise<{ readonly error: unknown } | undefined> {
    let first: { readonly error: unknown } | undefined
    this.noteHere()
    for (const task of this.tasksHere) {
      try {
        await task.close()
      } catch (error) {
        if (!hasFailed && first === undefined) first = { error }
        else this.logCloseFailure(task, error)
      }
    }
    const failure = await this.init.crew?.close(this.init.index)
    this.positions?.settle(this.tasks)
    return first ?? (hasFailed ? undefined : failure)
  }

  private noteHere(): void {
    if (this.positions === undefined) return
    for (const task of this.tasksHere) {
      try {
        const states = splitStatesOf(task)
        if (states !== undefined) this.positions.note(task, states)
      } catch (error) {
        this.init.logger.log('warn', 'how far a source has read cannot be told', {
          task: task.name,
          error: errorText(error),
        })
      }
    }
  }

  private resumption(): Pick<DeploymentInit, 'resumeAt'> {
    const { resumeAt, lost = [] } = this.positions ?? {}
    for (const { name } of lost) {
      const what = 'a source goes back to the checkpoint, since how far it had read is not known'
      this.init.logger.log('warn', `${what}: records may come twice`, { task: name })
    }
    return resumeAt === undefined ? {} : { resumeAt }
  }

  private async deployHere(init: DeploymentInit, isWanted: () => boolean): Promise<void> {
    this.deployed = await deploy(init)
    for (const task of this.tasksHere) if (isWanted()) await task.open()
    for (const task of this.tasksHere) task.start()
  }

  private logCloseFailure(task: Task, error: unknown): void {
    this.init.logger.log('warn', 'closing a task failed after the job had failed', {
      task: task.chain.name,
      subtask: task.subtaskIndex,
      error: errorText(error),
    })
  }
}
