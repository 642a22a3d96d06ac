// Record path. The operator of Storm's windows: one timer per key, for its next window. Time is one number, up to which all records have
// come: the watermark less the lag, or processing time less 1 ms.
import type { ByteReader } from '../base/byte-reader.ts'
import { preview } from '../base/errors.ts'
import type { AggregateFunction, Collector } from '../model/functions.ts'
import type { Key } from '../model/key.ts'
import type { MixedWindow, MixedWindowFunctionSpec, MixedWindowSpec } from '../model/mixed-window-spec.ts'
import { readValue, writeValue } from '../serde/value-codec.ts'
import type { ChangeTracker } from '../state/change-tracker.ts'
import { type EntryRows, KeyedPart } from '../state/keyed-part.ts'
import { KeyedTable } from '../state/keyed-table.ts'
import { ListPart } from '../state/list-part.ts'
import type { StatePart } from '../state/state-part.ts'
import { type Timer, TimerQueue } from '../time/timer-queue.ts'
import { MixedWindowEntry, MixedWindows } from '../window/mixed-window.ts'
import { checkAccumulator } from '../window/window-contents.ts'
import { type Emit, NO_TIMESTAMP, type Operator, type OperatorContext, type PendingWork, spend } from './operator.ts'
import { failOnRecord, failStep, failWith } from './user-failure.ts'
import { checkLayout } from './window/cell-rows.ts'

/** The operator of a mixed windowing. */
export function mixedWindowOperator(spec: MixedWindowSpec, context: OperatorContext): Operator {
  return new MixedWindowOperator(spec, context)
}

type Compute = (key: unknown, window: MixedWindow<unknown>, out: Collector<unknown>) => void

class MixedWindowOperator implements Operator {
  readonly inputs: readonly Emit[]
  readonly parts: readonly StatePart[]
  /** Windows that lag emit behind the watermark that they were given, so it is held back; others let it pass. */
  readonly outputWatermark?: (inputWatermark: number) => number
  private readonly spec: MixedWindowSpec
  private readonly context: OperatorContext
  private readonly windows: MixedWindows
  private readonly compute: Compute
  private readonly keyOf: (record: never) => unknown
  private readonly lateOutput: Emit | undefined
  private readonly out: Collector<unknown>
  private readonly table: KeyedTable<MixedWindowEntry>
  private readonly changes: ChangeTracker<MixedWindowEntry>
  private readonly timers = new TimerQueue<MixedWindowEntry>()
  /** No record with a time at or below this one follows. */
  private timeMs = -Infinity
  /** The newest such time of which all windows have fired. */
  private settledMs = -Infinity
  private newestClockMs = -Infinity

  constructor(spec: MixedWindowSpec, context: OperatorContext) {
    this.spec = spec
    this.context = context
    this.windows = new MixedWindows(spec)
    this.compute = computation(spec.function)
    this.keyOf = context.keyOf(0)
    this.lateOutput = spec.lateOutputTag === undefined ? undefined : context.sideOutput(spec.lateOutputTag)
    this.out = { collect: context.output }
    const records = new KeyedPart<MixedWindowEntry>('windows', this.entryRows())
    this.changes = records.changes
    if (context.isCheckpointed) this.changes.enable()
    const { maxParallelism } = context.vertex
    this.table = new KeyedTable(maxParallelism, (key, group) => new MixedWindowEntry(key, group), this.changes)
    this.parts = [this.timePart(), records]
    this.inputs = [this.input()]
    if (spec.lagMs > 0) this.outputWatermark = inputWatermark => inputWatermark - spec.lagMs
  }

  onWatermark(watermark: number): boolean {
    // The final watermark ends processing time as well: what is pending then fires before it is sent on.
    if (this.spec.timeDomain === 'processing-time' && watermark !== Infinity) return true
    this.timeMs = watermark - this.spec.lagMs
    if (!this.fireDue(this.timeMs)) return false
    this.settledMs = this.timeMs
    return true
  }

  // Each key is in the window that it fires next.
  pending(): PendingWork {
    const { timeDomain, lagMs } = this.spec
    const nextTimeMs = this.timers.nextTimeMs() + lagMs
    return { kind: 'windows', count: this.table.size, timeDomain, nextTimeMs, nextProcessingTimeMs: Infinity }
  }

  nextTimerMs(): number {
    // A window holds the millisecond at its end, which must be over.
    return this.spec.timeDomain === 'event-time' ? Infinity : this.timers.nextTimeMs() + 1
  }

  onProcessingTime(nowMs: number): boolean {
    return this.spec.timeDomain === 'event-time' ? true : this.fireDue(nowMs - 1)
  }

  private input(): Emit {
    if (this.spec.timeDomain === 'event-time') return record => this.onEventTimeRecord(record)
    // Counting asks for no other record, so that a window leaves with the record that completes it.
    return this.spec.slide.kind === 'records'
      ? record => this.fireIfComplete(this.add(record, this.now()))
      : record => this.schedule(this.add(record, this.now()))
  }

