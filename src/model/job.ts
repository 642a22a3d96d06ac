// What a front-end sees of a running job, and the port by which it starts one. A runner implements both.

import type { CancelSignal } from './cancel-signal.ts'
import type { CheckpointOptions } from './checkpoint-options.ts'
import type { Graph } from './graph.ts'
import type { RestartStrategy } from './restart-strategy.ts'
import type { WindowTimeDomain } from './window-spec.ts'

export type { CancelSignal }

/** How a job ended: at the end of its input, by a graceful stop, or by cancel. A failure is an error instead. */
export type JobStatus = 'finished' | 'stopped' | 'cancelled'

/** What a job did until it ended. */
export interface JobResult {
  readonly name: string
  readonly status: JobStatus
  readonly durationMs: number
  /** Records emitted by all sources. */
  readonly recordsIn: number
  /** Records taken by all sinks. */
  readonly recordsOut: number
}

/** Counters of one step, summed over its subtasks. */
export interface VertexMetrics {
  readonly uid: string
  readonly name: string
  readonly parallelism: number
  /** Records that entered; for a source: 0. Counted at sources, sinks and where records cross tasks; undefined inside a chain. */
  readonly recordsIn: number | undefined
  readonly recordsOut: number | undefined
  /** The smallest watermark over the subtasks, epoch ms. */
  readonly watermark: number
  /** Late records dropped (no side output took them). */
  readonly lateRecordsDropped: number
  /** Late records, whatever became of them. */
  readonly lateRecords: number
  /** Records dropped because the trigger of their window had finished. */
  readonly closedWindowRecordsDropped: number
  /** Records that were in no pane when their window was let go of. */
  readonly unfiredRecordsDropped: number
  /** Records whose timestamp was further ahead of processing time than the future limit of the step's watermark strategy. */
  readonly futureTimestamps: number
  /** Duplicates dropped by deduplication (no side output took them). */
  readonly duplicatesDropped: number
  /** Keys that the step keeps state or timers for; undefined where it does not work per key or does not count them. */
  readonly keysHeld: number | undefined
}

/** The channels of one edge, summed over its subtasks. */
export interface EdgeMetrics {
  readonly from: string
  readonly to: string
  /** Records that one channel holds at most before its sender waits; what one record emits may exceed it. */
  readonly capacityRecords: number
  readonly channels: number
  readonly queuedRecords: number
  /** The largest number of records that one channel of this edge ever held. */
  readonly queuedRecordsPeak: number
}

/** A reading of a running or ended job. */
export interface JobMetrics {
  readonly recordsIn: number
  readonly recordsOut: number
  /** The smallest watermark over all sinks, epoch ms. */
  readonly watermark: number
  /** The share of tasks (0 to 1) that wait for room downstream now. */
  readonly backpressuredShare: number
  readonly vertices: readonly VertexMetrics[]
  readonly edges: readonly EdgeMetrics[]
}

/**
 * Who keeps a watermark where it is:
 * - `split`: a split of a source, or the subtask of a step that gives timestamps; `idle`: nobody, since all is idle or has ended
 * - `back-pressure`: a step without room for its output; `under-way`: a step that is about to take up a later one
 * - `bootstrap`: a step that reads another input first; `async`, `loop`, `results`: a step that waits for asynchronous calls, for records in
 *   its loop, or for results with earlier timestamps
 * - `none`: a source that makes no watermarks
 */
export type WatermarkHold = { readonly step: string; readonly subtaskIndex: number } & (
  | {
      readonly kind: 'split'
      readonly split: string
      /** Epoch ms; -Infinity when it has given none. */
      readonly watermark: number
      /** The processing time at which it last advanced, epoch ms. */
      readonly sinceMs: number
      /** True when its strategy has an idle time-out. */
      readonly mayBeIdle: boolean
      /** The alignment group that it waits for, where it is ahead of it. */
      readonly alignmentGroup?: string
    }
  | { readonly kind: 'idle'; readonly splits: readonly string[] }
  /** `elsewhere`: the step is in another thread, into which nobody looks from here. */
  | { readonly kind: 'back-pressure' | 'under-way' | 'bootstrap' | 'async' | 'loop' | 'results' | 'elsewhere' | 'none' }
)

/** What the windows or timers of one subtask of a step wait for. */
export interface NoOutput {
  readonly step: string
  readonly uid: string
  readonly subtaskIndex: number
  readonly waiting: 'windows' | 'timers'
  /** Windows, counted per key, that may still fire; or timers. Storm's windows count keys. */
  readonly count: number
  readonly timeDomain: WindowTimeDomain
  /** The watermark that the step has worked off, epoch ms; -Infinity before the first. */
  readonly watermark: number
  /** The event time (or stream time) at which something fires next; undefined for none. */
  readonly nextTimeMs: number | undefined
  /** The processing time at which something fires next, epoch ms; undefined for none. */
  readonly nextProcessingTimeMs: number | undefined
  /** Who holds the watermark, where something waits for it. */
  readonly hold: WatermarkHold | undefined
  /** All of it in words. */
  readonly text: string
}

