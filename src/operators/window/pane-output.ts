// Record path. How a pane leaves: what it replaces is taken back first where the windowing says so, then its records go out with their
// timestamp, seen by the function through one context.
import type { Collector, TimeWindow } from '../../model/functions.ts'
import type { Pane, PaneTiming } from '../../model/window-functions.ts'
import { emitsRetractions, type WindowSpec } from '../../model/window-spec.ts'
import type { EmittedRecord, WindowCell } from '../../window/window-cell.ts'
import type { PaneContext, WindowContents } from '../../window/window-contents.ts'
import type { OperatorContext } from '../operator.ts'
import { OperatorRecordContext } from '../record-context.ts'
import { WindowUserState } from './window-user-state.ts'

/** How results show their windows. */
export interface ShownWindows {
  shown(window: TimeWindow): TimeWindow
  timestampOf(window: TimeWindow): number
}

/** Windows as they are, with the timestamp of their last moment. */
export const PLAIN_WINDOWS: ShownWindows = Object.freeze({
  shown: (window: TimeWindow) => window,
  timestampOf: ({ end }: TimeWindow) => end - 1,
})

/** What the core knows of a pane. */
export interface PaneInit {
  readonly timing: PaneTiming
  readonly isLast: boolean
  readonly timestampMs: number
}

/** The only panes that most windows have. */
const SINGLE_PANE: Pane = Object.freeze({
  timing: 'on-time',
  index: 0,
  nonSpeculativeIndex: 0,
  isFirst: true,
  isLast: true,
})

/** Emits the panes of one subtask. */
export class PaneOutput {
  readonly context: FunctionContext
  readonly userState: WindowUserState
  private readonly operator: OperatorContext
  private readonly contents: WindowContents
  private readonly windows: ShownWindows
  private readonly isRetracting: boolean
  private readonly isRemembering: boolean
  private readonly out: Collector<unknown>
  private emitted: EmittedRecord[] = []

  constructor(spec: WindowSpec, operator: OperatorContext, contents: WindowContents, windows: ShownWindows) {
    this.operator = operator
    this.contents = contents
    this.windows = windows
    this.isRetracting = spec.accumulation === 'retracting'
    this.isRemembering = emitsRetractions(spec)
    this.userState = new WindowUserState(spec, operator)
    this.context = new FunctionContext(operator, this.userState)
    const { output, record } = operator
    this.out = this.isRemembering
      ? {
          collect: value => {
            this.emitted.push({ value, timestamp: record.timestamp, window: this.context.window })
            output(value)
          },
        }
      : { collect: output }
  }

  /** The timestamp of results by the window's end. */
  endTimestamp(window: TimeWindow): number {
    return this.windows.timestampOf(window)
  }

  /** Lets a pane of the cell leave. */
  emit(cell: WindowCell, init: PaneInit): void {
    const { record } = this.operator
    const { timestamp, isRetraction } = record
    const window = this.windows.shown(cell.window)
    if (this.isRemembering) this.takeBack(cell, window)
    record.timestamp = init.timestampMs
    record.isRetraction = false
    if (!this.isTakenBack(cell)) {
      this.context.enter(cell, window, paneOf(cell, init))
      this.contents.emit(cell, this.context, this.out)
      this.context.leave()
    }
    if (this.isRemembering) {
      cell.ensureHistory().emitted = this.emitted
      this.emitted = []
    }
    record.timestamp = timestamp
    record.isRetraction = isRetraction
  }

  // All records of the window were taken back: nothing replaces what was emitted, unless none is a result of its own.
  private isTakenBack(cell: WindowCell): boolean {
    if (cell.held !== 0) return false
    return !this.contents.hasEmptyResult || (this.isRetracting && cell.unfired > 0)
  }

  // Without retracting only the results of windows that are no more are taken back; those of the same window are replaced as they are.
  private takeBack(cell: WindowCell, now: TimeWindow): void {
    const { history } = cell
    if (history?.emitted === undefined) return
    const { record, output } = this.operator
    record.isRetraction = true
    for (const { value, timestamp, window } of history.emitted) {
      if (!this.isRetracting && window.start === now.start && window.end === now.end) continue
      record.timestamp = timestamp
      output(value)
    }
    history.emitted = undefined
  }
}

function paneOf(cell: WindowCell, { timing, isLast }: PaneInit): Pane {
  const { history } = cell
  if (history === undefined && timing === 'on-time' && isLast) return SINGLE_PANE
  const { panes, nonSpeculativePanes } = cell.ensureHistory()
  const own = cell.ensureHistory()
  own.panes++
  if (timing !== 'early') own.nonSpeculativePanes++
  return {
    timing,
    index: panes,
    nonSpeculativeIndex: timing === 'early' ? -1 : nonSpeculativePanes,
    isFirst: panes === 0,
    isLast,
  }
}

const NOTHING: readonly unknown[] = Object.freeze([])

/** What a function over windows sees. */
class FunctionContext extends OperatorRecordContext implements PaneContext {
  key: unknown = undefined
  window: TimeWindow = Object.freeze({ start: -Infinity, end: Infinity })
  pane: Pane = SINGLE_PANE
  added: readonly unknown[] = NOTHING
  expired: readonly unknown[] = NOTHING
  readonly state: never
  readonly globalState: never
  private readonly user: WindowUserState

  constructor(operator: OperatorContext, user: WindowUserState) {
    super(operator)
    this.user = user
    this.state = user.windowHandles as never
    this.globalState = user.keyHandles as never
  }

  enter(cell: WindowCell, window: TimeWindow, pane: Pane): void {
    this.key = cell.key
    this.window = window
    this.pane = pane
    this.user.enter(cell)
  }

  leave(): void {
    this.user.leave()
  }

  setChanges(added: readonly unknown[], expired: readonly unknown[]): void {
    this.added = added
    this.expired = expired
  }
}
