// The place of one thread in a crew: it is started when something is to be deployed there, and again after it was lost.
import { errorText, StreamError } from '../../../base/errors.ts'
import type { EventLoop } from '../../../base/event-loop.ts'
import { graphMismatch } from './graph-mismatch.ts'
import { receiveError } from './sent-error.ts'
import type { Command, DeployCommand, Readings, Report } from './thread-messages.ts'
import type { JobThread, ThreadEvents } from './thread-port.ts'

/** How often its sign of life is looked at; more often where it may be silent for a short time only. */
const LOOK_EVERY_MS_MAX = 1000
/** How long a thread may take to load its code before it gives its first sign of life. */
const LOADING_MS_MAX = 60_000
/** How long a thread may take to end by itself: functions may have left timers and sockets behind, or may never return. */
const ENDING_MS_MAX = 3000

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
  /** Ends the watch over it. */
  stopWatch: () => void
}

/** One thread of a crew over its lives. */
export class ThreadSlot {
  /** What it counted, as it told last. */
  readings: Readings | undefined
  private readonly init: ThreadSlotInit
  private running: Running | undefined
  /** The newest command for each region that is not closed. */
  private readonly wanted = new Map<number, DeployCommand>()
  private readonly deploying = new Map<number, Waiting<void>>()
  private readonly closing = new Map<number, Waiting<unknown>>()
  private isEnding = false
  /** Regions with tasks here that were not closed, and those of them whose thread was lost. */
  private readonly deployed = new Set<number>()
  private readonly lostRegions = new Map<number, StreamError>()
  /** How long it gave no sign of life before it was ended for that; 0 unless it was. */
  private silentMs = 0
  /** True while it is ended since it could not build the job, which whoever deployed has heard of. */
  private isDismissed = false

  constructor(init: ThreadSlotInit) {
    this.init = init
  }

  /** Sends a command to the thread, if it lives. */
  send(command: Command): void {
    this.running?.thread.send(command)
  }

  /** Resolves when the region's tasks of this thread are made and open. */
  async deploy(command: DeployCommand): Promise<void> {
    const { region } = command
    this.wanted.set(region, command)
    this.lostRegions.delete(region)
    this.running ??= this.start()
    await this.running.ready
    // The region failed elsewhere and was closed meanwhile: nobody would close what is made now.
    if (this.wanted.get(region) !== command) throw lost(this.init.thread, 'it was no longer needed')
    const done = new Promise<void>((resolve, reject) => this.deploying.set(region, { resolve, reject }))
    // A thread that ends before it is waited for is told of by the call before.
    done.catch(() => {})
    this.sendDeploy(command)
    await done
  }

  /** Resolves when the region's tasks are closed, with the failure to close them if there was one. */
  async close(region: number): Promise<unknown> {
    this.wanted.delete(region)
    // What its tasks had left to do at their end (to commit) was not done: nobody may take the region for closed.
    const lostWith = this.lostRegions.get(region)
    this.lostRegions.delete(region)
    if (lostWith !== undefined || this.running === undefined) return lostWith
    this.deployed.delete(region)
    const done = new Promise<unknown>((resolve, reject) => this.closing.set(region, { resolve, reject }))
    this.send({ kind: 'close', region })
    return done
  }

  /** Ends the thread. */
  async end(): Promise<void> {
    this.isEnding = true
    const { running } = this
    if (running === undefined) return
    running.stopWatch()
    this.send({ kind: 'exit' })
    const stopWaiting = this.init.eventLoop.at(ENDING_MS_MAX, () => void running.thread.terminate())
    await running.gone
    stopWaiting()
  }

  // Splits are the one part of it that users make.
  private sendDeploy(command: DeployCommand): void {
    try {
      this.send(command)
    } catch (error) {
      this.take(this.deploying, command.region)
      throw new StreamError(
        'SOURCE_FAILED',
        `a split cannot be sent to thread ${this.init.thread}: ${errorText(error)}; let splits() return plain data`,
        { cause: error },
      )
    }
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
        const silence = `it gave no sign of life for ${this.silentMs} ms`
        const error = lost(this.init.thread, this.silentMs === 0 ? reason : silence)
        this.silentMs = 0
        onReady?.reject(error)
        onGone?.()
        this.onExit(error)
      },
    })
    ready.catch(() => {})
    const running: Running = { thread, ready, gone, heartbeat: new Int32Array(memory), stopWatch: () => {} }
    this.watch(running, -1, 0)
    return running
  }

  // Looks at the sign of life now and then, for as long as the thread lives.
  private watch(running: Running, seen: number, silentMs: number): void {
    const everyMs = Math.min(LOOK_EVERY_MS_MAX, this.init.silenceMsMax)
    running.stopWatch = this.init.eventLoop.at(everyMs, () => {
      const now = Atomics.load(running.heartbeat, 0)
      const silent = now === seen ? silentMs + everyMs : 0
      const limitMs = now === 0 ? Math.max(this.init.silenceMsMax, LOADING_MS_MAX) : this.init.silenceMsMax
      if (silent < limitMs) this.watch(running, now, silent)
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
        // It may have begun things that keep it alive; the next deployment gets a new one.
        this.isDismissed = true
        void this.running?.thread.terminate()
        return
      case 'deployed':
        this.deployed.add(report.region)
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

  private onExit(error: StreamError): void {
    this.running?.stopWatch()
    this.running = undefined
    // What runs there from now on counts anew.
    if (!this.isEnding) this.readings = undefined
    for (const waiting of this.deploying.values()) waiting.reject(error)
    for (const waiting of this.closing.values()) waiting.resolve(error)
    for (const region of this.deployed) this.lostRegions.set(region, error)
    this.deployed.clear()
    this.deploying.clear()
    this.closing.clear()
    if (!this.isEnding && !this.isDismissed) this.init.onLost(error)
    this.isDismissed = false
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
