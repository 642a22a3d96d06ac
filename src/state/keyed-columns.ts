// Record path (bench/micro/keyed-columns.ts). Keyed state whose values are records of one form: what the fields hold lies in rows of numbers
// and in columns, not in an object for each key. A snapshot of a million such rows reads memory in its order, where objects cost a cache
// miss or two each.
import type { ByteWriter } from '../base/byte-writer.ts'
import { isLess } from '../base/number-order.ts'
import { keyGroupOf } from '../model/key-groups.ts'
import type { Replacement } from '../model/replaced-field.ts'
import { hashKey } from '../serde/key-encoding.ts'
import { writeValue } from '../serde/value-codec.ts'
import { NUMBER_BYTES_MAX, putNumber, writeNumber, writeText } from '../serde/value-leaves.ts'
import type { ColumnRows, RowTarget } from './keyed-part.ts'
import { COUNT, type Fields, type FormField, isColumnKey, MARKS, NUMBER, type RecordForm } from './record-form.ts'
import type { RowFinder } from './row-finder.ts'
import { RowTracker, TOUCHED } from './row-tracker.ts'

/** A window may hold one key: columns begin small. */
const ROWS_FIRST = 16
const ALIGNING_BYTES = 48
/** Lengths below it are one byte. */
const SHORT_LENGTH = 128

/** What the rows of a snapshot have around key, count and record: nothing, unless given. */
export interface RowFrame {
  readonly identityTail: Uint8Array
  readonly payloadHead: Uint8Array
  /** How often the count stands in the payload. */
  readonly counts: 1 | 2
  readonly payloadTail: Uint8Array
}

const NO_BYTES = new Uint8Array(0)
const PLAIN_FRAME: RowFrame = { identityTail: NO_BYTES, payloadHead: NO_BYTES, counts: 1, payloadTail: NO_BYTES }

/** What keyed columns are made of. */
export interface KeyedColumnsInit {
  readonly form: RecordForm
  readonly replacement: Replacement
  readonly finder: RowFinder
  readonly maxParallelism: number
  readonly isTracked: boolean
  readonly targetOf: (keyGroup: number) => RowTarget
  /** Asked for when the first row is written. */
  readonly frame?: () => RowFrame
}

/**
 * Rows by key, a number or a text. A row holds the first record of its key, how many there were, and the number field that changes. Rows never
 * go away, but may be emptied. The rows of a snapshot are those of objects: how many records, then the record.
 */
export class KeyedColumns implements ColumnRows {
  readonly tracker: RowTracker
  /** By the position of the field in the form. */
  readonly columns: unknown[][]
  private readonly init: KeyedColumnsInit
  private readonly form: RecordForm
  private readonly finder: RowFinder
  private readonly isSum: boolean
  private readonly isMin: boolean
  private readonly stride: number
  private cells: Float64Array<ArrayBuffer>
  private readonly texts: (string | undefined)[] = []
  private hasTexts = false
  private keyGroups: Uint16Array
  private size = 0
  private isFull = false
  private madeFrame: RowFrame | undefined

  constructor(init: KeyedColumnsInit) {
    const { form, finder, replacement, isTracked } = init
    this.init = init
    this.form = form
    this.finder = finder
    this.isSum = replacement === 'sum'
    this.isMin = replacement === 'min'
    this.columns = form.fields.map(() => [])
    const { stride } = form
    this.stride = stride
    this.cells = alignedCells(ROWS_FIRST * stride)
    this.keyGroups = new Uint16Array(isTracked ? ROWS_FIRST : 0)
    this.tracker = new RowTracker(marksOf(this.cells), { stride: stride * 2, offset: MARKS * 2 }, row =>
      this.write(row),
    )
    if (isTracked) this.tracker.enable()
  }

  get count(): number {
    return this.size
  }

  /** The row of a key, -1 where it has none. */
  find(key: unknown): number {
    return isColumnKey(key) ? this.finder.find(key, this.cells, this.stride) : -1
  }

