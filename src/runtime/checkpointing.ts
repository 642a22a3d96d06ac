// Carries out what the checkpoint coordinator decides: sends triggers, writes segments and manifests, tells tasks what became of snapshots.
// A scheduler steps it like a task, so that its decisions fall between the steps of others.
import type { Clock } from '../base/clock.ts'
import { errorText, StreamError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { CheckpointSettings } from '../model/checkpoint-options.ts'
import type { EndMode } from '../operators/operator.ts'
import type { PhysicalPlan } from '../plan/physical-plan.ts'
import type { CheckpointCommand, CoordinatedTask, PublishCommand } from '../recovery/barriers/checkpoint-commands.ts'
import { CheckpointCoordinator } from '../recovery/barriers/checkpoint-coordinator.ts'
import type { CheckpointStore, WrittenSegment } from '../recovery/snapshot/checkpoint-store.ts'
import type { Manifest, TaskSnapshot } from '../recovery/snapshot/manifest.ts'
import { type JobTask, taskId } from './job-task.ts'
import { buildManifest, segmentWriter } from './manifest-builder.ts'
import type { Steppable, TaskStatus } from './steppable.ts'
import { FINAL_SNAPSHOT_ID } from './task-snapshots.ts'

/** What checkpoints are made with. */
export interface CheckpointingInit {
  readonly plan: PhysicalPlan
  readonly settings: CheckpointSettings
  readonly store: CheckpointStore
  readonly nextId: number
  /** The present attempt of the job. */
  readonly attempt: () => number
  readonly clock: Clock
  readonly logger: Logger
  /** Called when something asynchronous gave it work. */
  readonly wake: () => void
  /** Called for each snapshot that is complete, before anything follows from it. */
  readonly onCheckpoint?: ((manifest: Manifest) => void) | undefined
}

/** What the run of the job hears. */
export interface CheckpointingEvents {
  /** All tasks that run or have finished. */
  tasks(): readonly JobTask[]
  /** The snapshot at the end of the job is complete. */
  onEnd(): void
  onFailure(error: unknown): void
}

/** A snapshot on demand, and who waits for it. */
interface SnapshotRequest {
  readonly resolve: (manifest: Manifest) => void
  readonly reject: (error: unknown) => void
}

/** What a task handed in. */
interface TaskResult {
  readonly task: JobTask
  readonly segment: WrittenSegment
  /** How the task ended, if this is what it left at its end. */
  readonly end: EndMode | undefined
}

/** The checkpoints of one run of a job. */
export class Checkpointing implements Steppable {
  readonly name = 'checkpoints'
  readonly ordinal = 0xffff
  readonly status: TaskStatus = 'waiting'
  didWork = false
  private readonly init: CheckpointingInit
  private readonly events: CheckpointingEvents
  private coordinator: CheckpointCoordinator<TaskResult, SnapshotRequest> | undefined
  /** The newest complete snapshot of the job, which the next ones build on. */
  private newest: Manifest | undefined
  private inbox: (() => void)[] = []
  private segmentsWritten = 0
  /** The last write of each task. */
  private readonly writes = new WeakMap<JobTask, Promise<void>>()
  private isHalted = false
  /** Those who wait for a snapshot. */
  private readonly requests = new Set<SnapshotRequest>()
  /** Calls to the store that have not come back. */
  private readonly underWay = new Set<Promise<unknown>>()
  /** Resolves what waits for the snapshot in publication to end. */
  private onPublished: (() => void)[] = []

  constructor(init: CheckpointingInit, events: CheckpointingEvents, from: Manifest | undefined) {
    this.init = init
    this.events = events
    this.newest = from
  }

  /** The snapshot that a restart goes back to. */
  get newestManifest(): Manifest | undefined {
    return this.newest
  }

  /** Begins to take checkpoints of the tasks. */
  start(tasks: readonly JobTask[]): void {
    const { settings, nextId, clock, plan } = this.init
    const describe = (ids: readonly string[]): string => describeTasks(plan, ids, this.events.tasks())
    const nowMs = clock.now()
    this.coordinator = new CheckpointCoordinator({ settings, tasks: tasks.map(coordinated), nextId, nowMs, describe })
  }

  /** A task encoded its part of a snapshot. */
  onSnapshot(task: JobTask, snapshotId: number, snapshot: TaskSnapshot): void {
    this.write(task, snapshotId, snapshot, undefined)
  }

  onFinalSnapshot(task: JobTask, snapshot: TaskSnapshot, end: EndMode): void {
    this.write(task, FINAL_SNAPSHOT_ID, snapshot, end)
  }

  /** Takes a snapshot as soon as possible; resolves when it is complete. Rejects with CHECKPOINT_FAILED. */
  request(kind: 'checkpoint' | 'savepoint'): Promise<Manifest> {
    return new Promise((resolve, reject) => {
      const request: SnapshotRequest = {
        resolve: manifest => this.requests.delete(request) && resolve(manifest),
        reject: error => this.requests.delete(request) && reject(error),
      }
      this.requests.add(request)
      this.post(() => this.obey(this.coordinator?.request(kind, request, this.now()) ?? []))
    })
  }

  /** Tasks have failed: no snapshot begins until `resume`. Resolves when it is certain which snapshot is the newest. */
  async suspend(reason: string): Promise<void> {
    const { coordinator } = this
    if (coordinator === undefined) return
    this.obey(coordinator.suspend(reason, this.now()))
    if (coordinator.publishingId() !== undefined) await new Promise<void>(resolve => this.onPublished.push(resolve))
  }

  /** The newest snapshot turned out to be damaged, and all tasks go back to an earlier one. */
  goBackTo(manifest: Manifest | undefined): void {
    this.newest = manifest
  }

  /** The tasks were restarted. */
  resume(tasks: readonly JobTask[]): void {
    this.obey(this.coordinator?.reset(tasks.map(coordinated), this.now()) ?? [])
  }

  /** Nothing is decided any more. Resolves when nothing is being written or removed. */
  async halt(): Promise<void> {
    this.isHalted = true
    for (const request of this.requests) {
      request.reject(new StreamError('CHECKPOINT_FAILED', 'the job ended before the snapshot was taken'))
    }
    while (this.underWay.size > 0) await Promise.allSettled(this.underWay)
  }

  step(): TaskStatus {
    const letters = this.inbox
    this.inbox = []
    for (const letter of letters) letter()
    const commands = this.coordinator?.tick(this.now()) ?? []
    this.obey(commands)
    this.didWork = letters.length > 0 || commands.length > 0
    return this.status
  }

  deadlineMs(): number {
    return this.coordinator?.nextTickMs() ?? Infinity
  }

  private now(): number {
    return this.init.clock.now()
  }

  private post(letter: () => void): void {
    this.inbox.push(letter)
    this.init.wake()
  }

  private write(task: JobTask, snapshotId: number, snapshot: TaskSnapshot, end: EndMode | undefined): void {
    const { store, attempt } = this.init
    const shownId = end === undefined ? snapshotId : this.nextSegmentId()
    const name = `${String(shownId).padStart(10, '0')}-${task.chain.id}-${task.subtaskIndex}-${attempt()}-${this.segmentsWritten++}`
    // What a task left at its end is not to overtake its part of the snapshot before, for which it would stand in.
    const before = this.writes.get(task)
    const written = this.track(store.writeSegment(name, snapshot, segmentWriter(this.init.plan, task))).then(
      async segment => {
        await before
        this.post(() => this.onWritten({ task, segment, end }, snapshotId))
      },
      (error: unknown) => this.post(() => this.onWriteFailed(task, snapshotId, end, error)),
    )
    this.writes.set(task, written)
  }

  // A task at its end belongs to whatever snapshot comes next.
  private nextSegmentId(): number {
    return (this.coordinator?.progress()?.id ?? this.newest?.id ?? this.init.nextId - 1) + 1
  }

  private onWritten(result: TaskResult, snapshotId: number): void {
    const { coordinator } = this
    if (coordinator === undefined) return
    const id = taskId(result.task)
    // A task that was closed meanwhile has no say any more.
    if (!this.events.tasks().includes(result.task)) return
    const nowMs = this.now()
    if (result.end === undefined) this.obey(coordinator.acknowledge(snapshotId, id, result, nowMs))
    else this.obey(coordinator.taskFinished(id, result, nowMs))
  }

  private onWriteFailed(task: JobTask, snapshotId: number, end: EndMode | undefined, error: unknown): void {
    if (!this.events.tasks().includes(task)) return
    // Without its last state the task cannot be part of any snapshot again: it has to run to its end once more.
    if (end !== undefined) this.events.onFailure(error)
    else this.obey(this.coordinator?.decline(snapshotId, taskId(task), errorText(error), this.now()) ?? [])
  }

  // A manifest that could not be published may turn up all the same after a crash, so its segments stay until there is a newer one.
  private obey(
    commands: readonly CheckpointCommand<TaskResult, SnapshotRequest>[],
    segments: 'discard' | 'keep' = 'discard',
  ): void {
    if (this.isHalted) return
    for (const command of commands) this.carryOut(command, segments)
  }

  private carryOut(command: CheckpointCommand<TaskResult, SnapshotRequest>, segments: 'discard' | 'keep'): void {
    switch (command.kind) {
      case 'trigger': {
        const snapshot = command.snapshot === 'savepoint' ? 'savepoint' : 'checkpoint'
        const { id: snapshotId, isUnaligned } = command
        for (const task of this.events.tasks()) task.trigger({ kind: 'barrier', snapshotId, snapshot, isUnaligned })
        return
      }
      case 'publish':
        this.publish(command)
        return
      case 'completed':
        return
      case 'aborted':
        this.init.logger.log('warn', 'a snapshot failed; the job goes on', { id: command.id, reason: command.reason })
        for (const task of this.events.tasks()) task.settle(command.id, 'aborted')
        if (segments === 'discard') this.discard(command.discard)
        return
      case 'discard':
        this.discard(command.results)
        return
      case 'answer':
        if (this.newest !== undefined) command.request.resolve(this.newest)
        return
      case 'refuse':
        command.request.reject(new StreamError('CHECKPOINT_FAILED', command.reason))
        return
      case 'fail':
        this.events.onFailure(new StreamError('CHECKPOINT_FAILED', command.reason))
    }
  }

  private publish(command: PublishCommand<TaskResult>): void {
    const { plan, store } = this.init
    const manifest = buildManifest({
      plan,
      id: command.id,
      kind: command.snapshot,
      triggeredMs: command.triggeredMs,
      completedMs: this.now(),
      previous: this.newest,
      results: [...command.results.values()],
    })
    this.track(store.publish(manifest)).then(
      () => this.post(() => this.onPublishedManifest(manifest, command)),
      (error: unknown) =>
        this.post(() => {
          this.obey(this.coordinator?.publishFailed(command.id, errorText(error), this.now()) ?? [], 'keep')
          this.tellPublished()
        }),
    )
  }

  private onPublishedManifest(
    manifest: Manifest,
    { id, snapshot, finished, results }: PublishCommand<TaskResult>,
  ): void {
    this.newest = manifest
    this.init.onCheckpoint?.(manifest)
    const current = this.events.tasks()
    for (const [taskId, { task }] of results) {
      if (!current.includes(task)) continue
      // A task at its end has prepared all it will ever prepare.
      task.settle(finished.has(taskId) ? FINAL_SNAPSHOT_ID : id, 'completed')
    }
    this.obey(this.coordinator?.published(id, this.now()) ?? [])
    this.tellPublished()
    const isEnd = snapshot === 'final'
    this.track(this.init.store.collectGarbage()).catch((error: unknown) => {
      this.init.logger.log('warn', 'old snapshots could not be removed', { error: errorText(error) })
    })
    if (isEnd) this.events.onEnd()
  }

  private track<R>(work: Promise<R>): Promise<R> {
    this.underWay.add(work)
    const forget = (): void => {
      this.underWay.delete(work)
    }
    work.then(forget, forget)
    return work
  }

  private tellPublished(): void {
    for (const resolve of this.onPublished.splice(0)) resolve()
  }

  private discard(results: readonly TaskResult[]): void {
    const names = results.filter(({ end }) => end === undefined).map(({ segment }) => segment.name)
    if (names.length === 0) return
    this.track(this.init.store.discard(names)).catch((error: unknown) => {
      this.init.logger.log('warn', 'segments of a failed snapshot could not be removed', { error: errorText(error) })
    })
  }
}

function coordinated(task: JobTask): CoordinatedTask {
  return { id: taskId(task), isSource: task.isSource }
}

function describeTasks(plan: PhysicalPlan, ids: readonly string[], tasks: readonly JobTask[]): string {
  const [first, ...others] = ids
  const text = (id: string): string => {
    const task = tasks.find(candidate => taskId(candidate) === id)
    const [chain, subtask] = id.split('/')
    const name = plan.chains[Number(chain)]?.name ?? id
    const channels = task?.awaitedChannels()?.join(', ')
    const where =
      channels === undefined || channels === '' ? (task?.status ?? 'gone') : `its barrier has not come over ${channels}`
    return `"${name}" subtask ${subtask} (${where})`
  }
  if (first === undefined) return 'no task'
  return `${text(first)}${others.length === 0 ? '' : ` and ${others.length} more`}`
}
