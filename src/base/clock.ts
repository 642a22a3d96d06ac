// The port through which everything asks for the time. The platform gives a real one, tests and the simulator a virtual one.

/** Wall-clock time for processing-time semantics, and a monotonic reading for budgets. */
export interface Clock {
  /** Processing time: epoch milliseconds. May jump when the machine's clock is set. */
  now(): number
  /** Milliseconds since an arbitrary origin; never goes back. */
  monotonicMs(): number
}
