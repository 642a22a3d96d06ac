// Record path. The operator of Kafka Streams' sliding windows. It goes by stream time: the greatest timestamp that this very subtask has seen; watermarks
// count for nothing but the end of input. Windows that end at the same time share one deadline.
import type { ByteReader } from '../base/byte-reader.ts'
import type { ByteWriter } from '../base/byte-writer.ts'
import { preview } from '../base/errors.ts'
import type { AggregateFunction } from '../model/functions.ts'
import type { PerRecordWindowSpec } from '../model/per-record-window-spec.ts'
import { readValue, writeValue } from '../serde/value-codec.ts'
import type { ChangeTracker } from '../state/change-tracker.ts'
import { type EntryRows, KeyedPart } from '../state/keyed-part.ts'
import { KeyedTable } from '../state/keyed-table.ts'
import type { StatePart } from '../state/state-part.ts'
import { type Timer, TimerQueue } from '../time/timer-queue.ts'
import { PerRecordEntry, type PerRecordWindow, PerRecordWindows } from '../window/per-record-window.ts'
import { type Emit, NO_TIMESTAMP, type Operator, type OperatorContext, type PendingWork, spend } from './operator.ts'
import { failOnRecord, failStep, failWith } from './user-failure.ts'
import { checkLayout } from './window/cell-rows.ts'
import { timePart } from './window/time-part.ts'

/** The operator of a per-record windowing. */
export function perRecordWindowOperator(spec: PerRecordWindowSpec, context: OperatorContext): Operator {
  return new PerRecordWindowOperator(spec, context)
}

/** The windows of all keys that end (inclusive) at one time; those before `next` are closed. */
interface Closing {
  readonly endMs: number
  readonly windows: PerRecordWindow[]
  next: number
}

class PerRecordWindowOperator implements Operator {
  readonly inputs: readonly Emit[]
  readonly parts: readonly StatePart[]
  /** Results on close have the timestamps of records long gone, so the watermark is held back behind the windows that are open. */
  readonly outputWatermark?: (inputWatermark: number) => number
  private readonly spec: PerRecordWindowSpec
  private readonly context: OperatorContext
  private readonly aggregate: AggregateFunction<unknown, unknown, unknown>
  private readonly windows: PerRecordWindows
  private readonly keyOf: (record: never) => unknown
  private readonly lateOutput: Emit | undefined
  private readonly table: KeyedTable<PerRecordEntry>
  private readonly changes: ChangeTracker<PerRecordEntry>
  private readonly closings = new Map<number, Closing>()
  private readonly closingTimes = new TimerQueue<Closing>()
  private readonly purges = new TimerQueue<PerRecordEntry>()
  /** The closing that was interrupted. */
  private closing: Closing | undefined
  private streamTimeMs = -Infinity
  private heldWatermark = -Infinity
  /** The newest watermark that was looked at. */
  private seenWatermark = -Infinity

  constructor(spec: PerRecordWindowSpec, context: OperatorContext) {
    this.spec = spec
    this.context = context
    this.aggregate = spec.aggregate
    this.windows = new PerRecordWindows(spec.timeDifferenceMs, this.aggregate)
    this.keyOf = context.keyOf(0)
    this.lateOutput = spec.lateOutputTag === undefined ? undefined : context.sideOutput(spec.lateOutputTag)
    const entries = new KeyedPart<PerRecordEntry>('windows', this.entryRows())
    this.changes = entries.changes
    if (context.isCheckpointed) this.changes.enable()
    const { maxParallelism } = context.vertex
    this.table = new KeyedTable(maxParallelism, (key, group) => new PerRecordEntry(key, group), this.changes)
    const times = timePart(
      () => [this.streamTimeMs, this.heldWatermark, this.seenWatermark],
      ([streamTimeMs, heldWatermark, seenWatermark]) => {
        this.streamTimeMs = streamTimeMs as number
        this.heldWatermark = heldWatermark as number
        this.seenWatermark = seenWatermark as number
      },
    )
    this.parts = [times, entries]
    this.inputs = [record => this.onRecord(record)]
    if (spec.emit === 'on-close') this.outputWatermark = () => this.heldWatermark
  }

  onWatermark(watermark: number): boolean {
    if (!this.closeBelow(watermark === Infinity ? Infinity : this.closedBelowMs())) return false
    this.holdBack(watermark)
    return true
  }

