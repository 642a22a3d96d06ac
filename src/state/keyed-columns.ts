// Record path (bench/micro/keyed-columns.ts). Keyed state whose values are records of one form: what the fields hold lies in rows of numbers
// and in columns, not in an object for each key. A snapshot of a million such rows reads memory in its order, where objects cost a cache
// miss or two each.
import { ByteWriter } from '../base/byte-writer.ts'
import { keyGroupOf } from '../model/key-groups.ts'
import type { Replacement } from '../model/replaced-field.ts'
import { hashKey } from '../serde/key-encoding.ts'
import { writeValue } from '../serde/value-codec.ts'
import { NUMBER_BYTES_MAX, putNumber, writeNumber, writeText } from '../serde/value-leaves.ts'
import { OBJECT, SHORT_COUNT_MAX, SHORT_OBJECT } from '../serde/value-tags.ts'
import type { ColumnRows, RowTarget } from './keyed-part.ts'
import { NumberIndex } from './number-index.ts'
import { recordMaker } from './record-maker.ts'
import { RowTracker, TOUCHED } from './row-tracker.ts'

/** The cells of a row: its key (0 for a text), records, marks (two 32-bit numbers in one cell), the number that changes, then other fields. */
const COUNT = 1
const MARKS = 2
const NUMBER = 3
/** A V8 Map ends at 2^24 entries; half of that leaves room for its growth. */
const TEXTS_MAX = 1 << 23
const ROWS_FIRST = 1024

type Fields = Readonly<Record<string, unknown>>

/** Where the values of a field are. `key`: it is the key; `cell`: a number in the row; `column`: anything else. */
export interface Field {
  readonly name: string
  readonly kind: 'key' | 'cell' | 'column'
  readonly cell: number
  readonly values: unknown[]
  /** What goes before the value in a snapshot: the name, and before the first name the start of the record. */
  readonly prefix: Uint8Array
}

/** What keyed columns need beside the record that gives them their form. */
export interface KeyedColumnsOptions {
  /** The number field that changes, and how. */
  readonly field: string
  readonly replacement: Replacement
  readonly maxParallelism: number
  readonly isTracked: boolean
  readonly targetOf: (keyGroup: number) => RowTarget
}

/**
 * Rows by key, a number or a text. A row holds the first record of its key, how many there were, and the number field that changes. Rows never
 * go away. The rows of a snapshot are those of objects: how many records, then the record.
 */
export class KeyedColumns implements ColumnRows {
  readonly tracker: RowTracker
  private readonly field: string
  private readonly isSum: boolean
  private readonly isMin: boolean
  private readonly maxParallelism: number
  private readonly targetOf: (keyGroup: number) => RowTarget
  private readonly index = new NumberIndex()
  private readonly rowOfText = new Map<string, number>()
  private readonly names: readonly string[]
  /** In the order of the record. */
  private readonly fields: readonly Field[]
  /** The same without the one that changes. */
  private readonly others: readonly Field[]
  private readonly numbersBytesMax: number
  /** Makes the record of a row, given its number and its key. */
  private readonly make: (value: number, key: unknown, row: number) => Fields
  private readonly stride: number
  private cells: Float64Array<ArrayBuffer>
  private readonly texts: (string | undefined)[] = []
  private keyGroups: Uint16Array
  private size = 0

  /** For records of the form of the given one, which `hasForm` allows; it is not added. */
  constructor(key: unknown, record: Fields, options: KeyedColumnsOptions) {
    const { field, replacement, maxParallelism, isTracked, targetOf } = options
    this.field = field
    this.isSum = replacement === 'sum'
    this.isMin = replacement === 'min'
    this.maxParallelism = maxParallelism
    this.targetOf = targetOf
    this.names = Object.keys(record)
    this.fields = fieldsOf(this.names, record, key, field)
    this.others = this.fields.filter(({ name }) => name !== field)
    const stride = Math.max(NUMBER, ...this.fields.map(({ cell }) => cell)) + 1
    this.numbersBytesMax = numbersBytesMax(this.fields)
    this.make = recordMaker(
      this.fields,
      { ...record },
      field,
      (row, cell) => this.cells[row * this.stride + cell] as number,
    )
    this.stride = stride
    this.cells = new Float64Array(ROWS_FIRST * stride)
    this.keyGroups = new Uint16Array(ROWS_FIRST)
    this.tracker = new RowTracker(new Uint32Array(this.cells.buffer), { stride: stride * 2, offset: MARKS * 2 }, row =>
      this.write(row),
    )
    if (isTracked) this.tracker.enable()
  }

