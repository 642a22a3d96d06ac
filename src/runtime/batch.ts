// Record path. What travels between tasks: batches of records as columns, and control elements between them.

/** Records as columns of equal length; a column the plan did not declare for the edge is undefined. */
export interface Batch {
  readonly kind: 'batch'
  readonly values: unknown[]
  readonly timestamps: number[] | undefined
  readonly keys: unknown[] | undefined
  /** True where the record takes back one that was sent before. */
  readonly retractions: boolean[] | undefined
}

/** The columns that batches of an edge have beside the values. */
export interface BatchColumns {
  readonly hasTimestamps: boolean
  readonly hasKeys: boolean
  readonly hasRetractions: boolean
}

/** Records in one batch at most: enough to spread its cost, few enough to stay in the cache. */
export const BATCH_RECORDS_MAX = 256

/**
 * What is not a record. A batch never straddles one.
 * - `watermark`: no record with a timestamp at or below it follows
 * - `status`: the sender is idle and holds no watermark back, or active again
 * - `barrier`: what was sent before it is in a snapshot, what comes after it is not
 * - `loop-end`: goes round a loop after the end of input; `isDirty` when a head got records since its last marker
 * - `end`: the last element of a channel
 */
export type ControlElement =
  | { readonly kind: 'watermark'; readonly watermark: number }
  | { readonly kind: 'status'; readonly isIdle: boolean }
  | Barrier
  | LoopEnd
  | { readonly kind: 'end'; readonly mode: 'finish' | 'stop' }

/** The barrier of a snapshot (Carbone et al. 2015). */
export interface Barrier {
  readonly kind: 'barrier'
  readonly snapshotId: number
  /** A savepoint is complete in itself: its parts are written in full. */
  readonly snapshot: 'checkpoint' | 'savepoint'
  /** True when it overtakes records, which are then part of the snapshot. */
  readonly isUnaligned: boolean
}

/** The end marker of the loop whose head is the given vertex. */
export interface LoopEnd {
  readonly kind: 'loop-end'
  readonly loop: number
  readonly round: number
  readonly isDirty: boolean
}

/** Whatever a channel carries. */
export type Element = Batch | ControlElement

/** An empty batch with the declared columns. */
export function emptyBatch({ hasTimestamps, hasKeys, hasRetractions }: BatchColumns): Batch {
  return {
    kind: 'batch',
    values: [],
    timestamps: hasTimestamps ? [] : undefined,
    keys: hasKeys ? [] : undefined,
    retractions: hasRetractions ? [] : undefined,
  }
}