  // On update every record brings its results out at once: nothing waits for the close.
  pending(): PendingWork {
    const { emit, graceMs } = this.spec
    let count = 0
    for (const { windows, next } of this.closings.values()) count += windows.length - next
    const nextTimeMs = emit === 'on-close' ? this.closingTimes.nextTimeMs() + graceMs : Infinity
    return { kind: 'windows', count, timeDomain: 'stream-time', nextTimeMs, nextProcessingTimeMs: Infinity }
  }

  // What a record closed leaves between records, where the step may be interrupted, not in the midst of the record.
  nextTimerMs(): number {
    const closedMs = this.closedBelowMs() - 1
    const isDue = this.closing !== undefined || this.closingTimes.hasDue(closedMs) || this.purges.hasDue(closedMs)
    return isDue ? -Infinity : Infinity
  }

  onProcessingTime(): boolean {
    return this.closeBelow(this.closedBelowMs())
  }

  /** Windows whose end (inclusive) is below it are closed. */
  private closedBelowMs(): number {
    return this.streamTimeMs - this.spec.graceMs
  }

  private onRecord(record: unknown): void {
    const { vertex } = this.context
    const timestampMs = this.timestampOf(record)
    if (timestampMs > this.streamTimeMs) this.streamTimeMs = timestampMs
    const closedBelowMs = this.closedBelowMs()
    let entry: PerRecordEntry
    let isTaken: boolean
    try {
      entry = this.table.ensure(this.keyOf(record as never))
      isTaken = this.windows.add(entry, record, timestampMs, closedBelowMs)
    } catch (error) {
      failOnRecord(vertex, record, error)
    }
    if (!isTaken) {
      this.table.releaseIfEmpty(entry)
      this.onLate(record)
      return
    }
    for (const window of this.windows.opened) this.scheduleClosing(window)
    this.windows.purgeIfMany(entry, closedBelowMs)
    if (entry.records.length > this.spec.recordsMax) this.refuseGrowth(entry)
    if (this.spec.emit === 'on-update') for (const window of this.windows.changed) this.emit(window)
  }

  // Kafka knows whole milliseconds only, and so does "1 ms after a record".
  private timestampOf(record: unknown): number {
    const { timestamp } = this.context.record
    if (timestamp !== NO_TIMESTAMP) return Math.floor(timestamp)
    return failWith(
      this.context.vertex,
      'TIMESTAMP_MISSING',
      `record ${preview(record)} has no timestamp`,
      'call assignTimestampsAndWatermarks() before the window',
    )
  }

  private onLate(record: unknown): void {
    if (this.lateOutput === undefined) this.context.counters.lateRecordsDropped++
    else this.lateOutput(record)
  }

  private refuseGrowth(entry: PerRecordEntry): void {
    this.windows.purge(entry, this.closedBelowMs())
    const held = entry.records.length
    const { recordsMax } = this.spec
    if (held <= recordsMax) return
    const what = `key ${preview(entry.key)} has ${held} records within the window and its grace, ${recordsMax} may be kept`
    failWith(this.context.vertex, 'WINDOW_OVERFLOW', what, 'lower graceMs, make the key finer, or raise recordsMax')
  }

  private scheduleClosing(window: PerRecordWindow): void {
    const endMs = window.start + this.spec.timeDifferenceMs
    let closing = this.closings.get(endMs)
    if (closing === undefined) {
      closing = { endMs, windows: [], next: 0 }
      this.closings.set(endMs, closing)
      this.closingTimes.register(closing, endMs)
    }
    closing.windows.push(window)
  }

  private closeBelow(closedBelowMs: number): boolean {
    const { capacity, clock } = this.context
    for (;;) {
      if (this.closing !== undefined && !this.continueClosing(this.closing, closedBelowMs)) return false
      const due = this.closingTimes.popDue(closedBelowMs - 1)
      if (due === undefined) break
      this.closing = due.owner
    }
    while (this.purges.hasDue(closedBelowMs - 1)) {
      if (capacity.blocked > 0 || capacity.budget <= 0) return false
      const { owner: entry } = this.purges.popDue(closedBelowMs - 1) as Timer<PerRecordEntry>
      this.touch(entry)
      entry.timerMs = Infinity
      this.releaseIfDone(entry, closedBelowMs)
      spend(capacity, clock)
    }
    return true
  }

