// Record path. The window operator: assigner x trigger x evictor x lateness x function over keyed records. Windows that end at the same
// time share one timer, so that keys cost no timer each; firing goes key by key and may pause between two keys.
import { preview } from '../base/errors.ts'
import type { Collector, TimeWindow } from '../model/functions.ts'
import type { WindowSpec } from '../model/window-spec.ts'
import { KeyedTable } from '../state/keyed-table.ts'
import { TimerQueue } from '../time/timer-queue.ts'
import { type AlignedWindows, alignedWindows, GLOBAL_WINDOW, newestStart } from '../window/assigner.ts'
import { type WindowContents, WindowEntry, windowContents } from '../window/window-contents.ts'
import { type Emit, NO_TIMESTAMP, type Operator, type OperatorContext, spend } from './operator.ts'
import { failOnRecord, failStep, failWith } from './user-failure.ts'

/** All keys of one window. `fired`: it was emitted and is kept for late records within the allowed lateness. */
interface Pane {
  readonly window: TimeWindow
  readonly keys: KeyedTable<WindowEntry>
  state: 'open' | 'firing' | 'fired'
}

/** The operator of a windowing. */
export function windowOperator(spec: WindowSpec, context: OperatorContext): Operator {
  const windows = alignedWindows(spec.assigner)
  return windows === undefined
    ? new GlobalWindowOperator(spec, context)
    : new TimeWindowOperator(spec, windows, context)
}

/** Windows that end by time. */
class TimeWindowOperator implements Operator {
  readonly inputs: readonly Emit[]
  private readonly spec: WindowSpec
  private readonly windows: AlignedWindows
  private readonly context: OperatorContext
  private readonly contents: WindowContents
  private readonly keyOf: (record: never) => unknown
  private readonly lateOutput: Emit | undefined
  private readonly out: Collector<unknown>
  private readonly panes = new Map<number, Pane>()
  private readonly ends = new TimerQueue<Pane>()
  private readonly cleanups = new TimerQueue<Pane>()
  private lastPane: Pane | undefined
  private firing: { readonly pane: Pane; readonly entries: IterableIterator<WindowEntry> } | undefined
  private watermark = -Infinity

  constructor(spec: WindowSpec, windows: AlignedWindows, context: OperatorContext) {
    this.spec = spec
    this.windows = windows
    this.context = context
    this.contents = windowContents(spec)
    this.keyOf = context.keyOf(0)
    this.lateOutput = spec.lateOutputTag === undefined ? undefined : context.sideOutput(spec.lateOutputTag)
    this.out = { collect: context.output }
    this.inputs = [
      spec.timeDomain === 'event-time'
        ? record => this.onEventTimeRecord(record)
        : record => this.onProcessingTimeRecord(record),
    ]
  }

  onWatermark(watermark: number): boolean {
    this.watermark = watermark
    // The final watermark ends processing time as well: what is pending then fires before it is sent on.
    if (this.spec.timeDomain === 'processing-time' && watermark !== Infinity) return true
    return this.fireEnded(watermark)
  }

  nextTimerMs(): number {
    if (this.spec.timeDomain === 'event-time') return Infinity
    return this.firing === undefined ? this.ends.nextTimeMs() : -Infinity
  }

  onProcessingTime(nowMs: number): boolean {
    return this.spec.timeDomain === 'event-time' ? true : this.fireEnded(nowMs)
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
    this.assign(record, timestamp)
  }

  private onProcessingTimeRecord(record: unknown): void {
    this.assign(record, this.context.clock.now())
  }

  private assign(record: unknown, timeMs: number): void {
    const { sizeMs, slideMs } = this.windows
    const key = this.keyOf(record as never)
    let isTaken = false
    for (let start = newestStart(this.windows, timeMs); start > timeMs - sizeMs; start -= slideMs) {
      const pane = this.paneAt(start)
      if (pane === undefined) continue
      isTaken = true
      this.add(pane, key, record)
    }
    // With a slide above the size a record may fall between windows: it belongs to none and is not late.
    if (!isTaken && this.isLate(timeMs)) this.onLate(record)
  }

  /** The pane of the window that starts there; undefined when the window is closed for good. */
  private paneAt(start: number): Pane | undefined {
    if (this.lastPane !== undefined && this.lastPane.window.start === start) return this.lastPane
    let pane = this.panes.get(start)
    if (pane === undefined) {
      const end = start + this.windows.sizeMs
      if (this.spec.timeDomain === 'event-time' && end - 1 + this.spec.allowedLatenessMs <= this.watermark)
        return undefined
      pane = this.openPane({ start, end })
    }
    this.lastPane = pane
    return pane
  }

