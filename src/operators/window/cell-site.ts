// Record path. The cell that a trigger is asked about, as the trigger sees it.
import type { Clock } from '../../base/clock.ts'
import type { TimeWindow } from '../../model/functions.ts'
import type { DeadlineQueue } from '../../time/deadline-queue.ts'
import type { TriggerSite } from '../../window/triggers/trigger-node.ts'
import type { TriggerState, WindowCell } from '../../window/window-cell.ts'

/** One for all cells of a subtask; `enter` chooses the cell. */
export class CellSite implements TriggerSite {
  timeMs = -Infinity
  record: unknown = undefined
  timestampMs = 0
  isPurging = false
  private readonly clock: Clock
  private readonly timeDeadlines: DeadlineQueue<WindowCell>
  private readonly processingDeadlines: DeadlineQueue<WindowCell>
  private cell: WindowCell | undefined

  constructor(clock: Clock, timeDeadlines: DeadlineQueue<WindowCell>, processingDeadlines: DeadlineQueue<WindowCell>) {
    this.clock = clock
    this.timeDeadlines = timeDeadlines
    this.processingDeadlines = processingDeadlines
  }

  enter(cell: WindowCell): void {
    this.cell = cell
    this.isPurging = false
  }

  get window(): TimeWindow {
    return (this.cell as WindowCell).window
  }

  get state(): TriggerState {
    const history = (this.cell as WindowCell).ensureHistory()
    if (history.trigger === undefined) history.trigger = { slots: [], finished: 0 }
    return history.trigger
  }

  nowMs(): number {
    return this.clock.now()
  }

  // A time that is reached needs no waking: whoever names it is asked right now, and would name it again for ever.
  wakeAtTime(timeMs: number): void {
    if (timeMs <= this.timeMs) return
    const cell = this.cell as WindowCell
    cell.deadline = this.timeDeadlines.schedule(cell.deadline, cell, timeMs)
  }

  wakeAtProcessingTime(timeMs: number): void {
    if (timeMs <= this.clock.now()) return
    const cell = this.cell as WindowCell
    const history = cell.ensureHistory()
    history.processingDeadline = this.processingDeadlines.schedule(history.processingDeadline, cell, timeMs)
  }
}
