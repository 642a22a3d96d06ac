// The port through which work is put off: a turn of the host's event loop, or a timer. Nothing here runs by itself.

/** Runs tasks later, in the thread that asked. A task must not throw: nobody above it could catch. */
export interface EventLoop {
  /** Runs the task soon, after I/O that is already pending; tasks run in the order they were given. */
  defer(task: () => void): void
  /** Runs the task once after `delayMs` milliseconds; the function returned cancels it, at any time and any number of times. */
  at(delayMs: number, task: () => void): () => void
}
