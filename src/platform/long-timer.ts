// Timers of any length over the host's timers, which overflow at 2^31 ms and then fire at once.

/** The host's functions for timers. */
export interface HostTimers<T> {
  set(task: () => void, delayMs: number): T
  clear(timer: T): void
}

/** The longest delay that a host's timer takes. */
export const TIMER_DELAY_MS_MAX = 2 ** 31 - 1

/** Runs the task once after the delay, at once for a delay that is negative; the function returned cancels it. */
export function startTimer<T>(host: HostTimers<T>, delayMs: number, task: () => void): () => void {
  let remainingMs = Math.max(0, delayMs)
  let timer: T
  const arm = (): void => {
    const partMs = Math.min(remainingMs, TIMER_DELAY_MS_MAX)
    remainingMs -= partMs
    timer = host.set(remainingMs > 0 ? arm : task, partMs)
  }
  arm()
  return () => host.clear(timer)
}
