// What a front-end sees of a running job, and the port by which it starts one. A runner implements both.
import type { CancelSignal } from './cancel-signal.ts'
import type { Graph } from './graph.ts'

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

/** A started job. Awaiting the handle itself waits for the end, as `done` does. */
export interface JobHandle extends PromiseLike<JobResult>, AsyncDisposable {
  readonly name: string
  /** Resolves when the job ends; rejects with the first failure (a StreamError naming step and place). */
  readonly done: Promise<JobResult>
  /** Ends the job at once: pending windows do not fire. Resolves when all sources and sinks are closed. */
  cancel(): Promise<void>
  /** Stops the sources, lets records in flight reach the sinks, flushes them. Pending windows do not fire. */
  stop(): Promise<void>
  metrics(): JobMetrics
}

/** How a job is to be run. */
export interface LaunchOptions {
  /** Aborting it cancels the job. */
  readonly signal?: CancelSignal
  /** Records that a channel between tasks holds before its sender waits. */
  readonly channelCapacityRecords?: number
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
  explain(graph: Graph): Explanation
}
