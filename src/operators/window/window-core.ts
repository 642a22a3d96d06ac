// Record path. What every windowing does with its cells: a record enters, a pane leaves, a cell is let go of. Which cells a record enters
// and when they are asked is the business of the operators around it (decision 6); so is to touch what a snapshot keeps before it changes.
import type { ByteReader } from '../../base/byte-reader.ts'
import { preview } from '../../base/errors.ts'
import type { TimeWindow } from '../../model/functions.ts'
import { innerTriggers, type TriggerSpec } from '../../model/trigger-spec.ts'
import { emitsRetractions, type WindowSpec } from '../../model/window-spec.ts'
import { type Deadline, DeadlineQueue } from '../../time/deadline-queue.ts'
import { WatermarkHolds } from '../../time/watermark-holds.ts'
import { type CompiledTrigger, compileTrigger } from '../../window/triggers/compile-trigger.ts'
import type { CellHistory, TriggerState, WindowCell } from '../../window/window-cell.ts'
import { type WindowContents, windowContents } from '../../window/window-contents.ts'
import { type CurrentRecord, type OperatorContext, spend } from '../operator.ts'
import { retractionUnmatched } from '../rolling.ts'
import { failOnRecord, failStep } from '../user-failure.ts'
import { CellRows, type ReadCell, type StoredDeadline } from './cell-rows.ts'
import { CellSite } from './cell-site.ts'
import { PaneOutput, type ShownWindows } from './pane-output.ts'
import { ResultTimestamps } from './result-timestamps.ts'

/** The cells of one windowing in one subtask. */
export class WindowCore {
  readonly spec: WindowSpec
  readonly contents: WindowContents
  readonly output: PaneOutput
  readonly holds = new WatermarkHolds()
  /** Cells whose triggers asked for a time of the window's time domain, or of processing time. */
  readonly timeDeadlines = new DeadlineQueue<WindowCell>()
  readonly processingDeadlines = new DeadlineQueue<WindowCell>()
  /** True when closing a cell may do more than forget it. */
  readonly mustCloseCells: boolean
  readonly rows: CellRows
  private readonly context: OperatorContext
  private readonly record: CurrentRecord
  private readonly trigger: CompiledTrigger
  private readonly site: CellSite
  private readonly timestamps: ResultTimestamps | undefined
  private readonly isDiscarding: boolean
  private readonly isPlain: boolean
  /** How far the outputs know time to be: results at or before it are late. */
  private sentMs = -Infinity
  /** The newest time of which all is done that it made due. */
  private settledMs = -Infinity

  constructor(spec: WindowSpec, context: OperatorContext, windows: ShownWindows) {
    this.spec = spec
    this.context = context
    this.record = context.record
    this.contents = windowContents(spec)
    this.trigger = compileTrigger(spec.trigger)
    this.output = new PaneOutput(spec, context, this.contents, windows)
    this.rows = new CellRows(this.contents, this.output.userState)
    this.site = new CellSite(context.clock, this.timeDeadlines, this.processingDeadlines)
    const isCombining = spec.timestampCombiner !== 'end-of-window' || spec.assigner.kind === 'global'
    this.timestamps = isCombining ? new ResultTimestamps(spec, this.holds, this.trigger.hasOnTimePane) : undefined
    this.isDiscarding = spec.accumulation === 'discarding'
    this.isPlain = spec.trigger.kind === 'on-window-end'
    const hasState = spec.function.kind === 'process' && spec.function.function.state !== undefined
    this.mustCloseCells =
      !this.isPlain ||
      this.timestamps !== undefined ||
      hasState ||
      spec.finalPane === 'always' ||
      emitsRetractions(spec)
  }

  /** No record with a timestamp at or below it follows. */
  get timeMs(): number {
    return this.site.timeMs
  }

  /** Time moves on; what that makes due is still on time, since the outputs are not told before it is done. */
  moveTo(timeMs: number): void {
    if (timeMs > this.site.timeMs) this.site.timeMs = timeMs
  }

  /** All that time made due is done. */
  settle(): void {
    this.settledMs = this.site.timeMs
    this.noteSent()
  }

  /** The times that a snapshot holds. What is due but not done is due again after a restore, so it holds the time before. */
  times(): readonly number[] {
    return [this.settledMs, this.sentMs]
  }