  /** Counts one record more of the row's key; returns what becomes of its number. */
  addRecord(row: number, next: number): number {
    const { tracker, cells } = this
    const at = row * this.stride
    if (tracker.marks[(at + MARKS) * 2 + TOUCHED] !== tracker.epoch) tracker.touch(row)
    cells[at + COUNT] = (cells[at + COUNT] as number) + 1
    const soFar = cells[at + NUMBER] as number
    const value = this.isSum ? soFar + next : this.replaces(soFar, next) ? next : soFar
    cells[at + NUMBER] = value
    return value
  }

  /** As `addRecord`; gives the record. */
  update(row: number, next: number): Fields {
    const value = this.addRecord(row, next)
    return this.form.make(this, row, value, this.keyOf(row))
  }

  /** The record of a row. */
  recordAt(row: number): Fields {
    return this.form.make(this, row, this.cells[row * this.stride + NUMBER] as number, this.keyOf(row))
  }

  /** Adds the first record of a key that has no row, counted so many times; false, and nothing done, where it has another form. */
  add(key: unknown, record: unknown, count: number): boolean {
    const { form, size: row } = this
    if (!form.matches(key, record) || this.finder.isFull(key as number | string)) return false
    if ((row + 1) * this.stride > this.cells.length) this.grow()
    this.size++
    const { cells } = this
    const at = row * this.stride
    cells[at + COUNT] = count
    for (let i = 0; i < form.fields.length; i++) {
      const { name, kind, cell } = form.fields[i] as FormField
      if (kind === 'cell') cells[at + cell] = record[name] as number
      else if (kind === 'column') (this.columns[i] as unknown[]).push(record[name])
    }
    if (typeof key === 'number') cells[at] = key
    else {
      this.hasTexts = true
      // Without holes: the first text may come after many numbers.
      while (this.texts.length < row) this.texts.push(undefined)
      this.texts.push(key as string)
    }
    this.finder.add(key as number | string, row, cells, this.stride)
    if (this.tracker.epoch > 0) {
      this.keyGroups[row] = keyGroupOf(hashKey(key), this.init.maxParallelism)
      this.tracker.touch(row)
    }
    return true
  }

  /** Nothing is kept for the row any more, and nothing will be. */
  empty(row: number): void {
    if (this.tracker.epoch > 0) this.tracker.touch(row)
    this.cells[row * this.stride + COUNT] = 0
  }

  /** True for a row that was not emptied. */
  holds(row: number): boolean {
    return this.cells[row * this.stride + COUNT] !== 0
  }

  begin(snapshotId: number, isFull: boolean): void {
    this.isFull = isFull
    this.tracker.begin(snapshotId, isFull, this.size)
  }

  cellAt(row: number, cell: number): number {
    return this.cells[row * this.stride + cell] as number
  }

  private replaces(soFar: number, next: number): boolean {
    return this.isMin ? isLess(next, soFar) : isLess(soFar, next)
  }

  private keyOf(row: number): number | string {
    const text = this.hasTexts ? this.texts[row] : undefined
    return text ?? (this.cells[row * this.stride] as number)
  }

  private grow(): void {
    const cells = alignedCells(this.cells.length * 2)
    cells.set(this.cells)
    this.cells = cells
    this.tracker.marks = marksOf(cells)
    if (this.keyGroups.length === 0) return
    const keyGroups = new Uint16Array(this.keyGroups.length * 2)
    keyGroups.set(this.keyGroups)
    this.keyGroups = keyGroups
  }

  private get frame(): RowFrame {
    this.madeFrame ??= this.init.frame?.() ?? PLAIN_FRAME
    return this.madeFrame
  }

