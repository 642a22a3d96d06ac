// What the main thread and the others say to each other. All of it is plain data; records go through rings.
import type { LogLevel } from '../../../base/logger.ts'
import type { CheckpointMode } from '../../../model/checkpoint-options.ts'
import type { JobMetrics, NoOutput } from '../../../model/job.ts'
import type { EndMode } from '../../../operators/operator.ts'
import type { SplitState } from '../../../operators/source.ts'
import type { Manifest, TaskSnapshot } from '../../../recovery/snapshot/manifest.ts'
import type { Barrier } from '../../../runtime/batch.ts'
import type { FirstSplits } from '../../../runtime/deployment.ts'

/** The memory of a ring between two subtasks of different threads. */
export interface RingPlace {
  readonly exchange: number
  readonly sender: number
  readonly receiver: number
  readonly senderThread: number
  readonly receiverThread: number
  readonly memory: SharedArrayBuffer
}

/** A task of a region, by its `taskId`. */
export interface TaskPlace {
  readonly region: number
  readonly task: string
}

/** An error on its way to another thread. */
export interface SentError {
  /** Undefined for what is no StreamError. */
  readonly code: string | undefined
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly cause?: SentError
}

/** A region to be made by a thread: those of its subtasks that are placed there. */
export interface DeployCommand {
  readonly kind: 'deploy'
  readonly region: number
  readonly attempt: number
  readonly chains: readonly number[]
  readonly splits: ReadonlyMap<number, FirstSplits>
  readonly from: Manifest | undefined
  readonly snapshots: { readonly mode: CheckpointMode; readonly alignmentTimeoutMs: number } | undefined
  readonly owner: string | undefined
  readonly rings: readonly RingPlace[]
}

/** From the main thread. Those with a region count for its newest deployment. */
export type Command =
  | DeployCommand
  | { readonly kind: 'start' | 'halt' | 'close'; readonly region: number }
  | ({ readonly kind: 'trigger'; readonly barrier: Barrier } & TaskPlace)
  | ({ readonly kind: 'settle'; readonly snapshotId: number; readonly outcome: 'completed' | 'aborted' } & TaskPlace)
  | ({ readonly kind: 'stop'; readonly mode: EndMode } & TaskPlace)
  | { readonly kind: 'exit' }

/** What a thread has counted. */
export interface Readings {
  readonly metrics: JobMetrics
  readonly noOutput: readonly NoOutput[]
}

/** To the main thread. Those with an attempt are of tasks of that attempt. */
export type Report =
  | { readonly kind: 'ready'; readonly graph: string }
  | { readonly kind: 'not-ready'; readonly error: SentError }
  | { readonly kind: 'deployed'; readonly region: number; readonly attempt: number; readonly tasks: readonly string[] }
  | { readonly kind: 'deploy-failed'; readonly region: number; readonly attempt: number; readonly error: SentError }
  | ({
      readonly kind: 'snapshot'
      readonly attempt: number
      readonly snapshotId: number
      readonly snapshot: TaskSnapshot
      /** How the task ended, if this is its last one. */
      readonly end: EndMode | undefined
    } & TaskPlace)
  | ({ readonly kind: 'finished'; readonly attempt: number; readonly end: EndMode | undefined } & TaskPlace)
  | { readonly kind: 'failed'; readonly attempt: number; readonly region: number; readonly error: SentError }
  | {
      readonly kind: 'closed'
      readonly region: number
      readonly error: SentError | undefined
      readonly readings: Readings
    }
  | ({ readonly kind: 'split-states'; readonly attempt: number; readonly states: readonly SplitState[] } & TaskPlace)
  | { readonly kind: 'readings'; readonly readings: Readings }
  | {
      readonly kind: 'log'
      readonly level: LogLevel
      readonly message: string
      readonly fields: Readonly<Record<string, unknown>> | undefined
    }

/** What a thread is told before anything else. */
export interface ThreadStart {
  /** From 1 to `threads`. */
  readonly thread: number
  readonly threads: number
  readonly jobUrl: string
  readonly args: readonly string[]
  readonly parallelism: number | undefined
  readonly jobName: string
  /** Where the job's snapshots are; undefined when it takes none. */
  readonly storage: StoragePlace | undefined
  readonly channelCapacityRecords: number
  readonly seed: number
  /** Where threads sleep, by thread. */
  readonly wakes: readonly SharedArrayBuffer[]
  /** Counts up as long as the event loop of the thread goes round. */
  readonly heartbeat: SharedArrayBuffer
}

/** The directory of a job, or the URL of a storage elsewhere. */
export interface StoragePlace {
  readonly directory: string
  readonly url: string | undefined
}
