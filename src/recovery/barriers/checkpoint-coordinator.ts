// Decides when snapshots begin and how they end: a pure state machine whose events are methods and whose answers are commands. It sends no
// barrier, writes nothing and reads no clock; at most one snapshot is under way.
import { assert } from '../../base/assert.ts'
import type { CheckpointSettings } from '../../model/checkpoint-options.ts'
import type { CheckpointCommand, CoordinatedTask, PublishCommand, SnapshotKind } from './checkpoint-commands.ts'
import { CheckpointHistory } from './checkpoint-history.ts'

/** Requests that wait for their turn; further ones are refused. */
export const REQUESTS_MAX = 16
/** The snapshot at the end of all input is tried so often: without it the last results of transactional sinks are never committed. */
export const FINAL_ATTEMPTS_MAX = 5
/** From a failed final snapshot to the next attempt. */
export const FINAL_RETRY_MS = 1000

/** What a coordinator is made with. */
export interface CoordinatorOptions {
  readonly settings: Pick<
    CheckpointSettings,
    'intervalMs' | 'minPauseMs' | 'timeoutMs' | 'tolerableFailures' | 'isUnaligned'
  >
  /** All tasks of the job, at least one. */
  readonly tasks: readonly CoordinatedTask[]
  /** The id of the first snapshot; ids ascend by one, over restarts too. */
  readonly nextId: number
  /** Epoch ms; the first interval begins here. */
  readonly nowMs: number
  /** Names tasks in reasons: `step "count" (subtask 2)`. */
  readonly describe: (tasks: readonly string[]) => string
}

/** The snapshot that is under way, for people. */
export interface SnapshotProgress {
  readonly id: number
  readonly kind: SnapshotKind
  readonly state: 'collecting' | 'publishing'
  readonly triggeredMs: number
  /** Tasks that have not handed in their part. */
  readonly pending: readonly string[]
}

/**
 * - `running`: all kinds of snapshots begin; `stopping`: only those asked for
 * - `suspended`: between a failure and the restart, and `failed`: too many snapshots failed; none begins before `reset`
 * - `ended`: the final snapshot is complete
 */
type Phase = 'running' | 'stopping' | 'suspended' | 'failed' | 'ended'

interface UnderWay<R, Q> {
  readonly id: number
  readonly snapshot: SnapshotKind
  readonly triggeredMs: number
  readonly requests: readonly Q[]
  /** On the coordinator's own time. */
  readonly deadlineMs: number
  readonly pending: Set<string>
  readonly results: Map<string, R>
  /** Those of the results that stand for a task's end. */
  readonly finished: Set<string>
  state: 'collecting' | 'publishing'
}

/**
 * The coordinator of one job. `nowMs` is epoch ms and may jump: when it goes back, everything that is due moves with it. Every method that
 * gives commands wants them carried out in their order. The time-out is for the barriers: publication must answer, however late, since a
 * snapshot that was given up and then appears on the storage could be restored. R is what a task hands in, Q is opaque and comes back with the answer to a request.
 */
export class CheckpointCoordinator<R, Q = unknown> {
  readonly history = new CheckpointHistory()
  private readonly settings: CoordinatorOptions['settings']
  private readonly describe: (tasks: readonly string[]) => string
  /** Task ids with whether barriers enter there. */
  private readonly tasks = new Map<string, boolean>()
  /** The last results of tasks that have ended. */
  private readonly finished = new Map<string, R>()
  private readonly queue: { readonly kind: 'checkpoint' | 'savepoint'; readonly request: Q }[] = []
  private phase: Phase = 'running'
  private underWay: UnderWay<R, Q> | undefined
  private nextId: number
  /** Failures in a row, savepoints left out. */
  private failures = 0
  private finalAttempts = 0
  /** The coordinator's own time, which never goes back, and how far it is ahead of the time given. */
  private timeMs: number
  private skewMs = 0
  private periodicMs: number
  private pauseUntilMs = -Infinity
  private finalMs: number

  constructor({ settings, tasks, nextId, nowMs, describe }: CoordinatorOptions) {
    assert(tasks.length > 0, 'a checkpoint coordinator was given no tasks')
    this.settings = settings
    this.describe = describe
    this.nextId = nextId
    this.timeMs = nowMs
    this.finalMs = nowMs
    this.periodicMs = nowMs + settings.intervalMs
    for (const { id, isSource } of tasks) this.tasks.set(id, isSource)
  }

  /** Time has passed: gives up what takes too long, or triggers what is due. To be called again while `nextTickMs()` is not later than now. */
  tick(nowMs: number): readonly CheckpointCommand<R, Q>[] {
    this.moveTo(nowMs)
    const { underWay } = this
    if (underWay === undefined) return this.startDue(nowMs)
    if (underWay.state !== 'collecting' || this.timeMs < underWay.deadlineMs) return []
    return this.abort(`${this.stuckText(underWay)} within ${this.settings.timeoutMs} ms`, nowMs)
  }