  private openPane(window: TimeWindow): Pane {
    const isLateFirst = this.spec.timeDomain === 'event-time' && window.end - 1 <= this.watermark
    const pane: Pane = {
      window: Object.freeze(window),
      keys: windowTable(this.context),
      state: isLateFirst ? 'fired' : 'open',
    }
    this.panes.set(window.start, pane)
    // Processing time may still be in the window's last millisecond: it fires when that is over (as Flink's timers do).
    const endMs = this.spec.timeDomain === 'event-time' ? window.end - 1 : window.end
    if (!isLateFirst) this.ends.register(pane, endMs)
    if (this.spec.allowedLatenessMs > 0) this.cleanups.register(pane, window.end - 1 + this.spec.allowedLatenessMs)
    return pane
  }

  private add(pane: Pane, key: unknown, record: unknown): void {
    let entry: WindowEntry
    try {
      entry = pane.keys.ensure(key)
      this.contents.add(entry, record)
    } catch (error) {
      failOnRecord(this.context.vertex, record, error)
    }
    if (pane.state === 'fired') this.emit(pane, entry)
  }

  private isLate(timeMs: number): boolean {
    const start = newestStart(this.windows, timeMs)
    return start > timeMs - this.windows.sizeMs && this.spec.timeDomain === 'event-time'
  }

  private onLate(record: unknown): void {
    if (this.lateOutput === undefined) this.context.counters.lateRecordsDropped++
    else this.lateOutput(record)
  }

  private fireEnded(timeMs: number): boolean {
    if (this.firing !== undefined && !this.continueFiring()) return false
    for (let due = this.ends.popDue(timeMs); due !== undefined; due = this.ends.popDue(timeMs)) {
      due.owner.state = 'firing'
      this.firing = { pane: due.owner, entries: due.owner.keys.entries() }
      if (!this.continueFiring()) return false
    }
    for (let due = this.cleanups.popDue(timeMs); due !== undefined; due = this.cleanups.popDue(timeMs))
      this.forget(due.owner)
    return true
  }

  private continueFiring(): boolean {
    const { capacity, clock } = this.context
    const { pane, entries } = this.firing as NonNullable<TimeWindowOperator['firing']>
    for (;;) {
      if (capacity.blocked > 0 || capacity.budget <= 0) return false
      const next = entries.next()
      if (next.done === true) break
      this.emit(pane, next.value)
      spend(capacity, clock)
    }
    pane.state = 'fired'
    this.firing = undefined
    if (this.spec.allowedLatenessMs === 0) this.forget(pane)
    return true
  }

  private emit(pane: Pane, entry: WindowEntry): void {
    emitWindow(this.context, this.contents, entry, pane.window, this.out, pane.window.end - 1)
  }

  private forget(pane: Pane): void {
    this.panes.delete(pane.window.start)
    if (this.lastPane === pane) this.lastPane = undefined
  }
}

/** One window per key without end, emitted by count. A window that is not full at the end of input does not fire (as in Flink). */
class GlobalWindowOperator implements Operator {
  readonly inputs: readonly Emit[]

  constructor(spec: WindowSpec, context: OperatorContext) {
    const { vertex } = context
    const keyOf = context.keyOf(0)
    const contents = windowContents(spec)
    const out: Collector<unknown> = { collect: context.output }
    const table = windowTable(context)
    const { trigger } = spec
    this.inputs = [
      record => {
        let entry: WindowEntry
        try {
          entry = table.ensure(keyOf(record as never))
          contents.add(entry, record)
        } catch (error) {
          failOnRecord(vertex, record, error)
        }
        if (trigger.kind !== 'count' || ++entry.count < trigger.count) return
        entry.count = 0
        emitWindow(context, contents, entry, GLOBAL_WINDOW, out, context.record.timestamp)
        if (!trigger.isPurging) return
        entry.content = undefined
        table.releaseIfEmpty(entry)
      },
    ]
  }
}

function windowTable(context: OperatorContext): KeyedTable<WindowEntry> {
  return new KeyedTable(context.vertex.maxParallelism, (key, keyGroup) => new WindowEntry(key, keyGroup))
}

function emitWindow(
  context: OperatorContext,
  contents: WindowContents,
  entry: WindowEntry,
  window: TimeWindow,
  out: Collector<unknown>,
  timestamp: number,
): void {
  const { record: current, vertex } = context
  const before = current.timestamp
  current.timestamp = timestamp
  try {
    contents.emit(entry, window, out)
  } catch (error) {
    failStep(vertex, `for key ${preview(entry.key)} in window [${window.start}, ${window.end})`, error)
  }
  current.timestamp = before
}
