// A task of another thread, as the run of the job knows it.
import type { EndMode } from '../../../operators/operator.ts'
import type { Chain } from '../../../plan/physical-plan.ts'
import type { Barrier } from '../../../runtime/batch.ts'
import { type JobTask, taskId } from '../../../runtime/job-task.ts'
import type { TaskStatus } from '../../../runtime/steppable.ts'
import type { Command, TaskPlace } from './thread-messages.ts'

/** What it is made of. */
export interface RemoteTaskInit {
  readonly chain: Chain
  readonly subtaskIndex: number
  readonly region: number
  readonly isSource: boolean
  readonly thread: number
  readonly send: (command: Command) => void
}

/** Passes on what the run of the job wants of it. */
export class RemoteTask implements JobTask {
  readonly chain: Chain
  readonly subtaskIndex: number
  readonly isSource: boolean
  readonly thread: number
  status: TaskStatus = 'busy'
  private readonly place: TaskPlace
  private readonly send: (command: Command) => void
  private ending: EndMode | undefined

  constructor({ chain, subtaskIndex, region, isSource, thread, send }: RemoteTaskInit) {
    this.chain = chain
    this.subtaskIndex = subtaskIndex
    this.isSource = isSource
    this.thread = thread
    this.send = send
    this.place = { region, task: taskId(this) }
  }

  get name(): string {
    return `${this.chain.name}[${this.subtaskIndex}] in thread ${this.thread}`
  }

  end(): EndMode | undefined {
    return this.ending
  }

  /** Its thread told that it has nothing left to do. */
  onFinished(end: EndMode | undefined): void {
    this.status = 'finished'
    this.ending = end
  }

  trigger(barrier: Barrier): void {
    if (this.isSource) this.send({ kind: 'trigger', barrier, ...this.place })
  }

  settle(snapshotId: number, outcome: 'completed' | 'aborted'): void {
    this.send({ kind: 'settle', snapshotId, outcome, ...this.place })
  }

  stop(mode: EndMode): void {
    if (this.isSource) this.send({ kind: 'stop', mode, ...this.place })
  }

  awaitedChannels(): readonly string[] | undefined {
    return undefined
  }
}