  /** When `tick` has something to do, epoch ms; Infinity while only other events can bring it on. */
  nextTickMs(): number {
    return this.dueMs() - this.skewMs
  }

  /** A task hands in its part of a snapshot. What comes twice, or after the snapshot has ended, is discarded. */
  acknowledge(id: number, task: string, result: R, nowMs: number): readonly CheckpointCommand<R, Q>[] {
    this.moveTo(nowMs)
    const { underWay } = this
    if (underWay?.id !== id || !underWay.pending.delete(task)) return [{ kind: 'discard', results: [result] }]
    underWay.results.set(task, result)
    return this.publishWhenWhole(underWay)
  }

  /** A task cannot take its part of a snapshot, which is thereby given up. */
  decline(id: number, task: string, reason: string, nowMs: number): readonly CheckpointCommand<R, Q>[] {
    this.moveTo(nowMs)
    const { underWay } = this
    if (underWay?.id !== id || underWay.state !== 'collecting') return []
    return this.abort(`${nameOf(underWay)} was declined by ${this.describe([task])}: ${reason}`, nowMs)
  }

  /**
   * A task is at its end. Its last result stands for it in all later snapshots, and in the one under way unless it handed in something for
   * that. After the last task the final snapshot begins.
   */
  taskFinished(task: string, result: R, nowMs: number): readonly CheckpointCommand<R, Q>[] {
    this.moveTo(nowMs)
    assert(this.tasks.has(task), `task ${task} finished, which the checkpoint coordinator does not know`)
    if (this.finished.has(task)) return [{ kind: 'discard', results: [result] }]
    this.finished.set(task, result)
    const { underWay } = this
    if (underWay === undefined) return this.startWaiting(nowMs)
    if (!underWay.pending.delete(task)) return []
    underWay.results.set(task, result)
    underWay.finished.add(task)
    return this.publishWhenWhole(underWay)
  }

  /** The snapshot is durable. */
  published(id: number, nowMs: number): readonly CheckpointCommand<R, Q>[] {
    this.moveTo(nowMs)
    const { snapshot, requests } = this.publishingOf(id)
    this.failures = 0
    if (snapshot === 'final' && this.phase === 'running') this.phase = 'ended'
    this.end('completed', nowMs)
    return [
      { kind: 'completed', id },
      ...requests.map(request => ({ kind: 'answer', request, id }) as const),
      ...(this.phase === 'ended' ? this.refuseQueued(JOB_ENDED) : []),
      ...this.startWaiting(nowMs),
    ]
  }

  /** The snapshot could not be made durable, and nothing of it can be found on the storage. */
  publishFailed(id: number, reason: string, nowMs: number): readonly CheckpointCommand<R, Q>[] {
    this.moveTo(nowMs)
    return this.abort(`${nameOf(this.publishingOf(id))} could not be published: ${reason}`, nowMs)
  }

  /** Asks for a snapshot: at once, or after those asked for before. A `checkpoint` may be answered by the final snapshot. */
  request(kind: 'checkpoint' | 'savepoint', request: Q, nowMs: number): readonly CheckpointCommand<R, Q>[] {
    this.moveTo(nowMs)
    const reason = this.refusal()
    if (reason !== undefined) return [{ kind: 'refuse', request, reason }]
    this.queue.push({ kind, request })
    return this.startWaiting(nowMs)
  }

  /** From now on only snapshots that were asked for begin: neither periodic ones nor a final one. The one under way goes on. */
  stopTriggering(): void {
    if (this.phase === 'running') this.phase = 'stopping'
  }

  /**
   * Tasks have failed: the snapshot under way is given up, unless it has all its parts and is being published; none begins before `reset`,
   * and requests wait. Who restores must wait until `publishingId()` is undefined: that snapshot may become the newest.
   */
  suspend(reason: string, nowMs: number): readonly CheckpointCommand<R, Q>[] {
    this.moveTo(nowMs)
    this.phase = 'suspended'
    return this.giveUp(reason, nowMs)
  }

