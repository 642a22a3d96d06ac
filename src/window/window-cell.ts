// Record path. What a window keeps for one key. Plain windows fill the cell alone; triggers with state, panes that are followed by others
// and all else that most cells lack are in its history, which is made when it is first needed.
import type { TimeWindow } from '../model/functions.ts'
import type { StateEntry } from '../state/keyed-state.ts'
import { KeyEntry } from '../state/keyed-table.ts'
import type { Deadline } from '../time/deadline-queue.ts'

/** A record that a cell emitted and may have to take back. */
export interface EmittedRecord {
  readonly value: unknown
  readonly timestamp: number
  readonly window: TimeWindow
}

/** What a trigger remembers: a slot and a bit (`finished`) for each of its nodes. */
export interface TriggerState {
  readonly slots: unknown[]
  finished: number
}

/** The contents of one key in one window. */
export class WindowCell extends KeyEntry {
  window: TimeWindow
  /** The accumulator, or the buffer of elements; undefined when there is nothing. */
  content: unknown = undefined
  /** Records in `content`. */
  held = 0
  /** Records since the last pane. */
  unfired = 0
  /** When the window's time is to find the cell, where it has a deadline of its own. */
  deadline: Deadline<WindowCell> | undefined = undefined
  history: CellHistory | undefined = undefined

  constructor(key: unknown, keyGroup: number, window: TimeWindow) {
    super(key, keyGroup)
    this.window = window
  }

  isEmpty(): boolean {
    return this.content === undefined && this.unfired === 0 && this.history === undefined
  }

  /** Nothing is kept any more: the cell was let go of with its window. */
  vacate(): void {
    this.content = undefined
    this.held = 0
    this.unfired = 0
    this.history = undefined
  }

  /** The history, made when there is none. */
  ensureHistory(): CellHistory {
    if (this.history === undefined) this.history = new CellHistory()
    return this.history
  }
}

/** What outlasts a pane. */
export class CellHistory {
  /** Panes emitted, and those of them that were not early. */
  panes = 0
  nonSpeculativePanes = 0
  /** True when the end of the window was reached before, emitted or not: what comes is late. */
  hasEnded = false
  /** True when the trigger finished: no more records are taken. */
  isClosed = false
  /** True when a pane said that it is the last. */
  hasLast = false
  trigger: TriggerState | undefined = undefined
  emitted: EmittedRecord[] | undefined = undefined
  /** The newest timestamp since the last firing, in windows without end; NaN before the first. */
  newestMs = Number.NaN
  /** The timestamp that the combiner made of the pane's records; NaN while there is none. */
  combinedMs = Number.NaN
  userState: StateEntry | undefined = undefined
  processingDeadline: Deadline<WindowCell> | undefined = undefined

  /** The window is another now: its panes count from 0. */
  beginAnew(): void {
    this.panes = 0
    this.nonSpeculativePanes = 0
    this.hasEnded = false
    this.hasLast = false
  }
}
