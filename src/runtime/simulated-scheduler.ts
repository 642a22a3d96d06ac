// A scheduler for tests and the simulator: one seed decides which task is stepped next and how much it may do; time is virtual and moves
// only when no task can do anything. The same seed gives the same run, step by step.
import { BinaryHeap } from '../base/binary-heap.ts'
import type { Clock } from '../base/clock.ts'
import { StreamError } from '../base/errors.ts'
import { finishHash, HASH_SEED, hashByte } from '../base/hash.ts'
import { Prng } from '../base/prng.ts'
import type { Scheduler, SchedulerEvents } from './event-loop-scheduler.ts'
import type { Steppable, TaskStatus } from './steppable.ts'

interface Sleeper {
  readonly wakeMs: number
  readonly sequence: number
  readonly wake: () => void
}

/** Virtual time: starts at the given epoch ms and moves only by `advanceTo`; `jump` makes the wall clock wrong, as somebody who sets it does. */
export class VirtualClock implements Clock {
  private timeMs: number
  /** How far the wall clock is ahead of the time that passed. */
  private jumpedMs = 0
  private readonly sleepers = new BinaryHeap<Sleeper>((a, b) => a.wakeMs - b.wakeMs || a.sequence - b.sequence)
  private slept = 0

  constructor(startMs = 0) {
    this.timeMs = startMs
  }

  now(): number {
    return this.timeMs + this.jumpedMs
  }

  /** Sets the wall clock forward, or back (a negative number of ms). No time passes by it. */
  jump(byMs: number): void {
    this.jumpedMs += byMs
  }

  monotonicMs(): number {
    return this.timeMs
  }

  /** Moves time forward and wakes who slept until then, in the order of their times; a time in the past is ignored. */
  advanceTo(timeMs: number): void {
    this.timeMs = Math.max(this.timeMs, timeMs - this.jumpedMs)
    while (this.nextWakeMs() <= this.now()) this.sleepers.pop()?.wake()
  }

  /** Resolves when so many ms have passed: what a timer of the host is to a function of a job in virtual time. */
  sleep(durationMs: number): Promise<void> {
    return new Promise(wake => {
      this.sleepers.push({ wakeMs: this.timeMs + Math.max(0, durationMs), sequence: this.slept++, wake })
    })
  }

  /** When the next sleeper is to be woken; Infinity when nobody sleeps. */
  nextWakeMs(): number {
    return (this.sleepers.peek()?.wakeMs ?? Infinity) + this.jumpedMs
  }
}

/** What decides a simulated run. */
export interface SimulatedSchedulerInit {
  readonly seed: number
  readonly clock: VirtualClock
  /** Records of one step at most; each step gets a random number up to it. */
  readonly recordsPerStepMax?: number
  /** Steps after which the run counts as endless and fails. */
  readonly stepsMax?: number
  /** Called before each step; false skips the step, and what it throws is the failure of the task. */
  readonly beforeStep?: (task: Steppable) => boolean
}

/** How many turns of pending promises a run waits for asynchronous results before it counts as stuck. To restore a hundred tasks takes a good part of them. */
const PROMISE_TURNS_MAX = 200_000
/** Steps between two turns in which promises may settle. */
const STEPS_PER_TURN = 64

/** Steps tasks in an order that only the seed decides. */
export class SimulatedScheduler implements Scheduler {
  private readonly init: SimulatedSchedulerInit
  private readonly prng: Prng
  private tasks: Steppable[] = []
  private state: 'new' | 'running' | 'halted' = 'new'
  private order = HASH_SEED
  private steps = 0

  constructor(init: SimulatedSchedulerInit) {
    this.init = init
    this.prng = new Prng(init.seed)
  }

  /** Identifies the order of steps so far: two runs with equal orders have equal hashes. */
  get stepOrderHash(): number {
    return finishHash(this.order)
  }

  start(tasks: readonly Steppable[], events: SchedulerEvents): void {
    this.tasks = [...tasks]
    this.state = 'running'
    this.run(events).catch((error: unknown) => events.onFailure(error))
  }

  add(tasks: readonly Steppable[]): void {
    this.tasks = [...this.tasks, ...tasks]
  }

  remove(tasks: readonly Steppable[]): void {
    this.tasks = this.tasks.filter(task => !tasks.includes(task))
  }

  sleep(durationMs: number): Promise<void> {
    return this.init.clock.sleep(durationMs)
  }

  get isRunning(): boolean {
    return this.state === 'running'
  }

  wake(): void {}

  halt(): void {
    this.state = 'halted'
  }

  private async run(events: SchedulerEvents): Promise<void> {
    let idleTurns = 0
    while (this.state === 'running' && this.tasks.length > 0) {
      if (this.stepUntilQuiet(events)) {
        idleTurns = 0
        await Promise.resolve()
        continue
      }
      // Promises first: an asynchronous result is earlier than any timer.
      await Promise.resolve()
      if (++idleTurns < 20) continue
      if (this.advanceTime()) idleTurns = 0
      else if (idleTurns > PROMISE_TURNS_MAX) throw this.stuck()
    }
  }

  /** Steps tasks in random order until a whole round does nothing, or for some turns; true when any step did something. */
  private stepUntilQuiet(events: SchedulerEvents): boolean {
    let hasWorked = false
    for (let turn = 0; turn < STEPS_PER_TURN; turn++) {
      const candidates = [...this.tasks]
      let isAnyWork = false
      while (candidates.length > 0 && !isAnyWork && this.state === 'running') {
        const [task] = candidates.splice(this.prng.below(candidates.length), 1) as [Steppable]
        isAnyWork = this.step(task, events)
      }
      if (!isAnyWork) return hasWorked
      hasWorked = true
    }
    return true
  }

  private step(task: Steppable, events: SchedulerEvents): boolean {
    const records = 1 + this.prng.below(this.init.recordsPerStepMax ?? 8)
    if (++this.steps > (this.init.stepsMax ?? 10_000_000)) throw this.endless()
    let status: TaskStatus
    try {
      if (this.init.beforeStep?.(task) === false) return false
      if (this.state !== 'running') return false
      status = task.step({ records, untilMonotonicMs: Infinity })
    } catch (error) {
      events.onFailure(error, task)
      return true
    }
    if (!task.didWork && status !== 'finished') return status === 'busy'
    this.order = hashByte(hashByte(this.order, (task.ordinal >>> 8) & 0xff), task.ordinal & 0xff)
    if (status === 'finished') {
      this.tasks = this.tasks.filter(other => other !== task)
      events.onTaskFinished(task)
    }
    return true
  }

  private advanceTime(): boolean {
    const { clock } = this.init
    const deadlineMs = this.tasks.reduce((earliest, task) => Math.min(earliest, task.deadlineMs()), clock.nextWakeMs())
    // Who sleeps for no time at all is woken although time stands still.
    const isSoonEnough = deadlineMs > clock.now() || clock.nextWakeMs() <= clock.now()
    if (deadlineMs === Infinity || !isSoonEnough) return false
    clock.advanceTo(deadlineMs)
    return true
  }

  private stuck(): StreamError {
    const statuses = this.tasks.map(task => `${task.name} ${task.status}`).join(', ')
    return new StreamError(
      'INTERNAL_ERROR',
      `the simulated run with seed ${this.init.seed} is stuck: no task has work, no timer is due (${statuses})`,
    )
  }

  private endless(): StreamError {
    return new StreamError(
      'INTERNAL_ERROR',
      `the simulated run with seed ${this.init.seed} did not end within ${this.steps} steps; raise stepsMax if it is that long`,
    )
  }
}
