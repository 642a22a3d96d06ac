// What the checkpoint coordinator takes and gives, as data: the tasks it knows, and the commands by which it acts.
import type { Manifest } from '../snapshot/manifest.ts'

/** `checkpoint`: for recovery; `savepoint`: asked for by people and kept; `final`: at the end of all input. */
export type SnapshotKind = Manifest['kind']

/** A task as the coordinator sees it. */
export interface CoordinatedTask {
  /** Chain and subtask: `3/0`. */
  readonly id: string
  /** True when barriers enter the job here. */
  readonly isSource: boolean
}

/**
 * What is to be done, in order. R is what a task hands in for a snapshot, Q what a request is answered to:
 * - `trigger`: every source task that has not finished sends a barrier
 * - `publish`: makes the snapshot of these results durable; answered by `published` or `publishFailed`. `finished` are the tasks whose
 *   result is the one of their end
 * - `completed`: all tasks are told that the snapshot is there
 * - `aborted`: all tasks are told that it will never be there; what they handed in is to be discarded
 * - `discard`: results that came too late for their snapshot
 * - `answer`, `refuse`: ends a request
 * - `fail`: too many snapshots failed; the job fails with CHECKPOINT_FAILED, and nothing is triggered before `reset`
 */
export type CheckpointCommand<R, Q = unknown> =
  | { readonly kind: 'trigger'; readonly id: number; readonly snapshot: SnapshotKind; readonly isUnaligned: boolean }
  | PublishCommand<R>
  | { readonly kind: 'completed'; readonly id: number }
  | { readonly kind: 'aborted'; readonly id: number; readonly reason: string; readonly discard: readonly R[] }
  | { readonly kind: 'discard'; readonly results: readonly R[] }
  | { readonly kind: 'answer'; readonly request: Q; readonly id: number }
  | { readonly kind: 'refuse'; readonly request: Q; readonly reason: string }
  | { readonly kind: 'fail'; readonly reason: string }

/** Makes a snapshot durable. */
export interface PublishCommand<R> {
  readonly kind: 'publish'
  readonly id: number
  readonly snapshot: SnapshotKind
  /** Epoch ms. */
  readonly triggeredMs: number
  /** By task id, one for every task. */
  readonly results: ReadonlyMap<string, R>
  readonly finished: ReadonlySet<string>
}
