// The event loop port in a browser. Deferred tasks travel through a message channel: nested timers wait 4 ms at least.
import { Deque } from '../../base/deque.ts'
import type { EventLoop } from '../../base/event-loop.ts'
import { type HostTimers, startTimer } from '../long-timer.ts'
import { browserGlobals, type MessagePortLike } from './browser-globals.ts'

const timers: HostTimers<unknown> = {
  set: (task, delayMs) => browserGlobals().setTimeout(task, delayMs),
  clear: timer => browserGlobals().clearTimeout(timer),
}

/** The event loop of a page or web worker; each has a channel of its own, opened at the first deferred task. */
export class BrowserEventLoop implements EventLoop {
  private readonly tasks = new Deque<() => void>()
  private receiver: MessagePortLike | undefined
  private sender: MessagePortLike | undefined

  defer(task: () => void): void {
    if (this.sender === undefined) this.openChannel()
    this.tasks.push(task)
    // Listening only while something is under way: outside of browsers a port that is listened to keeps the process alive.
    const { receiver } = this
    if (receiver !== undefined) receiver.onmessage ??= () => this.runNext()
    this.sender?.postMessage(null)
  }

  at(delayMs: number, task: () => void): () => void {
    return startTimer(timers, delayMs, task)
  }

  // One message is one task, so that the browser can paint and answer events in between.
  private runNext(): void {
    const task = this.tasks.shift()
    if (this.tasks.length === 0 && this.receiver !== undefined) this.receiver.onmessage = null
    task?.()
  }

  private openChannel(): void {
    const { MessageChannel } = browserGlobals()
    const { port1, port2 } = new MessageChannel()
    this.receiver = port1
    this.sender = port2
  }
}
