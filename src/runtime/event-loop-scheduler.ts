// Steps the tasks of a thread in turn: a slice of a few milliseconds, then the event loop gets its I/O done. When no task can do
// anything it sleeps until the next deadline or until something asynchronous wakes it.
import type { Clock } from '../base/clock.ts'
import type { EventLoop } from '../base/event-loop.ts'
import type { Steppable } from './steppable.ts'

/** I/O never waits longer than about this. */
const SLICE_MS = 5
/** A step of a task ends after about this. */
const STEP_MS = 1
/** Records (and timers) of one step at most. */
const STEP_RECORDS = 4096
/** Timers of event loops end at 2^31 ms; waking up once in a while for nothing costs nothing. */
const SLEEP_MS_MAX = 60_000

/** What a scheduler reports to the job. */
export interface SchedulerEvents {
  onTaskFinished(task: Steppable): void
  /** A step threw; without a task the scheduler itself failed. */
  onFailure(error: unknown, task?: Steppable): void
}

/** What runs the tasks of a job. */
export interface Scheduler {
  start(tasks: readonly Steppable[], events: SchedulerEvents): void
  /** Steps these too, after `start`. */
  add(tasks: readonly Steppable[]): void
  /** Steps these no more. */
  remove(tasks: readonly Steppable[]): void
  /** Resolves after so many milliseconds of processing time. */
  sleep(durationMs: number): Promise<void>
  /** Something asynchronous gave a task work. */
  wake(): void
  /** No task is stepped after this. */
  halt(): void
}

/** The scheduler of production. */
export class EventLoopScheduler implements Scheduler {
  private readonly eventLoop: EventLoop
  private readonly clock: Clock
  private tasks: Steppable[] = []
  private events: SchedulerEvents | undefined
  private state: 'new' | 'running' | 'scheduled' | 'asleep' | 'halted' = 'new'
  /** A wake-up that came while a slice was running. */
  private isWoken = false
  private cancelTimer: (() => void) | undefined

  constructor(eventLoop: EventLoop, clock: Clock) {
    this.eventLoop = eventLoop
    this.clock = clock
  }

  start(tasks: readonly Steppable[], events: SchedulerEvents): void {
    this.tasks = [...tasks]
    this.events = events
    this.schedule()
  }

  add(tasks: readonly Steppable[]): void {
    this.tasks = [...this.tasks, ...tasks]
    this.wake()
  }

  remove(tasks: readonly Steppable[]): void {
    this.tasks = this.tasks.filter(task => !tasks.includes(task))
  }

  sleep(durationMs: number): Promise<void> {
    return new Promise(resolve => this.eventLoop.at(durationMs, resolve))
  }

  wake(): void {
    if (this.state === 'running') this.isWoken = true
    if (this.state === 'asleep') this.schedule()
  }

  halt(): void {
    this.state = 'halted'
    this.cancelTimer?.()
  }

  private schedule(): void {
    this.cancelTimer?.()
    this.cancelTimer = undefined
    this.state = 'scheduled'
    this.eventLoop.defer(() => this.runSlice())
  }

  private runSlice(): void {
    if (this.state !== 'scheduled') return
    this.state = 'running'
    this.isWoken = false
    const untilMs = this.clock.monotonicMs() + SLICE_MS
    let isAnyWork = true
    while (isAnyWork && this.clock.monotonicMs() < untilMs) {
      isAnyWork = this.runRound(untilMs)
      if ((this.state as string) === 'halted') return
    }
    if (isAnyWork || this.isWoken) this.schedule()
    else this.sleepUntilDeadline()
  }

  /** Steps every task once; true when any did something. */
  private runRound(untilMs: number): boolean {
    let isAnyWork = false
    let isAnyFinished = false
    for (const task of this.tasks) {
      try {
        const untilMonotonicMs = Math.min(untilMs, this.clock.monotonicMs() + STEP_MS)
        if (task.step({ records: STEP_RECORDS, untilMonotonicMs }) === 'finished') isAnyFinished = true
      } catch (error) {
        this.events?.onFailure(error, task)
      }
      if (this.state === 'halted') return false
      isAnyWork ||= task.didWork || task.status === 'busy'
    }
    if (isAnyFinished) this.removeFinished()
    return isAnyWork
  }

  private removeFinished(): void {
    const finished = this.tasks.filter(task => task.status === 'finished')
    this.tasks = this.tasks.filter(task => task.status !== 'finished')
    for (const task of finished) this.events?.onTaskFinished(task)
  }

  private sleepUntilDeadline(): void {
    this.state = 'asleep'
    const deadlineMs = this.tasks.reduce((earliest, task) => Math.min(earliest, task.deadlineMs()), Infinity)
    for (const task of this.tasks) task.onSleep?.()
    if (deadlineMs === Infinity) return
    const delayMs = Math.min(SLEEP_MS_MAX, Math.max(0, deadlineMs - this.clock.now()))
    this.cancelTimer = this.eventLoop.at(delayMs, () => this.wake())
  }
}
