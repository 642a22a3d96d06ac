// Record path. Windows that merge as records come. Each key has its own, with a deadline each that is looked at again when it comes rather
// than moved with every record.
import type { ByteReader } from '../../base/byte-reader.ts'
import type { ByteWriter } from '../../base/byte-writer.ts'
import type { TimeWindow } from '../../model/functions.ts'
import type { WindowSpec } from '../../model/window-spec.ts'
import { readValue, writeValue } from '../../serde/value-codec.ts'
import { type EntryRows, KeyedPart } from '../../state/keyed-part.ts'
import { KeyEntry, KeyedTable } from '../../state/keyed-table.ts'
import type { StatePart } from '../../state/state-part.ts'
import { type MergingWindows, type MutableWindow, mergingWindows } from '../../window/merging-windows.ts'
import { WindowCell } from '../../window/window-cell.ts'
import type { OperatorContext } from '../operator.ts'
import { failOnRecord } from '../user-failure.ts'
import { checkLayout, type ReadCell } from './cell-rows.ts'
import { LateOutput } from './late-output.ts'
import { timePart } from './time-part.ts'
import { WindowCore } from './window-core.ts'
import type { PendingPanes, TimeDriven } from './window-time.ts'

/** The windows of one key, none of which would be joined with another. */
class KeyWindows extends KeyEntry {
  /** The cell of the window, where there is just one: an array less to reach. */
  only: WindowCell | undefined = undefined
  private list: WindowCell[] = []

  get cells(): readonly WindowCell[] {
    return this.list
  }

  set cells(cells: readonly WindowCell[]) {
    this.list = [...cells]
    this.only = cells.length === 1 ? cells[0] : undefined
  }

  isEmpty(): boolean {
    return this.cells.length === 0
  }
}

/** The merging windows of one subtask. */
export class MergingCells implements TimeDriven {
  readonly core: WindowCore
  readonly parts: readonly StatePart[]
  private readonly context: OperatorContext
  private readonly windows: MergingWindows
  private readonly keyOf: readonly ((record: never) => unknown)[]
  private readonly late: LateOutput
  private readonly table: KeyedTable<KeyWindows>
  /** Touches the entry of a cell that is reached in another way than by its key. */
  private readonly touch: (cell: WindowCell) => void

  constructor(spec: WindowSpec, context: OperatorContext) {
    this.windows = mergingWindows(spec.assigner)
    this.core = new WindowCore(spec, context, this.windows)
    this.context = context
    this.keyOf = Array.from({ length: spec.inputs }, (_, input) => context.keyOf(input))
    this.late = new LateOutput(spec, context)
    const cells = new KeyedPart<KeyWindows>('windows', this.entryRows())
    const { changes } = cells
    if (context.isCheckpointed) changes.enable()
    const { maxParallelism } = context.vertex
    this.table = new KeyedTable(maxParallelism, (key, keyGroup) => new KeyWindows(key, keyGroup), changes)
    this.touch = cell => {
      if (changes.isEnabled) this.table.find(cell.key)
    }
    const times = timePart(
      () => this.core.times(),
      least => this.core.restoreTimes(least),
    )
    this.parts = [times, cells, ...this.core.output.userState.parts]
  }

  take(record: unknown, timeMs: number, input: number): void {
    const key = (this.keyOf[input] as (record: never) => unknown)(record as never)
    let entry: KeyWindows
    try {
      entry = this.table.ensure(key)
    } catch (error) {
      failOnRecord(this.context.vertex, record, error)
    }
    const { only } = entry
    if (only !== undefined && this.extend(only, timeMs)) this.core.add(only, record, timeMs, input)
    else this.takeJoining(entry, record, timeMs, input)
    if (this.core.holdsWatermark) this.core.noteSent()
  }

  // The usual case: the key has one window, and the record is within it or makes it longer.
  private extend(cell: WindowCell, timeMs: number): boolean {
    const extension = this.windows.extend?.(cell.window as MutableWindow, timeMs) ?? 'apart'
    if (extension === 'apart') return false
    if (extension === 'grown') {
      this.core.grow(cell, cell.window)
      // The deadline in force is at or before the old end, unless the window was kept beyond it.
      if (this.core.spec.allowedLatenessMs > 0) this.schedule(cell)
    }
    return true
  }

  private takeJoining(entry: KeyWindows, record: unknown, timeMs: number, input: number): void {
    let own: readonly TimeWindow[]
    try {
      own = this.windows.windowsOf(record, timeMs)
    } catch (error) {
      failOnRecord(this.context.vertex, record, error)
    }
    let isTaken = false
    for (const window of own) {
      const cell = this.cellFor(entry, window, record)
      if (cell === undefined) continue
      isTaken = true
      this.core.add(cell, record, timeMs, input)
    }
    const [newest] = own
    if (!isTaken && newest !== undefined) this.late.take(record, timeMs, this.windows.shown(newest), this.core.timeMs)
    if (entry.cells.length === 0) this.table.releaseIfEmpty(entry)
  }

  moveTo(timeMs: number): void {
    this.core.moveTo(timeMs)
  }

  settle(): void {
    this.core.settle()
  }

  hasDue(): boolean {
    return this.core.timeDeadlines.hasDue(this.core.timeMs)
  }

