// The real time, which Node and browsers tell in the same way.
import type { Clock } from '../base/clock.ts'

declare const performance: { now(): number }

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
}
