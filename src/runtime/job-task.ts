// A task as the run of a job sees it, whichever thread it is in.
import type { EndMode } from '../operators/operator.ts'
import type { Chain } from '../plan/physical-plan.ts'
import type { Barrier } from './batch.ts'
import type { TaskStatus } from './steppable.ts'

/** One subtask of a chain. */
export interface JobTask {
  readonly chain: Chain
  readonly subtaskIndex: number
  readonly name: string
  readonly isSource: boolean
  readonly status: TaskStatus
  /** How its input ended; undefined while it has not. */
  end(): EndMode | undefined
  /** Asks a source task for a snapshot; others get its barrier from their inputs. */
  trigger(barrier: Barrier): void
  /** A snapshot, and those before it, are complete on the storage or will never be. */
  settle(snapshotId: number, outcome: 'completed' | 'aborted'): void
  /** Ends the input of a source task, at its end (what pends fires) or where it stands. */
  stop(mode: EndMode): void
  /** The names of the channels over which the barrier has not come that came over others; undefined when none is awaited. */
  awaitedChannels(): readonly string[] | undefined
}

/** What tells tasks apart within a job: the chain and the subtask. */
export function taskId(task: Pick<JobTask, 'chain' | 'subtaskIndex'>): string {
  return `${task.chain.id}/${task.subtaskIndex}`
}