  /**
   * The tasks given were restarted: none of them is at its end any more, and those not given go on as they were. Gives up a snapshot under
   * way, which must not be in publication. The interval and the count of failures begin anew.
   */
  reset(tasks: readonly CoordinatedTask[], nowMs: number): readonly CheckpointCommand<R, Q>[] {
    this.moveTo(nowMs)
    assert(
      this.publishingId() === undefined,
      `tasks were restarted while snapshot ${this.publishingId()} was being published, which may be newer than what they were restored from`,
    )
    this.phase = 'suspended'
    const commands = this.giveUp('tasks were restarted', nowMs)
    for (const { id, isSource } of tasks) {
      this.tasks.set(id, isSource)
      this.finished.delete(id)
    }
    this.phase = 'running'
    this.failures = 0
    this.finalAttempts = 0
    this.finalMs = this.timeMs
    this.periodicMs = this.timeMs + this.settings.intervalMs
    return [...commands, ...this.startWaiting(nowMs)]
  }

  /** The snapshot that `published` or `publishFailed` is awaited for. */
  publishingId(): number | undefined {
    return this.underWay?.state === 'publishing' ? this.underWay.id : undefined
  }

  /** The tasks that have not handed in their part; none for a snapshot that is not under way. */
  pendingTasks(id: number): readonly string[] {
    return this.underWay?.id === id ? [...this.underWay.pending] : []
  }

  /** What holds up the snapshot under way, in words; undefined when nothing is waited for. */
  stalled(nowMs: number): string | undefined {
    const { underWay } = this
    if (underWay?.state !== 'collecting') return undefined
    return `${this.stuckText(underWay)} so far (${Math.max(0, nowMs - underWay.triggeredMs)} ms)`
  }

  /** The snapshot under way, for people. */
  progress(): SnapshotProgress | undefined {
    if (this.underWay === undefined) return undefined
    const { id, snapshot, state, triggeredMs, pending } = this.underWay
    return { id, kind: snapshot, state, triggeredMs, pending: [...pending] }
  }

  private moveTo(nowMs: number): void {
    const timeMs = nowMs + this.skewMs
    if (timeMs >= this.timeMs) this.timeMs = timeMs
    // The clock was set back: waiting until it comes round again could take for ever.
    else this.skewMs = this.timeMs - nowMs
  }

  private dueMs(): number {
    if (this.underWay !== undefined) return this.underWay.state === 'collecting' ? this.underWay.deadlineMs : Infinity
    if (this.phase !== 'running') return Infinity
    if (this.hasAllFinished()) return this.finalMs
    return this.hasRunningSource() ? Math.max(this.periodicMs, this.pauseUntilMs) : Infinity
  }

  private startDue(nowMs: number): CheckpointCommand<R, Q>[] {
    if (this.timeMs < this.dueMs()) return []
    return this.hasAllFinished() ? this.startAtEnd(nowMs) : this.begin('checkpoint', [], nowMs)
  }

  /** Begins what waits for nothing but its turn. */
  private startWaiting(nowMs: number): CheckpointCommand<R, Q>[] {
    if (this.underWay !== undefined || (this.phase !== 'running' && this.phase !== 'stopping')) return []
    if (this.hasAllFinished()) return this.startAtEnd(nowMs)
    // Without a source no barrier enters: what is left will come to its end, and then needs none.
    const next = this.hasRunningSource() ? this.queue.shift() : undefined
    return next === undefined ? [] : this.begin(next.kind, [next.request], nowMs)
  }

  /** All that the tasks will ever hand in is here: savepoints are made of it, and at last the final snapshot. */
  private startAtEnd(nowMs: number): CheckpointCommand<R, Q>[] {
    const isStopping = this.phase === 'stopping'
    const index = this.queue.findIndex(({ kind }) => kind === 'savepoint' || isStopping)
    const next = index < 0 ? undefined : this.queue.splice(index, 1)[0]
    if (next !== undefined) return this.begin(next.kind, [next.request], nowMs)
    if (isStopping || this.timeMs < this.finalMs) return []
    const requests = this.queue.splice(0).map(({ request }) => request)
    return this.begin('final', requests, nowMs)
  }

  private begin(snapshot: SnapshotKind, requests: readonly Q[], nowMs: number): CheckpointCommand<R, Q>[] {
    const { intervalMs, timeoutMs, isUnaligned } = this.settings
    const id = this.nextId++
    const underWay: UnderWay<R, Q> = {
      id,
      snapshot,
      triggeredMs: nowMs,
      requests,
      deadlineMs: this.timeMs + timeoutMs,
      pending: new Set([...this.tasks.keys()].filter(task => !this.finished.has(task))),
      results: new Map(this.finished),
      finished: new Set(this.finished.keys()),
      state: 'collecting',
    }
    this.underWay = underWay
    if (snapshot === 'checkpoint') this.periodicMs = this.timeMs + intervalMs
    const publish = this.publishWhenWhole(underWay)
    if (publish.length > 0) return publish
    // The records that an unaligned barrier overtook belong to one way of running the job; a savepoint is to outlive it.
    return [{ kind: 'trigger', id, snapshot, isUnaligned: isUnaligned && snapshot === 'checkpoint' }]
  }

