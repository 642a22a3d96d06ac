// Where the sources of a region have got to, kept from one deployment to the next: with at-most-once they go on there after a failure,
// so that nothing is read twice. It knows nothing of checkpoints, and lives as long as the run of the job.
import type { SourceOperator } from '../operators/operator.ts'
import type { SplitState } from '../operators/source.ts'
import type { Chain } from '../plan/physical-plan.ts'
import type { ChainNode } from './chain-instance.ts'
import { type JobTask, taskId } from './job-task.ts'
import type { Task } from './task.ts'

/** The positions of one region's sources. */
export class SourcePositions {
  /** Of source tasks of the deployment that runs, or ran last, by the id of the task. */
  private readonly noted = new Map<string, readonly SplitState[]>()
  private kept: ReadonlyMap<number, readonly SplitState[]> | undefined
  private forgotten: readonly Chain[] = []
  private hasBegun = false

  /** Where sources go on, by chain; undefined before the first failure, and where they go on from the checkpoint. */
  get resumeAt(): ReadonlyMap<number, readonly SplitState[]> | undefined {
    return this.kept
  }

  /** The chains whose sources go back to the checkpoint: some of their subtasks were lost with their thread. */
  get lost(): readonly Chain[] {
    return this.forgotten
  }

  /** The tasks begin to read. What was kept counts until they end: a deployment that fails before this has read nothing. */
  begin(): void {
    this.hasBegun = true
    this.noted.clear()
  }

  /** A task has read up to there, and reads no more. */
  note(task: JobTask, states: readonly SplitState[]): void {
    this.noted.set(taskId(task), states)
  }

  /** None of the tasks reads any more: what was noted of them is kept. Does nothing unless they have begun since. */
  settle(tasks: readonly JobTask[]): void {
    if (!this.hasBegun) return
    this.hasBegun = false
    const sources = tasks.filter(({ isSource }) => isSource)
    const lost = new Set(sources.filter(task => !this.noted.has(taskId(task))).map(({ chain }) => chain))
    const kept = new Map<number, readonly SplitState[]>()
    for (const task of sources) {
      const { chain } = task
      if (!lost.has(chain)) kept.set(chain.id, [...(kept.get(chain.id) ?? []), ...(this.noted.get(taskId(task)) ?? [])])
    }
    this.kept = kept
    this.forgotten = [...lost]
  }
}

/** Where the source of a halted task has got to; undefined for tasks without one, and unless the job is at-most-once. */
export function splitStatesOf(task: Task): readonly SplitState[] | undefined {
  return task.isSource ? rootOf(task).splitStates() : undefined
}

function rootOf({ nodes }: Task): SourceOperator {
  const [root] = nodes
  return (root as ChainNode).operator as SourceOperator
}