  private write(row: number): void {
    const isGone = !this.holds(row)
    // No snapshot holds it, so none needs to be told that it is gone.
    if (isGone && (this.isFull || !this.tracker.isKnown(row))) return
    const target = this.init.targetOf(this.keyGroups[row] as number)
    const { out } = target
    const { numbersBytesMax } = this.form
    if (isGone) this.writeGone(out, row)
    else if (numbersBytesMax > 0 && !this.hasTexts) this.writeNumbers(out, row)
    else this.writeAny(out, row)
    target.rows++
  }

  private writeIdentity(out: ByteWriter, row: number): void {
    const identity = out.openLength()
    writeKey(out, this.keyOf(row))
    out.raw(this.frame.identityTail)
    out.fillLength(identity)
  }

  private writeGone(out: ByteWriter, row: number): void {
    this.writeIdentity(out, row)
    out.byte(0)
  }

  private writeAny(out: ByteWriter, row: number): void {
    const from = out.length
    const at = row * this.stride
    const { payloadHead, payloadTail, counts } = this.frame
    try {
      this.writeIdentity(out, row)
      const payload = out.openLength()
      out.raw(payloadHead)
      for (let i = 0; i < counts; i++) writeNumber(out, this.cells[at + COUNT] as number)
      const { fields } = this.form
      for (let i = 0; i < fields.length; i++) {
        const { prefix, kind, cell } = fields[i] as FormField
        out.raw(prefix)
        if (kind === 'cell') writeNumber(out, this.cells[at + cell] as number)
        else if (kind === 'key') writeKey(out, this.keyOf(row))
        else writeValue(out, (this.columns[i] as unknown[])[row])
      }
      out.raw(payloadTail)
      out.fillLength(payload, 1)
    } catch (error) {
      out.truncate(from)
      throw error
    }
  }

  // The same bytes for a row of numbers, straight into the memory of the writer: a quarter of the time.
  private writeNumbers(out: ByteWriter, row: number): void {
    const { identityTail, payloadHead, payloadTail, counts } = this.frame
    const most = this.form.numbersBytesMax + payloadHead.length + payloadTail.length + counts * NUMBER_BYTES_MAX
    if (most + 1 >= SHORT_LENGTH || identityTail.length + NUMBER_BYTES_MAX >= SHORT_LENGTH) {
      this.writeAny(out, row)
      return
    }
    const { cells } = this
    const { fields } = this.form
    const row0 = row * this.stride
    const bytes = out.room(most + identityTail.length + NUMBER_BYTES_MAX + 2)
    const identity = out.length
    let at = putNumber(bytes, identity + 1, cells[row0] as number)
    for (let i = 0; i < identityTail.length; i++) bytes[at++] = identityTail[i] as number
    bytes[identity] = at - identity - 1
    const payload = at++
    for (let i = 0; i < payloadHead.length; i++) bytes[at++] = payloadHead[i] as number
    for (let i = 0; i < counts; i++) at = putNumber(bytes, at, cells[row0 + COUNT] as number)
    for (let i = 0; i < fields.length; i++) {
      const { prefix, cell } = fields[i] as FormField
      for (let j = 0; j < prefix.length; j++) bytes[at++] = prefix[j] as number
      // The key lies in cell 0.
      at = putNumber(bytes, at, cells[row0 + cell] as number)
    }
    for (let i = 0; i < payloadTail.length; i++) bytes[at++] = payloadTail[i] as number
    bytes[payload] = at - payload
    out.wroteTo(at)
  }
}

// Memory of this size begins 16 bytes behind a page: from here on rows of four cells share a cache line by twos, and none needs two.
function alignedCells(count: number): Float64Array<ArrayBuffer> {
  return new Float64Array(new ArrayBuffer(count * 8 + ALIGNING_BYTES), ALIGNING_BYTES, count)
}

function marksOf(cells: Float64Array<ArrayBuffer>): Uint32Array {
  return new Uint32Array(cells.buffer, cells.byteOffset, cells.length * 2)
}

function writeKey(out: ByteWriter, key: number | string): void {
  if (typeof key === 'number') writeNumber(out, key)
  else writeText(out, key)
}
