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
  /** True when its task had one channel alone: then a watermark is that of all that is in front of it. */
  readonly isOnly: boolean
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
  private channelCount = 0
  private snapshotId = 0
  private readonly out = new ByteWriter()
  private rows = 0
  private restored: RestoredRow[] = []

  constructor(owner: LogOwner) {
    this.owner = owner
  }

  /** A barrier is about to overtake, in front of a task with so many channels. */
  arm(channelCount: number): void {
    this.channelCount = channelCount
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
          isOnly: next() as boolean,
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
   * dealt out (`channel` is undefined then), between the watermarks that they were between where these are certain; others are left out.
   */
  replay(groups: GroupRange, maxParallelism: number, visit: (row: InFlightRow) => void): void {
    const { owner } = this
    const own = this.restored.filter(row => row.parallelism === owner.parallelism)
    const foreign = this.restored.filter(row => row.parallelism !== owner.parallelism)
    this.restored = []
    for (const row of own) if (row.subtask === owner.subtaskIndex) visit(row)
    const isMine = (row: RestoredRow, position: number): boolean => this.isMine(row, position, groups, maxParallelism)
    if (foreign.every(row => row.isOnly)) {
      for (const row of betweenWatermarks(foreign, isMine)) visit({ ...row, channel: undefined })
    } else for (const [at, row] of foreign.entries()) if (isMine(row, at)) visit({ ...row, channel: undefined })
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
    const isOnly = this.channelCount === 1
    for (const part of [owner.subtaskIndex, owner.parallelism, channel, isOnly, input, watermark]) writeValue(out, part)
    for (const part of [value, timestamp, key, isRetraction]) writeValue(out, part)
    out.fillLength(position, 1)
    this.rows++
  }
}

/**
 * Rows of subtasks that read one and the same stream: what they were to get next ends at one barrier, so the watermarks that they all had
 * before them tell which of their records belong together.
 */
function betweenWatermarks(
  rows: readonly RestoredRow[],
  isMine: (row: RestoredRow, position: number) => boolean,
): readonly RestoredRow[] {
  const epochs = new Map<number, RestoredRow[]>()
  const watermarks = new Map<number, RestoredRow>()
  // The watermark that comes next after a record, by subtask, from the last row to the first.
  const next = new Map<number, number>()
  for (let at = rows.length - 1; at >= 0; at--) {
    const row = rows[at] as RestoredRow
    if (row.watermark !== undefined) {
      next.set(row.subtask, row.watermark)
      watermarks.set(row.watermark, row)
    } else if (isMine(row, at)) {
      const epoch = next.get(row.subtask) ?? Infinity
      epochs.set(epoch, [row, ...(epochs.get(epoch) ?? [])])
    }
  }
  const times = [...new Set([...epochs.keys(), ...watermarks.keys()])].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  return times.flatMap(timeMs => {
    const watermark = watermarks.get(timeMs)
    return [...(epochs.get(timeMs) ?? []), ...(watermark === undefined ? [] : [watermark])]
  })
}
