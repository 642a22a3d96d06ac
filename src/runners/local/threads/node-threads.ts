// Threads of Node for the subtasks of a job.
import { type ResourceLimits, Worker } from 'node:worker_threads'
import { errorText } from '../../../base/errors.ts'
import type { EventLoop } from '../../../base/event-loop.ts'
import type { Logger } from '../../../base/logger.ts'
import type { OpenCrew } from '../local-launcher.ts'
import { usefulThreads } from './placement.ts'
import { ThreadCrew } from './thread-crew.ts'
import type { Report, ThreadStart } from './thread-messages.ts'
import type { JobThread, ThreadEvents } from './thread-port.ts'

/** How long (ms) a thread may keep its event loop from turning before it counts as lost. */
const SILENCE_MS_MAX = 60_000

/** What threads may do at most. */
export interface ThreadLimits {
  /** How long (ms) one may keep its event loop from turning; a minute unless given. */
  readonly silenceMsMax?: number
  /** Its memory; that of Node unless given. */
  readonly resources?: ResourceLimits
}

/** Opens crews of worker threads, which run the module at the URL. */
export function nodeCrews(
  workerUrl: URL,
  platform: { readonly eventLoop: EventLoop; readonly logger: Logger },
  { silenceMsMax = SILENCE_MS_MAX, resources }: ThreadLimits = {},
): OpenCrew {
  return ({ plan, threads: { count, jobUrl, args, parallelism }, storage, channelCapacityRecords, seed, wake }) => {
    const threads = Math.min(count, usefulThreads(plan))
    if (threads < 2) return undefined
    return new ThreadCrew({
      plan,
      threads,
      startThread: (start, events) => startThread(workerUrl, start, events, resources),
      start: { threads, jobUrl, args, parallelism, jobName: plan.graph.name, storage, channelCapacityRecords, seed },
      eventLoop: platform.eventLoop,
      logger: platform.logger,
      wake,
      silenceMsMax,
    })
  }
}

function startThread(
  url: URL,
  start: ThreadStart,
  events: ThreadEvents,
  resources: ResourceLimits | undefined,
): JobThread {
  const name = `millrace ${start.thread}`
  const worker = new Worker(url, { workerData: start, name, ...(resources && { resourceLimits: resources }) })
  let reason: string | undefined
  worker.on('message', (report: Report) => events.onReport(report))
  worker.on('error', error => {
    const { code } = error as NodeJS.ErrnoException
    reason = code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'it ran out of memory' : `it threw ${errorText(error)}`
  })
  worker.on('messageerror', error => {
    // Somebody waits for the report that was lost with it.
    reason = `a report of it could not be read: ${errorText(error)}`
    void worker.terminate()
  })
  worker.on('exit', code => events.onExit(reason ?? `it ended with exit code ${code}`))
  return {
    send: command => worker.postMessage(command),
    terminate: async () => {
      await worker.terminate()
    },
  }
}
