// Makes the planned faults happen, one after the other, and counts those that did.
import { StreamError } from '../../base/errors.ts'
import type { Prng } from '../../base/prng.ts'
import type { VirtualClock } from '../../runtime/simulated-scheduler.ts'
import type { Steppable } from '../../runtime/steppable.ts'
import type { SimulatedFiles } from '../simulated-files.ts'
import type { FaultKind, PlannedFault } from './fault-plan.ts'
import { type ProcessOutcome, SAVEPOINTS_DIRECTORY, type SimulatedProcess } from './simulated-process.ts'

/** What a simulated run is injected into. */
export interface InjectorInit {
  readonly prng: Prng
  readonly files: SimulatedFiles
  readonly clock: VirtualClock
  readonly plan: readonly PlannedFault[]
}

/** What the end of a process means for the next. */
export interface NextProcess {
  readonly isRescaled: boolean
  /** The savepoint that it starts from. */
  readonly savepoint: string | undefined
}

const HOUR_MS = 3_600_000
const SLOW_MS_MAX = 3000
const DELAY_STEPS_MAX = 200

/** Injects faults into one process after the other. */
export class FaultInjector {
  readonly fired = new Map<FaultKind, number>()
  private readonly init: InjectorInit
  private next = 0
  private steps = 0
  private process: SimulatedProcess | undefined
  /** Calls to the disk after which the process dies: in a snapshot, or while it starts. */
  private killAfterCalls: { kind: FaultKind; calls: number; isInSnapshot: boolean } | undefined
  /** Kills that the next starts are to meet. */
  private startKills: FaultKind[] = []
  private slowCalls = 0
  private sleepingTask: { readonly ordinal: number; readonly untilStep: number } | undefined
  private isPowerLost = false
  private isRescaled = false
  private savepoints = 0

  constructor(init: InjectorInit) {
    this.init = init
  }

  /** A process is about to start. */
  onStart(process: SimulatedProcess): void {
    this.process = process
    const kind = this.startKills.shift()
    this.killAfterCalls =
      kind === undefined ? undefined : { kind, calls: this.init.prng.below(12), isInSnapshot: false }
  }

  /** A process has ended: the disk forgets what it may, and a stopped job goes on. */
  async onEnd(outcome: ProcessOutcome): Promise<NextProcess> {
    const { files, prng } = this.init
    if (outcome.kind === 'failed') this.process?.kill()
    // What had reached the disk when the process died takes effect before the power goes.
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
    if (this.isPowerLost) files.crash(prng)
    else if (outcome.kind !== 'ended') files.closeAll()
    this.isPowerLost = false
    this.sleepingTask = undefined
    this.slowCalls = 0
    const { isRescaled } = this
    this.isRescaled = false
    // A job that died before it was stopped starts from where it was.
    const savepoint = outcome.kind === 'ended' ? this.process?.savepoint : undefined
    if (savepoint !== undefined) this.count('resume-savepoint')
    return { isRescaled, savepoint }
  }

  /** How long a call to the disk takes. */
  delay(): Promise<void> {
    const { clock, prng } = this.init
    if (this.slowCalls <= 0) return Promise.resolve()
    this.slowCalls--
    return clock.sleep(prng.below(SLOW_MS_MAX))
  }

  beforeStep(process: SimulatedProcess, task: Steppable): boolean {
    this.steps++
    const { sleepingTask } = this
    if (sleepingTask !== undefined && sleepingTask.untilStep > process.steps && sleepingTask.ordinal === task.ordinal) {
      return false
    }
    const fault = this.init.plan[this.next]
    if (fault === undefined || this.steps < fault.afterSteps) return true
    this.steps = 0
    this.next++
    this.inject(fault.kind, process, task)
    return true
  }

  beforeCall(process: SimulatedProcess, call: string): void {
    const kill = this.killAfterCalls
    if (kill === undefined || (kill.isInSnapshot && call === 'list')) return
    if (kill.calls-- > 0) return
    this.killAfterCalls = undefined
    this.count(kill.kind)
    this.kill(process)
  }

