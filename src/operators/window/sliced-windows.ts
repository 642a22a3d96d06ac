// Record path. Overlapping windows that share what they have in common: a record is added once, to the slice of time it falls into, and a
// window is the join of its slices. For each key the joins of the oldest slices are kept on a stack that is emptied from its end and refilled when it is empty
// (two stacks make a queue: each slice is joined a fixed number of times, however many windows hold it); with an inverse one running join does.
import type { ByteReader } from '../../base/byte-reader.ts'
import { preview, StreamError } from '../../base/errors.ts'
import type { AggregateFunction, TimeWindow } from '../../model/functions.ts'
import type { WindowSpec } from '../../model/window-spec.ts'
import { readValue, writeValue } from '../../serde/value-codec.ts'
import type { ChangeTracker } from '../../state/change-tracker.ts'
import { type EntryRows, KeyedPart } from '../../state/keyed-part.ts'
import { KeyedTable } from '../../state/keyed-table.ts'
import type { StatePart } from '../../state/state-part.ts'
import { type AlignedWindows, newestStart } from '../../window/assigner.ts'
import { SlicedCell } from '../../window/sliced-cell.ts'
import { windowContents } from '../../window/window-contents.ts'
import type { OperatorContext } from '../operator.ts'
import { retractionUnmatched } from '../rolling.ts'
import { failOnRecord, failStep } from '../user-failure.ts'
import { checkLayout } from './cell-rows.ts'
import { LateOutput } from './late-output.ts'
import { PaneOutput, PLAIN_WINDOWS } from './pane-output.ts'
import { timePart } from './time-part.ts'
import type { PendingPanes, TimeDriven } from './window-time.ts'

/** True for windowings whose windows can share slices: one pane of each, on time, made of an accumulator. */
export function canShareSlices(spec: WindowSpec): boolean {
  const { assigner, function: definition, trigger } = spec
  return (
    spec.slices === 'shared' &&
    assigner.kind === 'sliding' &&
    assigner.slideMs < assigner.sizeMs &&
    definition.kind === 'aggregate' &&
    trigger.kind === 'on-window-end' &&
    spec.evictor === undefined &&
    spec.allowedLatenessMs === 0 &&
    spec.accumulation !== 'retracting' &&
    spec.timestampCombiner === 'end-of-window' &&
    spec.finalPane !== 'always'
  )
}

/** The windows of one subtask. */
export class SlicedWindows implements TimeDriven {
  readonly parts: readonly StatePart[]
  private readonly context: OperatorContext
  private readonly windows: AlignedWindows
  private readonly aggregate: AggregateFunction<unknown, unknown, unknown>
  private readonly keyOf: (record: never) => unknown
  private readonly late: LateOutput
  private readonly output: PaneOutput
  private readonly table: KeyedTable<SlicedCell>
  private readonly changes: ChangeTracker<SlicedCell>
  /** A window is cut at the starts and at the ends of others: this is where the ends fall within a slide. */
  private readonly cutMs: number
  private timeMs = -Infinity
  /** The newest time of which all windows that it ended have fired. */
  private settledMs = -Infinity
  /** The end of the next window that has slices; Infinity when there are none. */
  private nextEnd = Infinity
  private firing:
    | { readonly window: TimeWindow; readonly cells: IterableIterator<SlicedCell>; nextEnd: number }
    | undefined

  constructor(spec: WindowSpec, windows: AlignedWindows, context: OperatorContext) {
    this.context = context
    this.windows = windows
    this.cutMs = windows.sizeMs % windows.slideMs
    if (spec.function.kind !== 'aggregate') throw new StreamError('INTERNAL_ERROR', 'slices need an aggregate')
    this.aggregate = spec.function.aggregate
    this.keyOf = context.keyOf(0)
    this.late = new LateOutput(spec, context)
    this.output = new PaneOutput(spec, context, windowContents(spec), PLAIN_WINDOWS)
    const { maxParallelism } = context.vertex
    const slices = new KeyedPart<SlicedCell>('windows', this.cellRows())
    this.changes = slices.changes
    if (context.isCheckpointed) this.changes.enable()
    this.table = new KeyedTable(maxParallelism, (key, keyGroup) => new SlicedCell(key, keyGroup), this.changes)
    this.parts = [this.timePart(), slices]
  }

  /** A key's windows are those that hold a slice of it and have not fired. */
  pendingPanes(): PendingPanes {
    const { sizeMs, slideMs } = this.windows
    const unfiredMs = Math.min(this.timeMs + 1, this.nextEnd - 1)
    let count = 0
    for (const cell of this.table.entries()) {
      let countedStart = -Infinity
      for (const slice of cell.sliceStarts) {
        const newest = newestStart(this.windows, slice)
        const oldest = Math.max(this.endAfter(Math.max(slice, unfiredMs)) - sizeMs, countedStart + slideMs)
        if (newest < oldest) continue
        count += (newest - oldest) / slideMs + 1
        countedStart = newest
      }
    }
    return { count, nextTimeMs: this.nextTimeMs() }
  }

