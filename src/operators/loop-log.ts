// What is under way in a loop at a snapshot: after its barrier the head notes what comes back until the barrier has come round too.
import { ByteWriter } from '../base/byte-writer.ts'
import { readValue, writeValue } from '../serde/value-codec.ts'
import type { PartRestorer, PartSnapshot, StatePart } from '../state/state-part.ts'

/** A record that was in the loop. */
export interface LoopRecord {
  readonly value: unknown
  readonly timestamp: number
  readonly isRetraction: boolean
}

/** The log of one head, as a part of its state. */
export class LoopLog implements StatePart {
  readonly name = 'loop'
  readonly kind = 'list'
  readonly schema = { layout: 'loop', states: [] }
  /** The records of the snapshot that the job started from. */
  readonly restored: LoopRecord[] = []
  /** `logging`: the barrier of the snapshot is in the loop. */
  private state: 'idle' | 'logging' | 'complete' = 'idle'
  private snapshotId = 0
  private hasEnded = false
  private readonly out = new ByteWriter()
  private rows = 0

  get isLogging(): boolean {
    return this.state === 'logging'
  }

  /** The snapshot that is logged for. */
  get loggedId(): number {
    return this.snapshotId
  }

  begin(snapshotId: number): void {
    this.snapshotId = snapshotId
    this.out.reset()
    this.rows = 0
    this.state = this.hasEnded ? 'complete' : 'logging'
  }

  /** A record came back. */
  note({ value, timestamp, isRetraction }: LoopRecord): void {
    const { out } = this
    out.byte(0)
    const position = out.openLength()
    writeValue(out, value)
    writeValue(out, timestamp)
    writeValue(out, isRetraction)
    out.fillLength(position, 1)
    this.rows++
  }

  /** The barrier has come round over all feedback channels. */
  complete(): void {
    if (this.state === 'logging') this.state = 'complete'
  }

  /** Nothing can come back any more: what is logged is all, now and in the last snapshot. */
  end(): void {
    this.hasEnded = true
    this.complete()
  }

  advance(): boolean {
    return this.state !== 'logging'
  }

  take(): PartSnapshot {
    this.state = 'idle'
    const sections = this.rows === 0 ? [] : [{ keyGroup: -1, rows: this.rows, bytes: this.out.copy() }]
    return { part: this.name, kind: this.kind, schema: this.schema, isFull: true, sections }
  }

  settle(snapshotId: number, outcome: 'completed' | 'aborted'): void {
    if (outcome === 'aborted' && snapshotId === this.snapshotId) this.state = 'idle'
  }

  restorer(): PartRestorer {
    return {
      row: (_keyGroup, _identity, payload) => {
        const value = readValue(payload)
        const timestamp = readValue(payload) as number
        this.restored.push({ value, timestamp, isRetraction: readValue(payload) as boolean })
      },
    }
  }
}
