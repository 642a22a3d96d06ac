// The event loop port on Node: deferred tasks run in the check phase, so that I/O gets its turn between them.
import type { EventLoop } from '../../base/event-loop.ts'
import { type HostTimers, startTimer } from '../long-timer.ts'

const timers: HostTimers<NodeJS.Timeout> = {
  set: (task, delayMs) => setTimeout(task, delayMs),
  clear: timer => clearTimeout(timer),
}

/** Node's event loop. Deferred tasks and timers keep the process alive. */
export const nodeEventLoop: EventLoop = {
  defer(task) {
    setImmediate(task)
  },
  at(delayMs, task) {
    return startTimer(timers, delayMs, task)
  },
}