  private inject(kind: FaultKind, process: SimulatedProcess, task: Steppable): void {
    switch (kind) {
      case 'task-crash':
        // The checkpoints are no task: the fault waits for the next step.
        if (task.name === 'checkpoints') {
          this.postpone()
          return
        }
        this.count(kind)
        throw new StreamError('USER_FUNCTION_FAILED', 'a simulated crash of the task')
      case 'savepoint':
        this.takeSavepoint(process)
        return
      case 'resume-savepoint':
        process.stopWithSavepoint(this.nextSavepoint())
        return
      case 'rescale':
        this.count(kind)
        this.isRescaled = true
        // Half of the jobs are stopped for it; the others go on from a checkpoint.
        if (this.init.prng.below(2) === 0) process.run?.stop()
        else this.kill(process)
        return
      case 'io-error':
      case 'sync-error':
      case 'disk-full':
      case 'slow-disk':
        this.injectDiskFault(kind)
        return
      case 'delayed-delivery':
      case 'delayed-task':
      case 'clock-jump':
        this.injectDelay(kind, process, task)
        return
      default:
        this.injectKill(kind, process)
    }
  }

  private injectKill(kind: FaultKind, process: SimulatedProcess): void {
    const { prng } = this.init
    switch (kind) {
      case 'process-kill':
        this.count(kind)
        process.kill()
        return
      case 'power-loss':
        this.count(kind)
        this.isPowerLost = true
        process.kill()
        return
      case 'kill-in-snapshot':
        // The calls that follow are those of the snapshots that follow.
        this.killAfterCalls = { kind, calls: prng.below(30), isInSnapshot: true }
        return
      case 'kill-in-savepoint':
        this.takeSavepoint(process)
        this.killAfterCalls = { kind, calls: prng.below(60), isInSnapshot: true }
        return
      case 'kill-in-restore':
        this.startKills.push(kind)
        break
      case 'kill-in-second-restore':
        this.startKills.push('kill-in-restore', kind)
        break
      case 'kill-in-rescale':
        this.isRescaled = true
        this.startKills.push(kind)
        break
      default:
        throw new Error(`no process dies of ${kind}`)
    }
    this.kill(process)
  }

  private injectDiskFault(kind: 'io-error' | 'sync-error' | 'disk-full' | 'slow-disk'): void {
    const { prng, files } = this.init
    this.count(kind)
    switch (kind) {
      case 'io-error':
        files.failCall(1 + prng.below(10), 'EIO')
        return
      case 'sync-error':
        files.failSync(1 + prng.below(4))
        return
      case 'disk-full':
        files.failCall(1 + prng.below(10), 'ENOSPC')
        return
      case 'slow-disk':
        this.slowCalls = 1 + prng.below(20)
    }
  }

  private injectDelay(
    kind: 'delayed-delivery' | 'delayed-task' | 'clock-jump',
    process: SimulatedProcess,
    task: Steppable,
  ): void {
    const { prng, clock } = this.init
    switch (kind) {
      case 'delayed-delivery': {
        const channel = process.channels[prng.below(Math.max(1, process.channels.length))]
        if (channel === undefined) return
        channel.holdUntil(process.steps + prng.below(DELAY_STEPS_MAX))
        break
      }
      case 'delayed-task':
        this.sleepingTask = { ordinal: task.ordinal, untilStep: process.steps + prng.below(DELAY_STEPS_MAX) }
        break
      case 'clock-jump':
        clock.jump(prng.below(2 * HOUR_MS) - HOUR_MS)
    }
    this.count(kind)
  }

  private nextSavepoint(): string {
    return `${SAVEPOINTS_DIRECTORY}/${++this.savepoints}`
  }

  private takeSavepoint(process: SimulatedProcess): void {
    process.takeSavepoint(this.nextSavepoint()).then(
      () => this.count('savepoint'),
      // The job may end, or the disk fail, before it is taken.
      () => {},
    )
  }

  /** Half of the deaths take the power with them. */
  private kill(process: SimulatedProcess): void {
    this.isPowerLost ||= this.init.prng.below(2) === 0
    process.kill()
  }

  // The task at hand is the wrong one: the fault waits for the next step.
  private postpone(): void {
    this.next--
    this.steps = this.init.plan[this.next]?.afterSteps ?? 0
  }

  private count(kind: FaultKind): void {
    this.fired.set(kind, (this.fired.get(kind) ?? 0) + 1)
  }
}
