// Record path. The timestamps of results where they are not simply the window's end: that of the earliest or latest record of the pane,
// which holds the output watermark back so that the result is not late; and in windows without end that of the newest one
// since the last firing.
import type { WindowSpec } from '../../model/window-spec.ts'
import type { WatermarkHolds } from '../../time/watermark-holds.ts'
import type { CellHistory, WindowCell } from '../../window/window-cell.ts'

/** The combiner of one windowing. */
export class ResultTimestamps {
  readonly isHolding: boolean
  private readonly isEarliest: boolean
  private readonly isCombining: boolean
  private readonly isUnbounded: boolean
  private readonly hasOnTimePane: boolean
  private readonly holds: WatermarkHolds
  private newestOutput = -Infinity

  constructor(spec: WindowSpec, holds: WatermarkHolds, hasOnTimePane: boolean) {
    this.isEarliest = spec.timestampCombiner === 'earliest'
    this.isCombining = spec.timestampCombiner !== 'end-of-window'
    this.isUnbounded = spec.assigner.kind === 'global'
    this.isHolding = this.isCombining && spec.timeDomain === 'event-time'
    this.hasOnTimePane = hasOnTimePane
    this.holds = holds
  }

  /** A record entered the cell. What is behind the output watermark already cannot be held for. */
  add(cell: WindowCell, timestampMs: number): void {
    if (this.isUnbounded) {
      const history = cell.ensureHistory()
      if (cell.unfired === 1 || !(timestampMs < history.newestMs)) history.newestMs = timestampMs
    }
    if (!this.isCombining) return
    if (this.isHolding && timestampMs <= this.newestOutput) return
    this.combine(cell.ensureHistory(), timestampMs)
  }

  /** The timestamp of the cell's pane; NaN when no record gives one. */
  of(cell: WindowCell): number {
    const { history } = cell
    if (history === undefined) return Number.NaN
    return Number.isNaN(history.combinedMs) && this.isUnbounded ? history.newestMs : history.combinedMs
  }

  // An early pane leaves the hold to the pane on time, which may come without a record of its own.
  onFire(cell: WindowCell, hasEnded: boolean): void {
    const { history } = cell
    if (history === undefined || (this.hasOnTimePane && !hasEnded)) return
    if (this.isHolding) this.release(history)
  }

  merge(target: WindowCell, source: WindowCell): void {
    const combinedMs = source.history?.combinedMs ?? Number.NaN
    if (!Number.isNaN(combinedMs)) this.combine(target.ensureHistory(), combinedMs)
  }

  /** A cell of a snapshot holds the watermark again. */
  restore({ combinedMs }: CellHistory): void {
    if (this.isHolding && !Number.isNaN(combinedMs)) this.holds.add(combinedMs)
  }

  release(history: CellHistory): void {
    if (Number.isNaN(history.combinedMs)) return
    if (this.isHolding) this.holds.remove(history.combinedMs)
    history.combinedMs = Number.NaN
  }

  outputWatermark(inputWatermark: number): number {
    const watermark = this.isHolding ? Math.min(inputWatermark, this.holds.minMs - 1) : inputWatermark
    if (watermark > this.newestOutput) this.newestOutput = watermark
    return this.newestOutput
  }

  private combine(history: CellHistory, timestampMs: number): void {
    const before = history.combinedMs
    const isFirst = Number.isNaN(before)
    if (!isFirst && (this.isEarliest ? before <= timestampMs : before >= timestampMs)) return
    if (this.isHolding) {
      if (!isFirst) this.holds.remove(before)
      this.holds.add(timestampMs)
    }
    history.combinedMs = timestampMs
  }
}
