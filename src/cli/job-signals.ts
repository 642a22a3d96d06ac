// What Ctrl-C and SIGTERM mean to running jobs: stop gracefully, the second time at once, the third time without waiting for anything.
import type { JobHandle } from '../entry/index.ts'

/** The part of the process that is needed. */
export interface SignalSource {
  on(signal: JobSignal, listener: (signal: JobSignal) => void): unknown
  off(signal: JobSignal, listener: (signal: JobSignal) => void): unknown
  exit(code: number): void
}

/** A signal that ends jobs. */
export type JobSignal = 'SIGINT' | 'SIGTERM'

/** Exit codes of a process that a signal ended: 128 and the signal's number. */
const EXIT_CODES: Readonly<Record<JobSignal, number>> = { SIGINT: 130, SIGTERM: 143 }
const SIGNALS = Object.keys(EXIT_CODES) as readonly JobSignal[]

/** Ends the jobs it is given when a signal arrives, and those that start later. */
export class JobSignals {
  /** The exit code that the last signal asks for; 0 as long as there was none. */
  exitCode = 0
  private readonly source: SignalSource
  private readonly onStopping: () => void
  private readonly handles: JobHandle[] = []
  private received = 0

  /** `onStopping` is told of the first signal, if there are jobs to stop. */
  constructor(source: SignalSource, onStopping: () => void) {
    this.source = source
    this.onStopping = onStopping
    for (const signal of SIGNALS) source.on(signal, this.onSignal)
  }

  /** Includes a job that was just started. */
  add(handle: JobHandle): void {
    this.handles.push(handle)
    if (this.received > 0) this.end(handle)
  }

  /** Leaves signals to the process again. */
  close(): void {
    for (const signal of SIGNALS) this.source.off(signal, this.onSignal)
  }

  private readonly onSignal = (signal: JobSignal): void => {
    this.received++
    this.exitCode = EXIT_CODES[signal]
    // Without a job there is nothing to flush: the module is still being loaded.
    if (this.handles.length === 0 || this.received > 2) {
      this.source.exit(this.exitCode)
      return
    }
    for (const handle of this.handles) this.end(handle)
    if (this.received === 1) this.onStopping()
  }

  // A failure on the way is told by the run itself.
  private end(handle: JobHandle): void {
    void (this.received === 1 ? handle.stop() : handle.cancel())
  }
}