  /** True when such a record can give columns their form. */
  static hasForm(key: unknown, record: unknown, field: string): record is Fields {
    return isKey(key) && isPlain(record) && typeof record[field] === 'number' && !Object.hasOwn(record, '__proto__')
  }

  get count(): number {
    return this.size
  }

  /** The row of a key, -1 where it has none. */
  find(key: unknown): number {
    if (typeof key === 'number') return this.index.find(key, this.cells, this.stride)
    if (typeof key === 'string') return this.rowOfText.get(key) ?? -1
    return -1
  }

  /** Counts one record more of the row's key, and gives the record with what becomes of its number. */
  update(row: number, next: number): Fields {
    const at = row * this.stride
    const { tracker } = this
    if (tracker.marks[(at + MARKS) * 2 + TOUCHED] !== tracker.epoch) tracker.touch(row)
    this.cells[at + COUNT] = (this.cells[at + COUNT] as number) + 1
    const soFar = this.cells[at + NUMBER] as number
    const value = this.isSum ? soFar + next : this.replaces(soFar, next) ? next : soFar
    this.cells[at + NUMBER] = value
    return this.make(value, this.texts[row] ?? (this.cells[at] as number), row)
  }

  private replaces(soFar: number, next: number): boolean {
    return this.isMin ? isLess(next, soFar) : isLess(soFar, next)
  }

  /** Adds the first record of a key that has no row, counted so many times; false, and nothing done, where it has another form. */
  add(key: unknown, record: unknown, count: number): boolean {
    if (!isKey(key) || !isPlain(record) || !this.isOfForm(key, record)) return false
    const row = this.size
    if (typeof key === 'string' && row >= TEXTS_MAX) return false
    if (row === this.keyGroups.length) this.grow()
    this.size++
    const at = row * this.stride
    this.cells[at + COUNT] = count
    this.cells[at + NUMBER] = record[this.field] as number
    for (const other of this.others) {
      if (other.kind === 'cell') this.cells[at + other.cell] = record[other.name] as number
      else if (other.kind === 'column') other.values.push(record[other.name])
    }
    this.keyGroups[row] = keyGroupOf(hashKey(key), this.maxParallelism)
    if (typeof key === 'number') {
      this.cells[at] = key
      this.index.add(key, row, this.cells, this.stride)
    } else {
      this.texts[row] = key
      this.rowOfText.set(key, row)
    }
    this.tracker.touch(row)
    return true
  }

  begin(snapshotId: number, isFull: boolean): void {
    this.tracker.begin(snapshotId, isFull, this.size)
  }

  private isOfForm(key: unknown, record: Fields): boolean {
    const names = Object.keys(record)
    const { length } = this.names
    if (names.length !== length || typeof record[this.field] !== 'number') return false
    for (let i = 0; i < length; i++) if (names[i] !== this.names[i]) return false
    return this.others.every(({ name, kind }) => {
      if (kind === 'key') return Object.is(record[name], key)
      return kind === 'column' || typeof record[name] === 'number'
    })
  }

  private keyOf(row: number): number | string {
    return this.texts[row] ?? (this.cells[row * this.stride] as number)
  }

  private grow(): void {
    const cells = new Float64Array(this.cells.length * 2)
    cells.set(this.cells)
    this.cells = cells
    this.tracker.marks = new Uint32Array(cells.buffer)
    const keyGroups = new Uint16Array(this.keyGroups.length * 2)
    keyGroups.set(this.keyGroups)
    this.keyGroups = keyGroups
  }