  private continueClosing(closing: Closing, closedBelowMs: number): boolean {
    const { capacity, clock } = this.context
    while (closing.next < closing.windows.length) {
      if (capacity.blocked > 0 || capacity.budget <= 0) return false
      const window = closing.windows[closing.next++] as PerRecordWindow
      this.touch(window.entry)
      if (this.spec.emit === 'on-close') this.emit(window)
      // Windows of a key close in the order of their starts.
      window.entry.windows.shift()
      this.releaseIfDone(window.entry, closedBelowMs)
      spend(capacity, clock)
    }
    this.closings.delete(closing.endMs)
    this.closing = undefined
    return true
  }

  /** A record outlives its own window: one that comes later may open another that holds it. */
  private releaseIfDone(entry: PerRecordEntry, closedBelowMs: number): void {
    if (entry.windows.length > 0) return
    this.windows.purge(entry, closedBelowMs)
    const newestMs = entry.timestamps.at(-1)
    const timerMs = newestMs === undefined ? Infinity : newestMs + this.spec.timeDifferenceMs + 1
    if (timerMs !== entry.timerMs) {
      if (entry.timerMs !== Infinity) this.purges.delete(entry, entry.timerMs)
      if (timerMs !== Infinity) this.purges.register(entry, timerMs)
      entry.timerMs = timerMs
    }
    this.table.releaseIfEmpty(entry)
  }

  private emit(window: PerRecordWindow): void {
    const { record: current, output, vertex } = this.context
    const { entry, start } = window
    const end = start + this.spec.timeDifferenceMs + 1
    let value: unknown
    try {
      value = this.aggregate.result(window.accumulator)
    } catch (error) {
      failStep(vertex, `for key ${preview(entry.key)} in window [${start}, ${end})`, error)
    }
    const before = current.timestamp
    current.timestamp = window.newestMs
    output({ key: entry.key, window: { start, end }, value })
    current.timestamp = before
  }

  // Looked at with each watermark only, once, so that what follows sees the same watermarks however records are batched, and after a
  // restore, which gives the one before again.
  private holdBack(watermark: number): void {
    if (watermark <= this.seenWatermark) return
    this.seenWatermark = watermark
    const held = Math.min(watermark, this.closingTimes.nextTimeMs() - this.spec.timeDifferenceMs - 1)
    if (held > this.heldWatermark) this.heldWatermark = held
  }

  private touch(entry: PerRecordEntry): void {
    if (entry.touchedIn !== this.changes.epoch) this.changes.touch(entry)
  }

  private entryRows(): EntryRows<PerRecordEntry> {
    const layout = 'per-record-windows'
    return {
      schema: { layout, states: [] },
      all: () => this.table.entries(),
      writeIdentity: (entry, out) => writeValue(out, entry.key),
      writePayload: (entry, out) => writeEntry(entry, out),
      restorer: schema => {
        checkLayout(schema, layout)
        return { row: (_keyGroup, identity, payload) => this.restoreEntry(identity, payload) }
      },
    }
  }

  private restoreEntry(identity: ByteReader, payload: ByteReader): void {
    const entry = this.table.ensure(readValue(identity))
    entry.timestamps = readValue(payload) as number[]
    entry.records = readValue(payload) as unknown[]
    entry.sequences = readValue(payload) as number[]
    for (const sequence of entry.sequences) this.windows.noteSequence(sequence)
    entry.timerMs = readValue(payload) as number
    if (entry.timerMs !== Infinity) this.purges.register(entry, entry.timerMs)
    const count = readValue(payload) as number
    for (let at = 0; at < count; at++) {
      const start = readValue(payload) as number
      const accumulator = readValue(payload)
      const window: PerRecordWindow = { entry, start, accumulator, newestMs: readValue(payload) as number }
      entry.windows.push(window)
      this.scheduleClosing(window)
    }
  }
}

function writeEntry(entry: PerRecordEntry, out: ByteWriter): boolean {
  if (entry.isEmpty()) return false
  writeValue(out, entry.timestamps)
  writeValue(out, entry.records)
  writeValue(out, entry.sequences)
  writeValue(out, entry.timerMs)
  writeValue(out, entry.windows.length)
  for (const { start, accumulator, newestMs } of entry.windows) {
    writeValue(out, start)
    writeValue(out, accumulator)
    writeValue(out, newestMs)
  }
  return true
}
