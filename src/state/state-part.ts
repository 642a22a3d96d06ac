// What a checkpoint holds of an operator: parts by name, each of one kind. A part writes itself as rows, whose bytes are sequences of tagged
// values (serde/value-codec.ts), so that they can be read without the job as well. How rows become files is the business of recovery.
import type { ByteReader } from '../base/byte-reader.ts'

/**
 * How the rows of a part find their subtask when a job starts from a snapshot, whatever its parallelism:
 * - `keyed`: by key group
 * - `list`: the elements of all subtasks are dealt out again
 * - `union`: every subtask gets the elements of all
 * - `broadcast`: every subtask gets the elements of one, since all have the same
 */
export type PartKind = 'keyed' | 'list' | 'union' | 'broadcast'

/** One declared state inside a part, as a snapshot remembers it. */
export interface StateSchema {
  readonly name: string
  /** The kind of its descriptor: value, list, map, ... */
  readonly kind: string
  /** The name of the codec of its values. */
  readonly codec: string
  /** The version of its values, for migrations. */
  readonly version: number
}

/** What must be known of a part to read its rows: plain data, kept in the snapshot. */
export interface PartSchema {
  /** What the rows hold, in one word: `slots` (declared states by position), `accumulators`, `windows`, `splits`, ... */
  readonly layout: string
  /** The declared states, by position; empty for layouts that have none. */
  readonly states: readonly StateSchema[]
}

/** The rows of one key group, or of one subtask, in a snapshot. */
export interface PartSection {
  /** -1 for parts that are not keyed. */
  readonly keyGroup: number
  readonly rows: number
  readonly bytes: Uint8Array
}

/** What a part gives for one snapshot. */
export interface PartSnapshot {
  readonly part: string
  readonly kind: PartKind
  readonly schema: PartSchema
  /** True when it holds everything; false when only what changed since the snapshot before. Parts that are not keyed always hold everything. */
  readonly isFull: boolean
  /** By key group, ascending; none for a group without rows. */
  readonly sections: readonly PartSection[]
}

/**
 * A part of an operator's state. `begin` is called at the barrier and fixes what the snapshot holds: whatever changes later is kept as it
 * was. Then `advance` encodes it piece by piece. `settle` says what became of it: what an aborted snapshot held is in the next one again.
 */
export interface StatePart {
  readonly name: string
  readonly kind: PartKind
  readonly schema: PartSchema
  /** Fixes the contents of a snapshot. `isFull` asks for all of it; a part may give all of it anyway. */
  begin(snapshotId: number, isFull: boolean): void
  /** Encodes some more rows, at most about so many; true when all are encoded. */
  advance(rows: number): boolean
  /** The snapshot that `begin` fixed, once all is encoded. */
  take(): PartSnapshot
  /** The snapshot is complete on the storage, or will never be. Snapshots settle in the order in which they began; a completed one settles those before it. */
  settle(snapshotId: number, outcome: 'completed' | 'aborted'): void
  /**
   * Reads rows of a snapshot that was written with the given schema, before the first record. Throws STATE_INCOMPATIBLE when the job's
   * state cannot take them. Keyed parts get every row at most once, newest first where there are several.
   */
  restorer(schema: PartSchema): PartRestorer
}

/** Takes the rows of a part. */
export interface PartRestorer {
  /** One row: what it is about (key, and window or the like; empty for lists), and what is kept for it. */
  row(keyGroup: number, identity: ByteReader, payload: ByteReader): void
  /** All rows were given. */
  finish?(): void
}
