// Record path. Windows that do not merge. All keys of a window share its deadlines, so keys cost none each; firing goes key by key and may
// pause between two keys.
import type { TimeWindow } from '../../model/functions.ts'
import type { WindowSpec } from '../../model/window-spec.ts'
import { KeyedTable } from '../../state/keyed-table.ts'
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
import { LateOutput } from './late-output.ts'
import { PLAIN_WINDOWS } from './pane-output.ts'
import { WindowCore } from './window-core.ts'
import type { PendingPanes, TimeDriven } from './window-time.ts'

/** All keys of one window. `open`: its end is to come; `ended`: it is kept for late records. */
interface OpenWindow {
  readonly window: TimeWindow
  readonly identity: number | string
  readonly cells: KeyedTable<WindowCell>
  state: 'open' | 'ended'
  deadline: Deadline<OpenWindow> | undefined
}

/** A walk over the cells of a window, one at a time. */
interface Visit {
  readonly window: OpenWindow
  readonly cells: IterableIterator<WindowCell>
}

/** The windows of one subtask. */
export class DiscreteWindows implements TimeDriven {
  readonly core: WindowCore
  private readonly context: OperatorContext
  private readonly aligned: AlignedWindows | undefined
  private readonly list: ListWindows | undefined
  private readonly keyOf: readonly ((record: never) => unknown)[]
  private readonly late: LateOutput
  private readonly windows = new Map<number | string, OpenWindow>()
  private readonly deadlines = new DeadlineQueue<OpenWindow>()
  private readonly isRestarting: boolean
  private readonly woken: ((cell: WindowCell) => void) | undefined
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
    this.core.noteSent()
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
    const cell = isCellFirst ? timeDeadlines.popDue(timeMs) : undefined
    if (cell !== undefined) {
      this.core.wake(cell.owner)
      this.restartIfOver(cell.owner)
    } else {
      const window = this.deadlines.popDue(timeMs)?.owner
      if (window !== undefined) this.visit = { window, cells: window.cells.entries() }
    }
  }

  nextTimeMs(): number {
    return Math.min(this.deadlines.nextTimeMs(), this.core.timeDeadlines.nextTimeMs())
  }

  nextProcessingTimeMs(): number {
    return this.core.processingDeadlines.nextTimeMs()
  }

  wakeAtProcessingTime(nowMs: number): boolean {
    return this.core.wakeDue(nowMs, this.woken)
  }

  pendingPanes(): PendingPanes {
    const { core } = this
    let count = 0
    let nextTimeMs = core.timeDeadlines.nextTimeMs()
    for (const { state, cells } of this.windows.values()) {
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
      const window = this.windowAt(identityOf(start, end), start, end)
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
    this.windows.get(identityOf(start, end))?.cells.releaseIfEmpty(cell)
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
    const window: OpenWindow = {
      window: bounds,
      identity,
      cells: new KeyedTable(
        this.context.vertex.maxParallelism,
        (key, keyGroup) => new WindowCell(key, keyGroup, bounds),
      ),
      state: core.hasEnded(bounds) ? 'ended' : 'open',
      deadline: undefined,
    }
    this.windows.set(identity, window)
    this.schedule(window)
    return window
  }

  private schedule(window: OpenWindow): void {
    const latenessMs = window.state === 'open' ? 0 : this.core.spec.allowedLatenessMs
    window.deadline = this.deadlines.schedule(window.deadline, window, window.window.end - 1 + latenessMs)
  }

  private continueVisit({ window, cells }: Visit): void {
    const next = cells.next()
    if (next.done !== true) {
      if (window.state === 'open') this.core.evaluate(next.value)
      else this.core.close(next.value)
      return
    }
    this.visit = undefined
    const isKept = window.state === 'open' && (this.core.spec.allowedLatenessMs > 0 || this.core.mustCloseCells)
    if (isKept) {
      window.state = 'ended'
      this.schedule(window)
    } else this.forget(window)
  }

  private forget(window: OpenWindow): void {
    this.windows.delete(window.identity)
    if (this.lastWindow === window) this.lastWindow = undefined
  }
}

function identityOf(start: number, end: number): number | string {
  return end === Infinity ? start : `${start}/${end}`
}
