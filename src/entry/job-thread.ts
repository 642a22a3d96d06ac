// What another thread of a job runs: builds the job from its module, and then does what the main thread says.
import { parentPort, workerData } from 'node:worker_threads'
import { preview } from '../base/errors.ts'
import type { LogLevel } from '../base/logger.ts'
import { nodeConnectors } from '../connectors/node.ts'
import { describeGraph } from '../model/describe.ts'
import { planGraph } from '../plan/plan.ts'
import { nodeFiles } from '../platform/node/node-files.ts'
import { nodePlatform } from '../platform/node/node-platform.ts'
import { CheckpointStore } from '../recovery/snapshot/checkpoint-store.ts'
import { CrewMember } from '../runners/local/threads/crew-member.ts'
import { sendError } from '../runners/local/threads/sent-error.ts'
import type { Command, Report, ThreadStart } from '../runners/local/threads/thread-messages.ts'
import { EventLoopScheduler } from '../runtime/event-loop-scheduler.ts'
import { snapshotStorage } from './job-directories.ts'
import { graphOf } from './job-graph.ts'

const BEAT_MS = 250
const READINGS_MS = 500

const start = workerData as ThreadStart
const port = parentPort
if (port === null) throw new Error('job-thread.ts runs in a thread that the main thread of a job starts')

function report(message: Report, transfer: readonly ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer)
}

async function member(): Promise<CrewMember> {
  const { jobUrl, args, parallelism, jobName, storage } = start
  const graph = await graphOf(new URL(jobUrl), { args, parallelism, name: jobName })
  const platform = nodePlatform()
  const logger = {
    log: (level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>) => {
      try {
        report({ kind: 'log', level, message, fields })
      } catch {
        // What cannot be sent as it is, such as a function, is sent as text.
        const texts = Object.entries(fields ?? {}).map(([name, value]) => [name, preview(value)] as const)
        report({ kind: 'log', level, message, fields: Object.fromEntries(texts) })
      }
    },
  }
  const { clock, eventLoop, text } = platform
  const pause = (): Promise<void> => new Promise(resolve => eventLoop.defer(resolve))
  return new CrewMember({
    ...start,
    plan: planGraph(graph),
    connectors: nodeConnectors({ text, files: nodeFiles('/') }),
    clock,
    logger,
    scheduler: new EventLoopScheduler(eventLoop, clock),
    store: storage && new CheckpointStore({ storage: snapshotStorage(storage), pause, job: jobName, logger }),
    graph: describeGraph(graph),
    report,
    exit: () => port?.close(),
  })
}

const heartbeat = new Int32Array(start.heartbeat)
const timers = [setInterval(() => Atomics.add(heartbeat, 0, 1), BEAT_MS)]
try {
  const crew = await member()
  port.on('message', (command: Command) => crew.obey(command))
  timers.push(setInterval(() => crew.reportReadings(), READINGS_MS))
  report({ kind: 'ready', graph: crew.graph })
} catch (error) {
  report({ kind: 'not-ready', error: sendError(error) })
}
for (const timer of timers) timer.unref()
