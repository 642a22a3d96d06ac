// Record path. Windows that do not merge. All keys of a window share its deadlines, so keys cost none each; firing goes key by key and may
// pause between two keys.
import type { ByteReader } from '../../base/byte-reader.ts'
import type { ByteWriter } from '../../base/byte-writer.ts'
import type { TimeWindow } from '../../model/functions.ts'
import type { WindowSpec } from '../../model/window-spec.ts'
import { readValue, writeValue } from '../../serde/value-codec.ts'
import type { ChangeTracker } from '../../state/change-tracker.ts'
import type { KeyedColumns } from '../../state/keyed-columns.ts'
import { type EntryRows, KeyedPart } from '../../state/keyed-part.ts'
import { KeyedTable } from '../../state/keyed-table.ts'
import type { StatePart } from '../../state/state-part.ts'
import { type Deadline, DeadlineQueue } from '../../time/deadline-queue.ts'
import {
  type AlignedWindows,
  alignedWindows,
  type ListWindows,
  listedWindows,
  newestStart,
} from '../../window/assigner.ts'
import { WindowCell } from '../../window/window-cell.ts'
import type { OperatorContext } from '../operator.ts'
import { failOnRecord } from '../user-failure.ts'
import { checkLayout, type ReadCell } from './cell-rows.ts'
import { LateOutput } from './late-output.ts'
import { PLAIN_WINDOWS } from './pane-output.ts'
import { timePart } from './time-part.ts'
import { type ColumnWindow, columnField, WindowColumns } from './window-columns.ts'
import { WindowCore } from './window-core.ts'
import type { PendingPanes, TimeDriven } from './window-time.ts'

/** All keys of one window. `open`: its end is to come; `ended`: it is kept for late records. */
interface OpenWindow extends ColumnWindow {
  readonly identity: number | string
  state: 'open' | 'ended'
  deadline: Deadline<OpenWindow> | undefined
}

/** A walk over the cells of a window, one at a time. */
interface Visit {
  readonly window: OpenWindow
  /** The next row of its columns. */
  row: number
  readonly cells: IterableIterator<WindowCell>
}

/** The windows of one subtask. */
export class DiscreteWindows implements TimeDriven {
  readonly core: WindowCore
  readonly parts: readonly StatePart[]
  private readonly context: OperatorContext
  private readonly aligned: AlignedWindows | undefined
  private readonly list: ListWindows | undefined
  private readonly keyOf: readonly ((record: never) => unknown)[]
  private readonly late: LateOutput
  private readonly windows = new Map<number | string, OpenWindow>()
  private readonly deadlines = new DeadlineQueue<OpenWindow>()
  private readonly isRestarting: boolean
  private readonly changes: ChangeTracker<WindowCell>
  private readonly touch = (cell: WindowCell): void => {
    if (cell.touchedIn !== this.changes.epoch) this.changes.touch(cell)
  }
  private readonly woken: ((cell: WindowCell) => void) | undefined
  /** Undefined where all contents are in cells. */
  private readonly columns: WindowColumns | undefined
  private lastWindow: OpenWindow | undefined
  private visit: Visit | undefined

  constructor(spec: WindowSpec, context: OperatorContext) {
    this.core = new WindowCore(spec, context, PLAIN_WINDOWS)
    this.context = context
    this.aligned = alignedWindows(spec.assigner)
    this.list = this.aligned === undefined ? listedWindows(spec.assigner) : undefined
    this.keyOf = Array.from({ length: spec.inputs }, (_, input) => context.keyOf(input))
    this.late = new LateOutput(spec, context)
    this.isRestarting = spec.assigner.kind === 'global' && spec.assigner.restarts
    this.woken = this.isRestarting ? cell => this.restartIfOver(cell) : undefined
    const cells = new KeyedPart<WindowCell>('windows', this.cellRows())
    this.changes = cells.changes
    if (context.isCheckpointed) this.changes.enable()
    const times = timePart(
      () => this.core.times(),
      least => this.core.restoreTimes(least),
    )
    const field = columnField(spec, context)
    this.columns = field === undefined ? undefined : new WindowColumns(field, context, cells)
    this.parts = [times, cells, ...this.core.output.userState.parts]
  }

  take(record: unknown, timeMs: number, input: number): void {
    const key = (this.keyOf[input] as (record: never) => unknown)(record as never)
    if (this.aligned !== undefined) this.takeAligned(this.aligned, record, key, timeMs, input)
    else this.takeListed(this.list as ListWindows, record, key, timeMs, input)
    if (this.core.holdsWatermark) this.core.noteSent()
  }

  moveTo(timeMs: number): void {
    this.core.moveTo(timeMs)
  }

  settle(): void {
    this.core.settle()
  }

  hasDue(): boolean {
    const { timeMs, timeDeadlines } = this.core
    return this.visit !== undefined || this.deadlines.hasDue(timeMs) || timeDeadlines.hasDue(timeMs)
  }