  private onEventTimeRecord(record: unknown): void {
    const { timestamp } = this.context.record
    if (timestamp === NO_TIMESTAMP) {
      failWith(
        this.context.vertex,
        'TIMESTAMP_MISSING',
        `record ${preview(record)} has no timestamp`,
        'call assignTimestampsAndWatermarks() before the window',
      )
    }
    if (timestamp > this.timeMs) this.schedule(this.add(record, timestamp))
    else if (this.lateOutput === undefined) this.context.counters.lateRecordsDropped++
    else this.lateOutput(record)
  }

  /** Processing time; a clock that is put back stands still. */
  private now(): number {
    const nowMs = this.context.clock.now()
    if (nowMs > this.newestClockMs) this.newestClockMs = nowMs
    return this.newestClockMs
  }

  private add(record: unknown, timestampMs: number): MixedWindowEntry {
    const { vertex } = this.context
    let entry: MixedWindowEntry
    try {
      entry = this.table.ensure(this.keyOf(record as never))
      this.windows.add(entry, record, timestampMs)
    } catch (error) {
      failOnRecord(vertex, record, error)
    }
    const held = entry.records.length + entry.expired.length
    if (held > this.spec.recordsMax) {
      const what = `key ${preview(entry.key)} has ${held} records in its window, ${this.spec.recordsMax} may be kept`
      failWith(vertex, 'WINDOW_OVERFLOW', what, 'make the window shorter, the key finer, or raise recordsMax')
    }
    return entry
  }

  /** Sees to it that the key's timer is at its next window. */
  private schedule(entry: MixedWindowEntry): void {
    const dueMs = this.windows.dueMs(entry)
    if (dueMs === entry.timerMs) return
    if (entry.timerMs !== Infinity) this.timers.delete(entry, entry.timerMs)
    if (dueMs !== Infinity) this.timers.register(entry, dueMs)
    entry.timerMs = dueMs
  }

  private fireIfComplete(entry: MixedWindowEntry): void {
    if (this.windows.dueMs(entry) !== Infinity) this.fire(entry, this.context.record.timestamp, false)
  }

  private fireDue(timeMs: number): boolean {
    const { capacity, clock } = this.context
    while (this.timers.hasDue(timeMs)) {
      if (capacity.blocked > 0 || capacity.budget <= 0) return false
      const { owner: entry, timeMs: dueMs } = this.timers.popDue(timeMs) as Timer<MixedWindowEntry>
      if (entry.touchedIn !== this.changes.epoch) this.changes.touch(entry)
      entry.timerMs = Infinity
      this.fire(entry, dueMs, timeMs === Infinity)
      this.schedule(entry)
      this.table.releaseIfEmpty(entry)
      spend(capacity, clock)
    }
    return true
  }

  private fire(entry: MixedWindowEntry, timestamp: number, isAtEnd: boolean): void {
    const { record: current, vertex } = this.context
    const window = this.windows.take(entry, isAtEnd)
    if (window === undefined) return
    const before = current.timestamp
    current.timestamp = timestamp
    try {
      this.compute(entry.key, window, this.out)
    } catch (error) {
      failStep(vertex, `for key ${preview(entry.key)} in window (${window.start}, ${window.end}]`, error)
    }
    current.timestamp = before
  }

  // Several subtasks were at several times: a late record is late to the last of them, and no clock goes back.
  private timePart(): StatePart {
    return new ListPart(
      'time',
      'union',
      'time',
      () => [[this.settledMs, this.newestClockMs]],
      elements => {
        const times = elements as readonly (readonly [number, number])[]
        if (times.length === 0) return
        this.timeMs = Math.min(...times.map(([timeMs]) => timeMs))
        this.settledMs = this.timeMs
        this.newestClockMs = Math.max(...times.map(([, clockMs]) => clockMs))
      },
    )
  }

  private entryRows(): EntryRows<MixedWindowEntry> {
    const layout = 'mixed-window'
    return {
      schema: { layout, states: [] },
      all: () => this.table.entries(),
      writeIdentity: (entry, out) => writeValue(out, entry.key),
      writePayload(entry, out) {
        if (entry.isEmpty()) return false
        writeValue(out, entry.records)
        writeValue(out, entry.timestamps)
        writeValue(out, entry.seen)
        writeValue(out, entry.counted)
        writeValue(out, entry.expired)
        writeValue(out, entry.nextEndMs)
        return true
      },
      restorer: schema => {
        checkLayout(schema, layout)
        return { row: (_keyGroup, identity, payload) => this.restoreEntry(identity, payload) }
      },
    }
  }

  private restoreEntry(identity: ByteReader, payload: ByteReader): void {
    const entry = this.table.ensure(readValue(identity))
    entry.records = readValue(payload) as unknown[]
    entry.timestamps = readValue(payload) as number[]
    entry.seen = readValue(payload) as number
    entry.counted = readValue(payload) as number
    entry.expired = readValue(payload) as unknown[]
    entry.nextEndMs = readValue(payload) as number
    this.schedule(entry)
  }
}

function computation(definition: MixedWindowFunctionSpec): Compute {
  if (definition.kind === 'process') {
    return (key, window, out) => definition.process(key as Key, window as MixedWindow<never>, out)
  }
  const aggregate: AggregateFunction<unknown, unknown, unknown> = definition.aggregate
  return (_key, window, out) => {
    let accumulator: unknown = aggregate.create()
    for (const element of window.elements) accumulator = checkAccumulator(aggregate.add(accumulator, element))
    out.collect(aggregate.result(accumulator))
  }
}