  /** Time is where it was. */
  restoreTimes([timeMs, sentMs]: readonly number[]): void {
    this.site.timeMs = timeMs as number
    this.settledMs = timeMs as number
    this.sentMs = sentMs as number
  }

  /** Fills a cell from a snapshot, with what it waited for and held back. */
  restore(cell: WindowCell, payload: ByteReader, read: ReadCell): void {
    const { deadline, processingDeadline } = read(cell, payload)
    if (deadline !== undefined) cell.deadline = restored(this.timeDeadlines, cell, deadline)
    const { history } = cell
    if (history === undefined) return
    this.timestamps?.restore(history)
    if (processingDeadline === undefined) return
    history.processingDeadline = restored(this.processingDeadlines, cell, processingDeadline)
  }

  /** The outputs were told, or may be at any moment, how far time is. */
  noteSent(): void {
    this.sentMs = this.outputWatermark(this.site.timeMs)
  }

  /** True when results may have timestamps before the end of their window, which hold the watermark back. */
  get holdsWatermark(): boolean {
    return this.timestamps?.isHolding === true
  }

  /** True when the window takes no more records. */
  isClosed(window: TimeWindow): boolean {
    return window.end - 1 + this.spec.allowedLatenessMs <= this.site.timeMs
  }

  /** True when the time has reached the window's last moment. */
  hasEnded(window: TimeWindow): boolean {
    return window.end - 1 <= this.site.timeMs
  }

  /** A record enters a cell, of which at most one pane leaves for it. */
  add(cell: WindowCell, record: unknown, timestampMs: number, input: number): void {
    if (cell.history?.isClosed === true) {
      this.context.counters.closedWindowRecordsDropped++
      return
    }
    try {
      if (this.record.isRetraction) this.takeBack(cell, record)
      else {
        this.contents.add(cell, record, timestampMs, input)
        cell.held++
      }
      cell.unfired++
      this.tellTrigger(cell, record, timestampMs)
    } catch (error) {
      failOnRecord(this.context.vertex, record, error)
    }
    // A plain trigger has nothing to say before the end of the window, so most records need not ask it.
    if (this.isPlain && !this.hasEnded(cell.window)) return
    this.evaluate(cell)
  }

  /** Asks the trigger whether a pane leaves, and lets it leave. */
  evaluate(cell: WindowCell): void {
    const { site, trigger } = this
    if (cell.history?.isClosed === true) return
    site.enter(cell)
    let isFiring: boolean
    try {
      isFiring = trigger.root.shouldFire(site)
    } catch (error) {
      this.fail(cell, error)
    }
    if (isFiring) this.fire(cell)
    else if (site.isPurging) purge(cell)
  }

  /** A time that the cell's trigger asked for has come. */
  wake(cell: WindowCell): void {
    this.evaluate(cell)
    if (cell.history === undefined || cell.history.isClosed) return
    this.site.enter(cell)
    this.trigger.root.renewTimes(this.site)
  }

  /** Wakes the cells that wait for processing time up to now, each touched first, within the task's capacity; false when some are left. */
  wakeDue(nowMs: number, touch: (cell: WindowCell) => void, woken?: (cell: WindowCell) => void): boolean {
    const { capacity, clock } = this.context
    while (this.processingDeadlines.hasDue(nowMs)) {
      if (capacity.blocked > 0 || capacity.budget <= 0) return false
      const cell = this.processingDeadlines.dueOwner(nowMs)
      if (cell !== undefined) {
        touch(cell)
        this.processingDeadlines.popDue(nowMs)
        this.wake(cell)
        woken?.(cell)
      }
      spend(capacity, clock)
    }
    this.noteSent()
    return true
  }

  /** Joins cells of one key, in the order of their windows, into the first of them, whose window becomes the one given. */
  merge(cells: readonly WindowCell[], window: TimeWindow): void {
    const [target, ...rest] = cells as readonly [WindowCell, ...WindowCell[]]
    try {
      this.mergeInto(target, rest, window)
    } catch (error) {
      this.fail(target, error)
    }
  }

