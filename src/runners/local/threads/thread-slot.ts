// The place of one thread in a crew: it is started when something is to be deployed there, and again after it was lost.
import { StreamError } from '../../../base/errors.ts'
import type { EventLoop } from '../../../base/event-loop.ts'
import { graphMismatch } from './graph-mismatch.ts'
import { receiveError } from './sent-error.ts'
import type { Command, DeployCommand, Readings, Report } from './thread-messages.ts'
import type { JobThread, ThreadEvents } from './thread-port.ts'

/** How often its sign of life is looked at. */
const LOOK_EVERY_MS = 1000

/** What a slot is made of. */
export interface ThreadSlotInit {
  readonly thread: number
  /** The graph that the thread has to build. */
  readonly graph: string
  readonly eventLoop: EventLoop
  readonly silenceMsMax: number
  start(heartbeat: SharedArrayBuffer, events: ThreadEvents): JobThread
  /** Reports that concern the job. */
  onReport(report: Report): void
  /** The thread ended of its own accord. */
  onLost(error: StreamError): void
}

interface Waiting<R> {
  readonly resolve: (value: R) => void
  readonly reject: (error: unknown) => void
}

/** A thread while it lives. */
interface Running {
  readonly thread: JobThread
  readonly ready: Promise<void>
  readonly gone: Promise<void>
  readonly heartbeat: Int32Array
}

/** One thread of a crew over its lives. */
export class ThreadSlot {
  /** What it counted, as it told last. */
  readings: Readings | undefined
  private readonly init: ThreadSlotInit
  private running: Running | undefined
  private readonly deploying = new Map<number, Waiting<void>>()
  private readonly closing = new Map<number, Waiting<unknown>>()
  private isEnding = false
  /** How long it gave no sign of life before it was ended for that; 0 unless it was. */
  private silentMs = 0

  constructor(init: ThreadSlotInit) {
    this.init = init
  }

  /** Sends a command to the thread, if it lives. */
  send(command: Command): void {
    this.running?.thread.send(command)
  }

  /** Resolves when the region's tasks of this thread are made and open. */
  async deploy(command: DeployCommand): Promise<void> {
    this.running ??= this.start()
    await this.running.ready
    const done = new Promise<void>((resolve, reject) => this.deploying.set(command.region, { resolve, reject }))
    // A thread that ends before it is waited for is told of by the call before.
    done.catch(() => {})
    this.send(command)
    await done
  }

  /** Resolves when the region's tasks are closed, with the failure to close them if there was one. */
  async close(region: number): Promise<unknown> {
    if (this.running === undefined) return undefined
    const done = new Promise<unknown>((resolve, reject) => this.closing.set(region, { resolve, reject }))
    this.send({ kind: 'close', region })
    return done
  }

  /** Ends the thread. */
  async end(): Promise<void> {
    this.isEnding = true
    const { running } = this
    if (running === undefined) return
    this.send({ kind: 'exit' })
    await running.gone
  }

  private start(): Running {
    const memory = new SharedArrayBuffer(4)
    let onReady: Waiting<void> | undefined
    let onGone: (() => void) | undefined
    const ready = new Promise<void>((resolve, reject) => {
      onReady = { resolve, reject }
    })
    const gone = new Promise<void>(resolve => {
      onGone = resolve
    })
    const thread = this.init.start(memory, {
      onReport: report => this.onReport(report, onReady as Waiting<void>),
      onExit: reason => {
        onReady?.reject(lost(this.init.thread, reason))
        onGone?.()
        this.onExit(reason)
      },
    })
    ready.catch(() => {})
    const running: Running = { thread, ready, gone, heartbeat: new Int32Array(memory) }
    this.watch(running, -1, 0)
    return running
  }

  // Looks at the sign of life now and then, for as long as the thread lives.
  private watch(running: Running, seen: number, silentMs: number): void {
    this.init.eventLoop.at(LOOK_EVERY_MS, () => {
      if (this.running !== running || this.isEnding) return
      const now = Atomics.load(running.heartbeat, 0)
      const silent = now === seen ? silentMs + LOOK_EVERY_MS : 0
      if (silent < this.init.silenceMsMax) this.watch(running, now, silent)
      else {
        this.silentMs = silent
        void running.thread.terminate()
      }
    })
  }

  private onReport(report: Report, ready: Waiting<void>): void {
    switch (report.kind) {
      case 'ready': {
        const mismatch = graphMismatch(this.init.graph, report.graph, this.init.thread)
        if (mismatch === undefined) ready.resolve()
        else ready.reject(mismatch)
        return
      }
      case 'not-ready':
        ready.reject(receiveError(report.error))
        return
      case 'deployed':
        this.take(this.deploying, report.region)?.resolve()
        return
      case 'deploy-failed':
        this.take(this.deploying, report.region)?.reject(receiveError(report.error))
        return
      case 'closed':
        this.readings = report.readings
        this.take(this.closing, report.region)?.resolve(report.error && receiveError(report.error))
        return
      case 'readings':
        this.readings = report.readings
        return
      default:
        this.init.onReport(report)
    }
  }

  private onExit(reason: string): void {
    this.running = undefined
    const silence = `it gave no sign of life for ${this.silentMs} ms`
    const error = lost(this.init.thread, this.silentMs === 0 ? reason : silence)
    this.silentMs = 0
    for (const waiting of this.deploying.values()) waiting.reject(error)
    for (const waiting of this.closing.values()) waiting.resolve(undefined)
    this.deploying.clear()
    this.closing.clear()
    if (!this.isEnding) this.init.onLost(error)
  }

  private take<R>(waiting: Map<number, Waiting<R>>, region: number): Waiting<R> | undefined {
    const found = waiting.get(region)
    waiting.delete(region)
    return found
  }
}

function lost(thread: number, reason: string): StreamError {
  return new StreamError(
    'WORKER_FAILED',
    `thread ${thread} of the job was lost: ${reason}; see what its functions do (process.exit, endless loops, memory), or run with one thread`,
  )
}
