// The last snapshots of a job and how they ended, for people: metrics, logs and the page of a job read it. Nothing decides by it.
import type { SnapshotKind } from './checkpoint-commands.ts'

/** Snapshots that are remembered. */
export const HISTORY_MAX = 50

/** A snapshot that has ended; times in epoch ms. */
export interface CheckpointRecord {
  readonly id: number
  readonly kind: SnapshotKind
  readonly triggeredMs: number
  readonly endedMs: number
  readonly outcome: 'completed' | 'aborted'
  /** Why it was aborted. */
  readonly reason?: string
}

/** Keeps the last HISTORY_MAX snapshots and counts all of them. */
export class CheckpointHistory {
  completedCount = 0
  abortedCount = 0
  private readonly records: CheckpointRecord[] = []

  add(record: CheckpointRecord): void {
    if (record.outcome === 'completed') this.completedCount++
    else this.abortedCount++
    this.records.push(Object.freeze(record))
    if (this.records.length > HISTORY_MAX) this.records.shift()
  }

  /** Oldest first. */
  latest(): readonly CheckpointRecord[] {
    return [...this.records]
  }
}