  private mergeInto(target: WindowCell, rest: readonly WindowCell[], window: TimeWindow): void {
    const cells = [target, ...rest]
    const states = cells.map(cell => cell.history?.trigger ?? UNTOLD)
    for (const cell of rest) {
      if (cell.history?.isClosed !== true) this.contents.merge(target, cell)
      target.held += cell.held
      target.unfired += cell.unfired
      this.timestamps?.merge(target, cell)
      moveEmitted(target, cell)
      this.release(cell)
    }
    target.window = window
    target.history?.beginAnew()
    if (this.trigger.slots > 0) this.mergeTriggers(target, states)
  }

  /** As a merge with nothing: the cell's window becomes another. */
  grow(cell: WindowCell, window: TimeWindow): void {
    cell.window = window
    cell.history?.beginAnew()
    if (this.trigger.slots === 0) return
    try {
      this.mergeTriggers(cell, [cell.history?.trigger ?? UNTOLD])
    } catch (error) {
      this.fail(cell, error)
    }
  }

  /** The window is closed: a last pane leaves, if there is to be one. The cell is not to be used any more. */
  close(cell: WindowCell): void {
    // A time that the trigger waited for may have come in the same step, before that at which the window closes.
    if (this.trigger.slots > 0) this.evaluate(cell)
    const { history } = cell
    if (this.hasFinalPane(cell)) this.emitPane(cell, true)
    else if (history?.isClosed !== true && history?.hasLast !== true) {
      this.context.counters.unfiredRecordsDropped += cell.unfired
    }
    this.release(cell)
  }

  /** True for a cell whose trigger finished: no pane follows. */
  isOver(cell: WindowCell): boolean {
    return cell.history?.isClosed === true
  }

  /** Lets go of what the cell holds outside itself. */
  release(cell: WindowCell): void {
    const { history } = cell
    this.timeDeadlines.cancel(cell.deadline)
    if (history === undefined) return
    this.timestamps?.release(history)
    this.processingDeadlines.cancel(history.processingDeadline)
  }

  /** The watermark of the outputs, given that of the inputs. */
  outputWatermark(inputWatermark: number): number {
    if (this.timestamps === undefined) return inputWatermark
    return this.timestamps.outputWatermark(inputWatermark)
  }

  /** True when its trigger may ask for times of the window's time domain other than the end of the window. */
  get asksForTimes(): boolean {
    return asksForTimes(this.spec.trigger)
  }

  /** True when a pane of the cell is still to come; one whose window has ended may be kept for late records only. */
  mayFire(cell: WindowCell, hasEnded: boolean): boolean {
    if (this.isOver(cell)) return false
    return !hasEnded || cell.unfired > 0 || this.hasFinalPane(cell)
  }

  /** When the cell fires whatever its trigger asked for: at the window's end, or when it is let go of; Infinity when it does not. */
  firingMs(cell: WindowCell, hasEnded: boolean): number {
    if (this.isOver(cell)) return Infinity
    const lastMs = cell.window.end - 1
    const isOnTime = !hasEnded && this.trigger.hasOnTimePane
    if (isOnTime && (cell.unfired > 0 || this.isEmptyPaneWanted(cell, true, false))) return lastMs
    return this.hasFinalPane(cell) ? lastMs + this.spec.allowedLatenessMs : Infinity
  }

  /** Sees to it that the cell is looked at by the given time of the window's time domain. */
  scheduleTime(cell: WindowCell, timeMs: number): void {
    cell.deadline = this.timeDeadlines.schedule(cell.deadline, cell, timeMs)
  }

  private tellTrigger(cell: WindowCell, record: unknown, timestampMs: number): void {
    this.timestamps?.add(cell, this.record.timestamp)
    if (this.trigger.slots === 0) return
    this.site.enter(cell)
    this.site.record = record
    this.site.timestampMs = timestampMs
    this.trigger.root.onRecord(this.site)
  }

  private mergeTriggers(target: WindowCell, states: readonly TriggerState[]): void {
    const { site, trigger } = this
    const history = target.ensureHistory()
    const finished = states.reduce((bits, state) => bits & state.finished, states[0]?.finished ?? 0)
    history.trigger = { slots: [], finished }
    site.enter(target)
    trigger.root.onMerge(site, states)
    history.isClosed = trigger.root.isFinished(site)
  }