  take(record: unknown, timeMs: number): void {
    const key = this.keyOf(record as never)
    const newest = newestStart(this.windows, timeMs)
    const newestEnd = newest + this.windows.sizeMs
    if (newestEnd - 1 <= this.timeMs) {
      this.late.take(record, timeMs, { start: newest, end: newestEnd }, this.timeMs)
      return
    }
    const start = this.cutMs > 0 && timeMs >= newest + this.cutMs ? newest + this.cutMs : newest
    try {
      const cell = this.table.ensure(key)
      if (this.context.record.isRetraction) {
        const isFound = cell.takeBack(this.aggregate, start, record)
        if (cell.isEmpty()) this.table.releaseIfEmpty(cell)
        if (!isFound) throw retractionUnmatched()
      } else cell.add(this.aggregate, start, record)
    } catch (error) {
      failOnRecord(this.context.vertex, record, error)
    }
    // Ends are a slide apart: one before the next is due only if it too comes after the slice began.
    const fromMs = Math.max(start, this.timeMs + 1)
    if (this.nextEnd - this.windows.slideMs > fromMs) this.nextEnd = this.endAfter(fromMs)
  }

  moveTo(timeMs: number): void {
    if (timeMs > this.timeMs) this.timeMs = timeMs
  }

  settle(): void {
    this.settledMs = this.timeMs
  }

  hasDue(): boolean {
    return this.firing !== undefined || (this.nextEnd - 1 <= this.timeMs && this.nextEnd !== Infinity)
  }

  workOff(): void {
    if (this.firing === undefined) {
      const window = Object.freeze({ start: this.nextEnd - this.windows.sizeMs, end: this.nextEnd })
      this.firing = { window, cells: this.table.entries(), nextEnd: Infinity }
      return
    }
    const { window, cells } = this.firing
    const next = cells.next()
    if (next.done === true) {
      this.nextEnd = this.firing.nextEnd
      this.firing = undefined
      return
    }
    this.fire(next.value, window)
    if (next.value.isEmpty()) this.table.releaseIfEmpty(next.value)
    else this.firing.nextEnd = Math.min(this.firing.nextEnd, this.endAfter(Math.max(window.end, next.value.firstStart)))
  }

  nextTimeMs(): number {
    return this.nextEnd - 1
  }

  nextProcessingTimeMs(): number {
    return Infinity
  }

  wakeAtProcessingTime(): boolean {
    return true
  }

  private fire(cell: SlicedCell, window: TimeWindow): void {
    // A cell that comes from a subtask that was ahead may have fired it before the snapshot.
    if (window.end <= cell.window.end) return
    if (cell.touchedIn !== this.changes.epoch) this.changes.touch(cell)
    try {
      if (cell.moveTo(this.aggregate, window)) {
        this.output.emit(cell, { timing: 'on-time', isLast: true, timestampMs: window.end - 1 })
      }
      cell.leave(window.start + this.windows.slideMs, this.aggregate)
    } catch (error) {
      failStep(this.context.vertex, `for key ${preview(cell.key)} in window [${window.start}, ${window.end})`, error)
    }
  }

  /** The end of the first window that ends after a time. Ends are a size above the starts, which are a slide apart. */
  private endAfter(timeMs: number): number {
    const { sizeMs, slideMs } = this.windows
    return newestStart(this.windows, timeMs - sizeMs) + slideMs + sizeMs
  }

  private timePart(): StatePart {
    return timePart(
      () => [this.settledMs],
      ([timeMs]) => {
        this.timeMs = timeMs as number
        this.settledMs = timeMs as number
      },
    )
  }

  private cellRows(): EntryRows<SlicedCell> {
    const layout = 'slices'
    return {
      schema: { layout, states: [] },
      all: () => this.table.entries(),
      writeIdentity: (cell, out) => writeValue(out, cell.key),
      writePayload(cell, out) {
        if (cell.isEmpty()) return false
        const { starts, parts, counts, firedEnd } = cell.stored()
        writeValue(out, starts)
        writeValue(out, parts)
        writeValue(out, counts)
        writeValue(out, firedEnd)
        return true
      },
      restorer: schema => {
        checkLayout(schema, layout)
        return { row: (_keyGroup, identity, payload) => this.restoreCell(identity, payload) }
      },
    }
  }

  private restoreCell(identity: ByteReader, payload: ByteReader): void {
    const cell = this.table.ensure(readValue(identity))
    cell.restore({
      starts: readValue(payload) as number[],
      parts: readValue(payload) as unknown[],
      counts: readValue(payload) as number[],
      firedEnd: readValue(payload) as number,
    })
    const firedEnd = cell.window.end
    this.nextEnd = Math.min(this.nextEnd, this.endAfter(Math.max(cell.firstStart, this.timeMs + 1, firedEnd)))
  }
}
