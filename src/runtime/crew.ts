// What a job needs to run in several threads: who runs which subtask, and the way to those that are elsewhere. The run of the job and its
// coordinator stay in the main thread; how threads are made and talk is the runner's.
import type { CheckpointMode } from '../model/checkpoint-options.ts'
import type { JobMetrics, NoOutput } from '../model/job.ts'
import type { EndMode } from '../operators/operator.ts'
import type { SplitState } from '../operators/source.ts'
import type { Chain } from '../plan/physical-plan.ts'
import type { Manifest, TaskSnapshot } from '../recovery/snapshot/manifest.ts'
import type { Deployment, FirstSplits } from './deployment.ts'
import type { JobTask } from './job-task.ts'
import type { Steppable } from './steppable.ts'

/** A region to be deployed. */
export interface CrewOrder {
  readonly region: number
  readonly attempt: number
  readonly chains: readonly Chain[]
  /** The splits of the chains that begin with a source, by chain. */
  readonly splits: ReadonlyMap<number, FirstSplits>
  /** The snapshot that its state comes from. */
  readonly from: Manifest | undefined
  /** How it takes snapshots; undefined when it takes none. */
  readonly snapshots: { readonly mode: CheckpointMode; readonly alignmentTimeoutMs: number } | undefined
  readonly owner: string | undefined
}

/** What the run of the job hears of tasks in other threads. */
export interface CrewEvents {
  onSnapshot(task: JobTask, snapshotId: number, snapshot: TaskSnapshot): void
  onFinalSnapshot(task: JobTask, snapshot: TaskSnapshot, end: EndMode): void
  onTaskFinished(task: JobTask): void
  /** Where a source has got to, which is closed; it comes before the region counts as closed. */
  onSplitStates(task: JobTask, states: readonly SplitState[]): void
  /** A step failed, or a whole thread: then once for each of its regions. */
  onFailure(error: unknown, task: JobTask): void
}

/** Moves what tasks send to other threads, and what comes from there. */
export interface Exchanging extends Steppable {
  /** Nothing is moved any more. */
  halt(): void
}

/** The other threads of a job. */
export interface Crew {
  /** True for the subtasks of this thread. */
  isHere(chain: Chain, subtaskIndex: number): boolean
  /** Where events go; before anything is deployed. */
  listen(events: CrewEvents): void
  /** Makes and opens the tasks of a region that are elsewhere, and gets their channels ready. */
  deploy(order: CrewOrder): Promise<readonly JobTask[]>
  /** Connects the tasks of the region that are here with those elsewhere; what it returns is stepped with them. */
  connect(region: number, here: Deployment): Exchanging
  /** The tasks of a region elsewhere begin to work. */
  start(region: number): void
  halt(region: number): void
  /** Closes the tasks of a region elsewhere; returns the first failure to close. Does nothing for one that is not deployed. */
  close(region: number): Promise<{ readonly error: unknown } | undefined>
  /** Of each other thread, as it told last. */
  metrics(): readonly JobMetrics[]
  noOutput(): readonly NoOutput[]
}