  // A pane that only adds to those before it may take back what an earlier one held; any other must hold it.
  private takeBack(cell: WindowCell, record: unknown): void {
    if (cell.held === 0 && !this.isDiscarding && this.spec.trigger.kind !== 'purging') throw retractionUnmatched()
    this.contents.retract?.(cell, record)
    if (--cell.held === 0) cell.content = undefined
  }

  private fire(cell: WindowCell): void {
    const { site, trigger } = this
    trigger.root.onFire(site)
    const isFinished = trigger.slots > 0 && trigger.root.isFinished(site)
    const isPurging = site.isPurging || this.isDiscarding
    this.emitPane(cell, isFinished || this.isClosed(cell.window))
    if (isPurging || isFinished) purge(cell)
    if (isFinished) this.finish(cell.ensureHistory())
  }

  // What was emitted stands: nothing can replace it any more.
  private finish(history: CellHistory): void {
    history.isClosed = true
    history.emitted = undefined
    this.timestamps?.release(history)
  }

  private emitPane(cell: WindowCell, isLast: boolean): void {
    const hasEnded = this.hasEnded(cell.window)
    const isLate = cell.window.end - 1 <= this.sentMs || cell.history?.hasEnded === true
    const timing = !hasEnded ? 'early' : isLate ? 'late' : 'on-time'
    const isWanted = cell.unfired > 0 || this.isEmptyPaneWanted(cell, timing === 'on-time', isLast)
    if (isWanted) {
      try {
        this.output.emit(cell, { timing, isLast, timestampMs: this.resultTimestamp(cell) })
      } catch (error) {
        this.fail(cell, error)
      }
      cell.unfired = 0
    }
    this.timestamps?.onFire(cell, hasEnded)
    // A plain window that is closed now is forgotten at once: it needs no history.
    if (!isLast || this.mustCloseCells) this.noteFired(cell.ensureHistory(), { hasEnded, isLast: isLast && isWanted })
  }

  private hasFinalPane(cell: WindowCell): boolean {
    if (this.isOver(cell) || cell.history?.hasLast === true || this.spec.finalPane === 'never') return false
    return cell.unfired > 0 || this.isEmptyPaneWanted(cell, false, true)
  }

  private isEmptyPaneWanted(cell: WindowCell, isOnTime: boolean, isLast: boolean): boolean {
    if (cell.held === 0 && !this.contents.hasEmptyResult) return false
    if (isOnTime && this.spec.onTimePane === 'always') return true
    return isLast && this.spec.finalPane === 'always' && cell.history?.hasLast !== true
  }

  private noteFired(history: CellHistory, { hasEnded, isLast }: { hasEnded: boolean; isLast: boolean }): void {
    if (hasEnded) history.hasEnded = true
    if (isLast) history.hasLast = true
  }

  private fail(cell: WindowCell, error: unknown): never {
    const { start, end } = cell.window
    failStep(this.context.vertex, `for key ${preview(cell.key)} in window [${start}, ${end})`, error)
  }

  private resultTimestamp(cell: WindowCell): number {
    const combinedMs = this.timestamps?.of(cell) ?? Number.NaN
    if (!Number.isNaN(combinedMs)) return combinedMs
    return this.output.endTimestamp(cell.window)
  }
}

/** What a trigger remembers of a cell that it was told nothing of. */
const UNTOLD: TriggerState = Object.freeze({ slots: [], finished: 0 })

function restored(
  queue: DeadlineQueue<WindowCell>,
  cell: WindowCell,
  { timeMs, sequence }: StoredDeadline,
): Deadline<WindowCell> {
  return queue.restore(cell, timeMs, sequence)
}

function asksForTimes(trigger: TriggerSpec): boolean {
  if (trigger.kind === 'continuous-event-time' || trigger.kind === 'custom') return true
  return innerTriggers(trigger).some(asksForTimes)
}

function purge(cell: WindowCell): void {
  cell.content = undefined
  cell.held = 0
  cell.unfired = 0
}

function moveEmitted(target: WindowCell, source: WindowCell): void {
  const emitted = source.history?.emitted
  if (emitted === undefined || emitted.length === 0) return
  const history = target.ensureHistory()
  history.emitted = [...(history.emitted ?? []), ...emitted]
}