  workOff(): void {
    if (this.visit !== undefined) {
      this.continueVisit(this.visit)
      return
    }
    const { timeMs, timeDeadlines } = this.core
    const isCellFirst = timeDeadlines.nextTimeMs() < this.deadlines.nextTimeMs() || !this.deadlines.hasDue(timeMs)
    const cell = isCellFirst ? timeDeadlines.dueOwner(timeMs) : undefined
    if (cell !== undefined) {
      this.touch(cell)
      timeDeadlines.popDue(timeMs)
      this.core.wake(cell)
      this.restartIfOver(cell)
    } else {
      const window = this.deadlines.popDue(timeMs)?.owner
      if (window !== undefined) this.visit = { window, cells: window.cells.entries(), row: 0 }
    }
  }

  nextTimeMs(): number {
    return Math.min(this.deadlines.nextTimeMs(), this.core.timeDeadlines.nextTimeMs())
  }

  nextProcessingTimeMs(): number {
    return this.core.processingDeadlines.nextTimeMs()
  }

  wakeAtProcessingTime(nowMs: number): boolean {
    return this.core.wakeDue(nowMs, this.touch, this.woken)
  }

  pendingPanes(): PendingPanes {
    const { core } = this
    let count = 0
    let nextTimeMs = core.timeDeadlines.nextTimeMs()
    for (const { window, state, cells, columns } of this.windows.values()) {
      const rows = rowsHeld(columns)
      count += rows
      if (rows > 0) nextTimeMs = Math.min(nextTimeMs, window.end - 1)
      const hasEnded = state === 'ended'
      for (const cell of cells.entries()) {
        if (core.mayFire(cell, hasEnded)) count++
        nextTimeMs = Math.min(nextTimeMs, core.firingMs(cell, hasEnded))
      }
    }
    return { count, nextTimeMs }
  }

  private takeAligned(aligned: AlignedWindows, record: unknown, key: unknown, timeMs: number, input: number): void {
    const { sizeMs, slideMs } = aligned
    const { lastWindow } = this
    // The usual case of windows that do not overlap: the record is of the same window as the one before it.
    if (lastWindow !== undefined && slideMs >= sizeMs) {
      const { start, end } = lastWindow.window
      if (timeMs >= start && timeMs < end) {
        this.enter(lastWindow, record, key, timeMs, input)
        return
      }
    }
    const newest = newestStart(aligned, timeMs)
    let isTaken = false
    for (let start = newest; start > timeMs - sizeMs; start -= slideMs) {
      const window = this.windowAt(start, start, start + sizeMs)
      if (window === undefined) continue
      isTaken = true
      this.enter(window, record, key, timeMs, input)
    }
    // With a slide above the size a record may fall between windows: it belongs to none and is not late.
    if (isTaken || newest <= timeMs - sizeMs) return
    this.late.take(record, timeMs, { start: newest, end: newest + sizeMs }, this.core.timeMs)
  }

  private takeListed(list: ListWindows, record: unknown, key: unknown, timeMs: number, input: number): void {
    let windows: readonly TimeWindow[]
    try {
      windows = list(record, timeMs)
    } catch (error) {
      failOnRecord(this.context.vertex, record, error)
    }
    let isTaken = false
    for (const { start, end } of windows) {
      const window = this.windowAt(this.identityOf(start, end), start, end)
      if (window === undefined) continue
      isTaken = true
      this.enter(window, record, key, timeMs, input)
    }
    const newest = windows.reduce<TimeWindow | undefined>(
      (a, b) => (a === undefined || b.end > a.end ? b : a),
      undefined,
    )
    if (!isTaken && newest !== undefined) this.late.take(record, timeMs, newest, this.core.timeMs)
  }

  private enter(window: OpenWindow, record: unknown, key: unknown, timeMs: number, input: number): void {
    let cell: WindowCell
    try {
      if (this.columns?.add(window, key, record) === true) return
      cell = window.cells.ensure(key)
    } catch (error) {
      failOnRecord(this.context.vertex, record, error)
    }
    this.core.add(cell, record, timeMs, input)
    this.restartIfOver(cell)
  }

  /** A window that makes room for the next does so whatever it was that finished its trigger. */
  private restartIfOver(cell: WindowCell): void {
    if (!this.isRestarting || !this.core.isOver(cell)) return
    this.core.release(cell)
    cell.history = undefined
    const { start, end } = cell.window
    this.windows.get(this.identityOf(start, end))?.cells.releaseIfEmpty(cell)
  }

  /** The window, opened if it is not; undefined when it is closed for good. */
  private windowAt(identity: number | string, start: number, end: number): OpenWindow | undefined {
    if (this.lastWindow !== undefined && this.lastWindow.identity === identity) return this.lastWindow
    const window = this.windows.get(identity) ?? this.open(identity, start, end)
    if (window !== undefined) this.lastWindow = window
    return window
  }