/** A started job. Awaiting the handle itself waits for the end, as `done` does. */
export interface JobHandle extends PromiseLike<JobResult>, AsyncDisposable {
  readonly name: string
  /** Resolves when the job ends; rejects with the first failure (a StreamError naming step and place). */
  readonly done: Promise<JobResult>
  /** Ends the job at once: pending windows do not fire. Resolves when all sources and sinks are closed. */
  cancel(): Promise<void>
  /**
   * Stops the sources, lets records in flight reach the sinks, flushes them. Pending windows do not fire. A job that takes checkpoints takes
   * a last one, from which it goes on when it is started again in its directory.
   */
  stop(): Promise<void>
  /** As stop, but everything that pends fires as at the end of the data: for a job that is not to be started again. */
  drain(): Promise<void>
  /** Takes a checkpoint now, beside the periodic ones. Rejects with CHECKPOINT_FAILED. */
  checkpoint(): Promise<SnapshotInfo>
  /**
   * Takes a savepoint: a snapshot that is complete in itself and never removed, in `directory`, or in `savepoints/<id>` of the job's
   * directory. Jobs start from it, changed or at another parallelism, any number of times. Rejects with CHECKPOINT_FAILED, STORAGE_FAILED.
   */
  savepoint(directory?: string): Promise<SnapshotInfo>
  metrics(): JobMetrics
  /**
   * Why nothing comes out: for each step with open windows or timers, what fires next, which split of which source holds the watermark and since when, and
   * what would let it go on; `text` says it in words. Empty when nothing waits, and after the end. Costs a walk over the tasks.
   * @example
   * ```ts
   * import { environment, forMonotonousTimestamps, seconds } from 'millrace'
   * const env = environment()
   * env
   *   .generate(index => ({ k: 'a', at: index }), { recordsPerSecond: 1000 })
   *   .assignTimestampsAndWatermarks(forMonotonousTimestamps<{ k: string; at: number }>({ timestamp: record => record.at }))
   *   .keyBy('k')
   *   .timeWindow(seconds(5))
   *   .reduce(first => first)
   *   .print()
   * const job = env.execute()
   * await new Promise(resolve => setTimeout(resolve, 50))
   * for (const { text } of job.explainNoOutput()) console.log(text)
   * await job.cancel()
   * ```
   */
  explainNoOutput(): readonly NoOutput[]
}

/** How a job is to be run. */
export interface LaunchOptions {
  /** Aborting it cancels the job. */
  readonly signal?: CancelSignal
  /** Records that a channel between tasks holds before its sender waits. */
  readonly channelCapacityRecords?: number
  /** Takes checkpoints; without it the first failure ends the job. */
  readonly checkpoints?: CheckpointOptions
  /** What becomes of a job with checkpoints when it fails; `exponentialDelay()` unless given. */
  readonly restart?: RestartStrategy
  /** Where a job with checkpoints keeps what outlasts it; `./.millrace/NAME` unless given. */
  readonly directory?: string
  /** Where its snapshots are kept, if not in the directory: `s3://bucket/prefix` (needs the package `@aws-sdk/client-s3`). */
  readonly storage?: string
  /**
   * What to start from: `newest` (the default) is the newest checkpoint in the job's directory, if its last run did not come to the end;
   * `last`: the newest even then, so that a job that has finished ends at once instead of giving its output again; `beginning`: nothing; else the
   * directory of a savepoint.
   */
  readonly from?: string
  /** Drops state of steps that the job does not have; otherwise it is refused with STATE_UNMAPPED. */
  readonly allowUnmapped?: boolean
  /** The uids of the snapshot that have other names in the job. */
  readonly renames?: Readonly<Record<string, string>>
  /** Runs the job in several threads, each of which builds it from its module; run() sets it. */
  readonly threads?: ThreadedJob
}

/** The module of a job that runs in several threads. */
export interface ThreadedJob {
  /** How many at most, beside the main thread; no more are started than the job has parallel subtasks for. */
  readonly count: number
  readonly jobUrl: string
  readonly args: readonly string[]
  /** The parallelism that was given from outside. */
  readonly parallelism: number | undefined
}

/** A snapshot that was taken. */
export interface SnapshotInfo {
  /** Counts the snapshots of a job directory from 1. */
  readonly id: number
  readonly kind: 'checkpoint' | 'savepoint'
  /** The directory that it is in, or what stands for it. */
  readonly location: string
}

/** What a plan looks like to a reader: text for people, plain data for programs. */
export interface Explanation {
  readonly text: string
  readonly json: unknown
}

/** The port by which a front-end hands a graph to a runner. */
export interface JobLauncher {
  /** The parallelism of steps that do not say their own. */
  readonly defaultParallelism: number
  launch(graph: Graph, options?: LaunchOptions): JobHandle
  /** With the checkpoints that the job is to take, where they are known: they decide what sinks guarantee. */
  explain(graph: Graph, checkpoints?: CheckpointOptions): Explanation
}