  workOff(): void {
    const { timeDeadlines, timeMs } = this.core
    const cell = timeDeadlines.dueOwner(timeMs)
    if (cell === undefined) return
    this.touch(cell)
    timeDeadlines.popDue(timeMs)
    this.core.wake(cell)
    if (this.core.isClosed(cell.window)) this.close(cell)
    else this.schedule(cell)
  }

  nextTimeMs(): number {
    return this.core.timeDeadlines.nextTimeMs()
  }

  nextProcessingTimeMs(): number {
    return this.core.processingDeadlines.nextTimeMs()
  }

  wakeAtProcessingTime(nowMs: number): boolean {
    return this.core.wakeDue(nowMs, this.touch)
  }

  pendingPanes(): PendingPanes {
    const { core } = this
    let count = 0
    let nextTimeMs = Infinity
    for (const { cells } of this.table.entries()) {
      for (const cell of cells) {
        const hasEnded = core.hasEnded(cell.window)
        if (core.mayFire(cell, hasEnded)) count++
        nextTimeMs = Math.min(nextTimeMs, core.firingMs(cell, hasEnded), this.askedMs(cell))
      }
    }
    return { count, nextTimeMs }
  }

  // A deadline that is left of a shorter window, or only looks after a window, fires nothing; one that is due is about to.
  private askedMs({ deadline }: WindowCell): number {
    if (deadline?.state !== 'waiting') return Infinity
    return this.core.asksForTimes || deadline.timeMs <= this.core.timeMs ? deadline.timeMs : Infinity
  }

  /** The cell of the record's own window, joined with those it reaches; undefined when it is closed for good. */
  private cellFor(entry: KeyWindows, own: TimeWindow, record: unknown): WindowCell | undefined {
    const { joined, into } = this.join(entry, own, record)
    const [first] = joined
    if (first === undefined) return this.core.isClosed(own) ? undefined : this.open(entry, own)
    const only = entry.cells[first] as WindowCell
    if (joined.length === 1) return this.grow(only, into)
    const cells = joined.map(at => entry.cells[at] as WindowCell).sort((a, b) => a.window.start - b.window.start)
    this.core.merge(cells, into)
    const [target, ...rest] = cells as [WindowCell, ...WindowCell[]]
    if (rest.length > 0) entry.cells = entry.cells.filter(cell => !rest.includes(cell))
    this.schedule(target)
    return target
  }

  // The usual case: the record's window reaches one other, and mostly makes it longer.
  private grow(cell: WindowCell, into: TimeWindow): WindowCell {
    if (cell.window.start === into.start && cell.window.end === into.end) return cell
    this.core.grow(cell, into)
    this.schedule(cell)
    return cell
  }

  private join(entry: KeyWindows, own: TimeWindow, record: unknown) {
    try {
      return this.windows.join(entry.cells, own)
    } catch (error) {
      failOnRecord(this.context.vertex, record, error)
    }
  }

  private open(entry: KeyWindows, window: TimeWindow): WindowCell {
    const cell = new WindowCell(entry.key, entry.keyGroup, window)
    entry.cells = [...entry.cells, cell]
    this.schedule(cell)
    return cell
  }

  private schedule(cell: WindowCell): void {
    const latenessMs = this.core.hasEnded(cell.window) ? this.core.spec.allowedLatenessMs : 0
    this.core.scheduleTime(cell, cell.window.end - 1 + latenessMs)
  }

  private close(cell: WindowCell): void {
    this.core.close(cell)
    const entry = this.table.find(cell.key)
    if (entry === undefined) return
    entry.cells = entry.cells.filter(other => other !== cell)
    if (entry.cells.length === 0) this.table.releaseIfEmpty(entry)
  }

  private entryRows(): EntryRows<KeyWindows> {
    const { contents, output, rows } = this.core
    const layout = contents.kind === 'elements' ? 'session-elements' : 'sessions'
    return {
      schema: { layout, states: output.userState.states },
      all: () => this.table.entries(),
      writeIdentity: (entry, out) => writeValue(out, entry.key),
      writePayload: (entry, out) => writeCells(entry, out, (cell, into) => rows.write(cell, into)),
      restorer: schema => {
        checkLayout(schema, layout)
        const read = rows.reader(schema)
        return { row: (_keyGroup, identity, payload) => this.restoreEntry(identity, payload, read) }
      },
    }
  }

  private restoreEntry(identity: ByteReader, payload: ByteReader, read: ReadCell): void {
    const entry = this.table.ensure(readValue(identity))
    const count = readValue(payload) as number
    const cells: WindowCell[] = []
    for (let at = 0; at < count; at++) {
      const window = { start: readValue(payload) as number, end: readValue(payload) as number }
      const cell = new WindowCell(entry.key, entry.keyGroup, window)
      this.core.restore(cell, payload, read)
      cells.push(cell)
    }
    entry.cells = cells
  }
}

function writeCells(
  { cells }: KeyWindows,
  out: ByteWriter,
  write: (cell: WindowCell, out: ByteWriter) => void,
): boolean {
  if (cells.length === 0) return false
  writeValue(out, cells.length)
  for (const cell of cells) {
    writeValue(out, cell.window.start)
    writeValue(out, cell.window.end)
    write(cell, out)
  }
  return true
}
