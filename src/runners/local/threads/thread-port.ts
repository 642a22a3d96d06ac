// How the main thread makes another one and talks to it; a platform has an implementation.
import type { Command, Report, ThreadStart } from './thread-messages.ts'

/** What the main thread hears of another. */
export interface ThreadEvents {
  onReport(report: Report): void
  /** The thread is no more; what it died of, in words. */
  onExit(reason: string): void
}

/** Another thread. */
export interface JobThread {
  send(command: Command): void
  /** Ends it at once. Resolves when it is gone; `onExit` is called too. */
  terminate(): Promise<void>
}

/** Starts a thread that runs parts of a job. */
export type StartThread = (start: ThreadStart, events: ThreadEvents) => JobThread
