// What a snapshot is made of, as plain data: a manifest names the segments that hold the rows of every part of every operator. It is written
// last and at once, so a snapshot is there as a whole or not at all.
import type { PartKind, PartSchema, PartSnapshot } from '../../state/state-part.ts'

/** The version of manifests and segments that this version of Millrace writes; it reads this one and all before. */
export const SNAPSHOT_FORMAT = 1

/** Key groups from one to another, both included. */
export interface GroupRange {
  readonly from: number
  readonly to: number
}

/** A part of one subtask in a segment file. */
export interface SegmentRef {
  /** The object that holds it. */
  readonly file: string
  /** The bytes of the object, and the checksum of its index: what is found there must agree. */
  readonly bytes: number
  readonly checksum: number
  /** Which of the parts in the object it is, from 0: independent of names, so that operators may be renamed. */
  readonly place: number
  /** The subtask that wrote it, and the parallelism that it had. */
  readonly subtask: number
  readonly parallelism: number
  /** True when it replaces everything that was before it in its key groups. */
  readonly isFull: boolean
  /** The key groups for which it still counts; empty for parts that are not keyed. */
  readonly groups: readonly GroupRange[]
  /** How the rows were written: each segment has its own, since a job may have changed in between. */
  readonly schema: PartSchema
  readonly rows: number
}

/** A part of an operator, over all its subtasks. */
export interface ManifestPart {
  readonly name: string
  readonly kind: PartKind
  /** Oldest first. Keyed: full ones with the changes on top of them. Others: one for each subtask. */
  readonly segments: readonly SegmentRef[]
}

/** An operator with its state. */
export interface ManifestOperator {
  readonly uid: string
  readonly isUidDerived: boolean
  readonly name: string
  /** The kind of its operator: `keyed-process`, `window`, ... */
  readonly kind: string
  readonly parallelism: number
  readonly maxParallelism: number
  /**
   * What the key of each input is taken from, by ordinal, in words: `word`, `[city, day]`; null for a function, and for an input without a key.
   * Absent for steps without keys, and in snapshots of before.
   */
  readonly keys?: readonly (string | null)[]
  /** The subtasks that had come to the end of their input: they are not to run again. */
  readonly finishedSubtasks: readonly number[]
  readonly parts: readonly ManifestPart[]
}

/** A complete snapshot of a job. */
export interface Manifest {
  readonly format: number
  readonly job: string
  /** `final`: taken at the end of all input; a job that starts from it has nothing left to do. */
  readonly kind: 'checkpoint' | 'savepoint' | 'final'
  /** Counts the snapshots of a job directory from 1, over restarts too. */
  readonly id: number
  /** When it was triggered and when it was complete, epoch ms. */
  readonly triggeredMs: number
  readonly completedMs: number
  readonly graphHash: string
  readonly operators: readonly ManifestOperator[]
}

/** What one task hands in for a snapshot: the parts of each operator of its chain that has any. */
export interface TaskSnapshot {
  readonly operators: readonly { readonly uid: string; readonly parts: readonly PartSnapshot[] }[]
}