  private publishWhenWhole(underWay: UnderWay<R, Q>): PublishCommand<R>[] {
    if (underWay.pending.size > 0) return []
    assert(underWay.state === 'collecting', `snapshot ${underWay.id} is being published already`)
    underWay.state = 'publishing'
    const { id, snapshot, triggeredMs, results, finished } = underWay
    return [{ kind: 'publish', id, snapshot, triggeredMs, results, finished }]
  }

  private publishingOf(id: number): UnderWay<R, Q> {
    const { underWay } = this
    assert(
      underWay?.id === id && underWay.state === 'publishing',
      `snapshot ${id} was published, or failed to be, out of turn`,
    )
    return underWay
  }

  private abort(reason: string, nowMs: number): CheckpointCommand<R, Q>[] {
    const { snapshot } = this.underWay as UnderWay<R, Q>
    const commands = this.endAborted(reason, nowMs)
    if (snapshot !== 'savepoint') commands.push(...this.countFailure(snapshot, reason))
    return [...commands, ...this.startWaiting(nowMs)]
  }

  /** Ends what is under way for a reason that is no fault of its own. */
  private giveUp(reason: string, nowMs: number): CheckpointCommand<R, Q>[] {
    const { underWay } = this
    return underWay?.state === 'collecting' ? this.endAborted(`${nameOf(underWay)} was given up: ${reason}`, nowMs) : []
  }

  private endAborted(reason: string, nowMs: number): CheckpointCommand<R, Q>[] {
    const { id, requests, results, finished } = this.underWay as UnderWay<R, Q>
    const discard = [...results].filter(([task]) => !finished.has(task)).map(([, result]) => result)
    this.end('aborted', nowMs, reason)
    return [
      { kind: 'aborted', id, reason, discard },
      ...requests.map(request => ({ kind: 'refuse', request, reason }) as const),
    ]
  }

  private end(outcome: 'completed' | 'aborted', endedMs: number, reason?: string): void {
    const { id, snapshot, triggeredMs } = this.underWay as UnderWay<R, Q>
    const record = { id, kind: snapshot, triggeredMs, endedMs, outcome }
    this.history.add(reason === undefined ? record : { ...record, reason })
    this.underWay = undefined
    this.pauseUntilMs = this.timeMs + this.settings.minPauseMs
  }

  private countFailure(snapshot: SnapshotKind, reason: string): CheckpointCommand<R, Q>[] {
    const { tolerableFailures } = this.settings
    this.failures++
    if (snapshot === 'final') {
      this.finalAttempts++
      this.finalMs = this.timeMs + FINAL_RETRY_MS
    }
    // A job that is about to be restarted anyway has nothing to fail.
    if (this.phase === 'suspended') return []
    if (this.failures > tolerableFailures) {
      const inARow = this.failures === 1 ? 'a checkpoint failed' : `${this.failures} checkpoints in a row failed`
      return this.fail(`${inARow} (${tolerableFailures} tolerated); the last: ${reason}`)
    }
    if (this.finalAttempts < FINAL_ATTEMPTS_MAX) return []
    return this.fail(`the final checkpoint failed ${this.finalAttempts} times; the last: ${reason}`)
  }

  private fail(reason: string): CheckpointCommand<R, Q>[] {
    this.phase = 'failed'
    return [{ kind: 'fail', reason }, ...this.refuseQueued(JOB_FAILED)]
  }

  private refuseQueued(reason: string): CheckpointCommand<R, Q>[] {
    return this.queue.splice(0).map(({ request }) => ({ kind: 'refuse', request, reason }))
  }

  private refusal(): string | undefined {
    if (this.phase === 'ended') return JOB_ENDED
    if (this.phase === 'failed') return JOB_FAILED
    if (this.queue.length >= REQUESTS_MAX)
      return `${REQUESTS_MAX} snapshots wait for their turn already; ask again later`
    return undefined
  }

  private stuckText(underWay: UnderWay<R, Q>): string {
    return `the barrier of ${nameOf(underWay)} did not get through ${this.describe([...underWay.pending])}`
  }

  private hasAllFinished(): boolean {
    return this.finished.size === this.tasks.size
  }

  private hasRunningSource(): boolean {
    for (const [task, isSource] of this.tasks) if (isSource && !this.finished.has(task)) return true
    return false
  }
}

const JOB_ENDED = 'the job has come to its end'
const JOB_FAILED = 'the job fails, since too many checkpoints did'

function nameOf({ id, snapshot }: { readonly id: number; readonly snapshot: SnapshotKind }): string {
  return snapshot === 'final' ? `final checkpoint ${id}` : `${snapshot} ${id}`
}
