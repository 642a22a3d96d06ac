// What a barrier overtook: the records and watermarks that were on their way into a task when it took its part of an unaligned snapshot. They are
// part of the snapshot (channel state), and come in again first when a job starts from it.
import { ByteWriter } from '../base/byte-writer.ts'
import { keyGroupOf } from '../model/key-groups.ts'
import type { GroupRange } from '../recovery/snapshot/manifest.ts'
import { hashKey } from '../serde/key-encoding.ts'
import { readValue, writeValue } from '../serde/value-codec.ts'
import type { PartRestorer, PartSnapshot, StatePart } from '../state/state-part.ts'
import type { Element } from './batch.ts'

/** A record or watermark that was on its way. */
export interface InFlightRow {
  /** The position of its channel among the ordinary ones of its task; undefined where the channels are others now. */
  readonly channel: number | undefined
  /** Of the task's first vertex. */
  readonly input: number
  /** A watermark, or a record when it is undefined. */
  readonly watermark: number | undefined
  readonly value: unknown
  readonly timestamp: number
  readonly key: unknown
  readonly isRetraction: boolean
}

interface RestoredRow extends InFlightRow {
  readonly subtask: number
  readonly parallelism: number
  readonly channel: number
}

/** Who keeps the log. */
export interface LogOwner {
  readonly subtaskIndex: number
  readonly parallelism: number
}

/** The log of one task, as a part of its first operator. */
export class InFlightLog implements StatePart {
  readonly name = 'in-flight'
  // Every subtask looks for what is its own: where a record belongs depends on the parallelism of now.
  readonly kind = 'union'
  readonly schema = { layout: 'in-flight', states: [] }
  private readonly owner: LogOwner
  /** `armed`: the barrier overtakes, and the snapshot is about to begin; `logging`: some channels still bring what is before it. */
  private state: 'idle' | 'armed' | 'logging' | 'complete' = 'idle'
  private isComplete = false
  private snapshotId = 0
  private readonly out = new ByteWriter()
  private rows = 0
  private restored: RestoredRow[] = []

  constructor(owner: LogOwner) {
    this.owner = owner
  }

  /** A barrier is about to overtake. */
  arm(): void {
    this.state = 'armed'
    this.isComplete = false
    this.out.reset()
    this.rows = 0
  }

  /** An element that the snapshot must hold: it comes, or came, before the barrier of its channel. `from` is where in a batch to begin. */
  note(channel: number, input: number, element: Element, from = 0): void {
    if (this.state !== 'armed' && this.state !== 'logging') return
    if (element.kind === 'watermark') this.add(channel, input, element.watermark, undefined, 0, undefined, false)
    if (element.kind !== 'batch') return
    const { values, timestamps, keys, retractions } = element
    for (let at = from; at < values.length; at++) {
      const timestamp = timestamps?.[at] ?? -Infinity
      this.add(channel, input, undefined, values[at], timestamp, keys?.[at], retractions?.[at] ?? false)
    }
  }

  /** The barrier came over all channels. */
  complete(): void {
    this.isComplete = true
    if (this.state === 'logging') this.state = 'complete'
  }

  begin(snapshotId: number): void {
    this.snapshotId = snapshotId
    if (this.state === 'armed') this.state = this.isComplete ? 'complete' : 'logging'
    else {
      this.rows = 0
      this.state = 'complete'
    }
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
    if (outcome === 'aborted' && snapshotId >= this.snapshotId) this.state = 'idle'
  }

  restorer(): PartRestorer {
    return {
      row: (_keyGroup, _identity, payload) => {
        const next = (): unknown => readValue(payload)
        this.restored.push({
          subtask: next() as number,
          parallelism: next() as number,
          channel: next() as number,
          input: next() as number,
          watermark: next() as number | undefined,
          value: next(),
          timestamp: next() as number,
          key: next(),
          isRetraction: next() as boolean,
        })
      },
    }
  }

  /** True when records or watermarks of a snapshot wait to come in again. */
  get hasRestored(): boolean {
    return this.restored.length > 0
  }

  /**
   * Gives what was restored and belongs here now, in order. At another parallelism records go to where their keys are, others are
   * dealt out, and watermarks are left out (`channel` is undefined then): those of the new channels follow.
   */
  replay(groups: GroupRange, maxParallelism: number, visit: (row: InFlightRow) => void): void {
    const { restored, owner } = this
    this.restored = []
    for (const [position, row] of restored.entries()) {
      if (row.parallelism === owner.parallelism) {
        if (row.subtask === owner.subtaskIndex) visit(row)
      } else if (this.isMine(row, position, groups, maxParallelism)) visit({ ...row, channel: undefined })
    }
  }

  private isMine(row: RestoredRow, position: number, groups: GroupRange, maxParallelism: number): boolean {
    if (row.watermark !== undefined) return false
    if (row.key === undefined) return position % this.owner.parallelism === this.owner.subtaskIndex
    const group = keyGroupOf(hashKey(row.key), maxParallelism)
    return group >= groups.from && group <= groups.to
  }

  private add(
    channel: number,
    input: number,
    watermark: number | undefined,
    value: unknown,
    timestamp: number,
    key: unknown,
    isRetraction: boolean,
  ): void {
    const { out, owner } = this
    out.byte(0)
    const position = out.openLength()
    for (const part of [owner.subtaskIndex, owner.parallelism, channel, input, watermark]) writeValue(out, part)
    for (const part of [value, timestamp, key, isRetraction]) writeValue(out, part)
    out.fillLength(position, 1)
    this.rows++
  }
}