  private open(identity: number | string, start: number, end: number): OpenWindow | undefined {
    const { core } = this
    const bounds = Object.freeze({ start, end })
    if (core.isClosed(bounds)) return undefined
    const window = this.make(identity, bounds, core.hasEnded(bounds) ? 'ended' : 'open')
    this.schedule(window)
    return window
  }

  private make(identity: number | string, bounds: TimeWindow, state: OpenWindow['state']): OpenWindow {
    const cells = new KeyedTable(
      this.context.vertex.maxParallelism,
      (key, keyGroup) => new WindowCell(key, keyGroup, bounds),
      this.changes,
    )
    const window: OpenWindow = { window: bounds, identity, cells, columns: undefined, state, deadline: undefined }
    this.windows.set(identity, window)
    return window
  }

  private schedule(window: OpenWindow): void {
    window.deadline = this.deadlines.schedule(window.deadline, window, this.dueMs(window))
  }

  private dueMs({ window, state }: OpenWindow): number {
    return window.end - 1 + (state === 'open' ? 0 : this.core.spec.allowedLatenessMs)
  }

  private continueVisit(visit: Visit): void {
    const { window, cells } = visit
    if (window.columns !== undefined && visit.row < window.columns.count) {
      this.columns?.fire(window, visit.row++)
      return
    }
    const next = cells.next()
    const isKept = window.state === 'open' && (this.core.spec.allowedLatenessMs > 0 || this.core.mustCloseCells)
    if (next.done !== true) {
      this.touch(next.value)
      if (window.state === 'open') this.core.evaluate(next.value)
      else this.core.close(next.value)
      if (!isKept && this.changes.isEnabled) next.value.vacate()
      return
    }
    this.visit = undefined
    if (isKept) {
      window.state = 'ended'
      this.schedule(window)
    } else this.forget(window)
  }

  private forget(window: OpenWindow): void {
    this.windows.delete(window.identity)
    this.columns?.close(window)
    if (this.lastWindow === window) this.lastWindow = undefined
  }

  /** Aligned windows are known by their start alone. */
  private identityOf(start: number, end: number): number | string {
    return this.aligned !== undefined || end === Infinity ? start : `${start}/${end}`
  }

  private windowOf({ window: { start, end } }: WindowCell): OpenWindow | undefined {
    return this.windows.get(this.identityOf(start, end))
  }

  private *cells(): Generator<WindowCell> {
    for (const { cells } of this.windows.values()) yield* cells.entries()
  }

  private cellRows(): EntryRows<WindowCell> {
    const { contents, output } = this.core
    const layout = contents.kind === 'elements' ? 'window-elements' : 'windows'
    return {
      schema: { layout, states: output.userState.states },
      all: () => this.cells(),
      writeIdentity: (cell, out) => writeIdentity(cell, out),
      writePayload: (cell, out) => this.writeCell(cell, out),
      restorer: schema => {
        checkLayout(schema, layout)
        const read = this.core.rows.reader(schema)
        return { row: (_keyGroup, identity, payload) => this.restoreCell(identity, payload, read) }
      },
    }
  }

  private writeCell(cell: WindowCell, out: ByteWriter): boolean {
    const window = this.windowOf(cell)
    if (window === undefined || cell.isEmpty()) return false
    writeValue(out, window.state === 'ended')
    writeValue(out, window.deadline?.sequence)
    this.core.rows.write(cell, out)
    return true
  }

  private restoreCell(identity: ByteReader, payload: ByteReader, read: ReadCell): void {
    const key = readValue(identity)
    const start = readValue(identity) as number
    const end = readValue(identity) as number
    const state = readValue(payload) === true ? 'ended' : 'open'
    const sequence = readValue(payload) as number
    const window = this.restoreWindow(Object.freeze({ start, end }), state, sequence)
    this.core.restore(window.cells.ensure(key), payload, read)
  }

  // Of cells that come from several subtasks some may have seen the end of the window and others not: it is looked at once more.
  private restoreWindow(bounds: TimeWindow, state: OpenWindow['state'], sequence: number): OpenWindow {
    const identity = this.identityOf(bounds.start, bounds.end)
    const window = this.windows.get(identity) ?? this.make(identity, bounds, state)
    const isReopened = window.state === 'ended' && state === 'open'
    if (window.deadline !== undefined && !isReopened) return window
    this.deadlines.cancel(window.deadline)
    window.state = state
    window.deadline = this.deadlines.restore(window, this.dueMs(window), sequence)
    return window
  }
}

function rowsHeld(columns: KeyedColumns | undefined): number {
  let held = 0
  for (let row = 0; row < (columns?.count ?? 0); row++) if (columns?.holds(row) === true) held++
  return held
}

function writeIdentity({ key, window }: WindowCell, out: ByteWriter): void {
  writeValue(out, key)
  writeValue(out, window.start)
  writeValue(out, window.end)
}
