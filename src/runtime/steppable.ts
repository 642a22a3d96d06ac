// What a scheduler steps: tasks, and what drives their checkpoints.

/**
 * What a step left: `busy`: more to do now; `idle`: no input; `waiting`: for an asynchronous result or a time;
 * `backpressured`: no room downstream; `finished`: nothing will ever be left to do.
 */
export type TaskStatus = 'busy' | 'idle' | 'waiting' | 'backpressured' | 'finished'

/** How much one step may do: records (and timers, and rows of a snapshot beside them), and until when on the monotonic clock. */
export interface StepLimit {
  readonly records: number
  readonly untilMonotonicMs: number
}

/** Something that works in bounded steps. */
export interface Steppable {
  readonly name: string
  /** Tells it from others in the order of steps. */
  readonly ordinal: number
  readonly status: TaskStatus
  /** True when the last step did anything that others may notice. */
  readonly didWork: boolean
  step(limit: StepLimit): TaskStatus
  /** The processing time at which it wants to be stepped even if nothing else happens; Infinity for never. */
  deadlineMs(): number
  /** Nothing is to do here now: from here on it wakes the scheduler itself when it finds work. */
  onSleep?(): void
}