  private write(row: number): void {
    const target = this.targetOf(this.keyGroups[row] as number)
    const { out } = target
    if (this.numbersBytesMax > 0 && this.texts.length === 0) this.writeNumbers(out, row)
    else this.writeAny(out, row)
    target.rows++
  }

  private writeAny(out: ByteWriter, row: number): void {
    const from = out.length
    const at = row * this.stride
    try {
      const identity = out.openLength()
      const key = this.keyOf(row)
      writeKey(out, key)
      out.fillLength(identity)
      const payload = out.openLength()
      writeNumber(out, this.cells[at + COUNT] as number)
      const { fields } = this
      for (let i = 0; i < fields.length; i++) {
        const { prefix, kind, cell, values } = fields[i] as Field
        out.raw(prefix)
        if (kind === 'cell') writeNumber(out, this.cells[at + cell] as number)
        else if (kind === 'key') writeKey(out, key)
        else writeValue(out, values[row])
      }
      out.fillLength(payload, 1)
    } catch (error) {
      out.truncate(from)
      throw error
    }
  }

  // The same bytes for a row of numbers that is short enough for lengths of one byte.
  private writeNumbers(out: ByteWriter, row: number): void {
    const { cells, fields } = this
    const row0 = row * this.stride
    const bytes = out.room(this.numbersBytesMax)
    const identity = out.length
    let at = putNumber(bytes, identity + 1, cells[row0] as number)
    bytes[identity] = at - identity - 1
    const payload = at
    at = putNumber(bytes, at + 1, cells[row0 + COUNT] as number)
    for (let i = 0; i < fields.length; i++) {
      const { prefix, cell } = fields[i] as Field
      for (let j = 0; j < prefix.length; j++) bytes[at++] = prefix[j] as number
      // The key lies in cell 0.
      at = putNumber(bytes, at, cells[row0 + cell] as number)
    }
    bytes[payload] = at - payload
    out.wroteTo(at)
  }
}

/** The most bytes that a row of numbers takes; 0 where fields are no numbers, or its lengths may not fit in a byte each. */
function numbersBytesMax(fields: readonly Field[]): number {
  if (fields.some(({ kind }) => kind === 'column')) return 0
  const payload = fields.reduce((sum, { prefix }) => sum + prefix.length + NUMBER_BYTES_MAX, NUMBER_BYTES_MAX)
  return payload < 127 ? payload + NUMBER_BYTES_MAX + 2 : 0
}

function fieldsOf(names: readonly string[], record: Fields, key: unknown, changing: string): readonly Field[] {
  let cells = NUMBER
  return names.map((name, position) => {
    const prefix = prefixOf(name, position === 0 ? names.length : undefined)
    const isNumber = typeof record[name] === 'number'
    const kind = name !== changing && Object.is(record[name], key) ? 'key' : isNumber ? 'cell' : 'column'
    const cell = name === changing ? NUMBER : kind === 'cell' ? ++cells : 0
    return { name, kind, cell, values: [], prefix }
  })
}

// As serde/value-codec.ts writes objects.
function prefixOf(name: string, startOf: number | undefined): Uint8Array {
  const out = new ByteWriter(32)
  if (startOf !== undefined && startOf <= SHORT_COUNT_MAX) out.byte(SHORT_OBJECT + startOf)
  else if (startOf !== undefined) {
    out.byte(OBJECT)
    out.varint(startOf)
  }
  writeText(out, name)
  return out.copy()
}

/** NaN is greater than every other number. */
function isLess(a: number, b: number): boolean {
  return a < b || (Number.isNaN(b) && !Number.isNaN(a))
}

function writeKey(out: ByteWriter, key: number | string): void {
  if (typeof key === 'number') writeNumber(out, key)
  else writeText(out, key)
}

function isKey(key: unknown): key is number | string {
  return typeof key === 'string' || (typeof key === 'number' && !Number.isNaN(key))
}

function isPlain(record: unknown): record is Fields {
  return (
    typeof record === 'object' &&
    record !== null &&
    Object.getPrototypeOf(record) === Object.prototype &&
    Object.getOwnPropertySymbols(record).length === 0
  )
}
