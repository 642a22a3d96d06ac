// Record path (bench/micro/record-codec.ts). Reads the columns that a ColumnWriter wrote.
import { unreachable } from '../../base/assert.ts'
import { ByteReader } from '../../base/byte-reader.ts'
import { readValue } from '../value-codec.ts'
import * as Kind from './column-kinds.ts'
import { LONG_LENGTH } from './column-writer.ts'
import type { RecordShape, ShapeTable } from './record-shape.ts'
import type { TextReader } from './text-areas.ts'

/** What is remembered of one place of the records from frame to frame. */
export class ReaderSite {
  shape: RecordShape | undefined
  /** Of the fields of the shape: their places, and their values in the frame. */
  fields: ReaderSite[] = []
  columns: unknown[][] = []
}

/** Reads the columns of one frame after the other. */
export class ColumnReader {
  private readonly texts: TextReader
  private readonly shapes: ShapeTable
  private bytes = new Uint8Array(0)
  private view = new DataView(this.bytes.buffer)
  /** In the bytes, as all positions. */
  private position = 0

  constructor(texts: TextReader, shapes: ShapeTable) {
    this.texts = texts
    this.shapes = shapes
  }

  /** Takes up a frame whose first column begins at a position of the bytes, which the view covers as well. */
  open(bytes: Uint8Array, view: DataView, position: number): void {
    this.bytes = bytes as Uint8Array<ArrayBuffer>
    this.view = view as DataView<ArrayBuffer>
    this.position = position
  }

  /** Reads the next column, of so many values, into an array from index 0 on. */
  read(site: ReaderSite, target: unknown[], count: number): void {
    const kind = this.bytes[this.position] as number
    const others = this.view.getUint32(this.position + 1, true)
    this.position += 5
    if (count === 0) return
    this.readKind(kind, site, target, count - others)
    if (others > 0) this.readOthers(target, count, others)
  }

  private readKind(kind: number, site: ReaderSite, target: unknown[], rows: number): void {
    const { bytes, view, position: at } = this
    switch (kind) {
      case Kind.INT32:
        for (let i = 0; i < rows; i++) target[i] = view.getInt32(at + i * 4, true)
        this.position = at + rows * 4
        break
      case Kind.FLOAT64:
        for (let i = 0; i < rows; i++) target[i] = view.getFloat64(at + i * 8, true)
        this.position = at + rows * 8
        break
      case Kind.STRING:
        this.readStrings(target, rows)
        break
      case Kind.SHAPED:
        this.readShaped(site, target, rows)
        break
      case Kind.BOOLEAN:
        for (let i = 0; i < rows; i++) target[i] = bytes[at + i] === 1
        this.position = at + rows
        break
      case Kind.UNDEFINED:
        for (let i = 0; i < rows; i++) target[i] = undefined
        break
      case Kind.NULL:
        for (let i = 0; i < rows; i++) target[i] = null
        break
      case Kind.BIGINT:
        for (let i = 0; i < rows; i++) target[i] = view.getBigInt64(at + i * 8, true)
        this.position = at + rows * 8
        break
      case Kind.DATE:
        for (let i = 0; i < rows; i++) target[i] = new Date(view.getFloat64(at + i * 8, true))
        this.position = at + rows * 8
        break
      case Kind.BYTES:
        this.readBlobs(target, rows)
        break
      case Kind.TAGGED:
        this.readTagged(target, rows)
        break
      default:
        unreachable(kind as never, 'the kind of a column')
    }
  }

  private readStrings(target: unknown[], rows: number): void {
    const { bytes, view, texts } = this
    let at = this.position
    for (let i = 0; i < rows; i++) {
      let length = bytes[at++] as number
      if (length === LONG_LENGTH) {
        length = view.getUint32(at, true)
        at += 4
      }
      target[i] = texts.next(length)
    }
    this.position = at
  }

  // Copies: the bytes of a frame are written over when it is done.
  private readBlobs(target: unknown[], rows: number): void {
    let at = this.position
    for (let i = 0; i < rows; i++) {
      const length = this.view.getUint32(at, true)
      at += 4
      const copy = new Uint8Array(length)
      copy.set(this.bytes.subarray(at, at + length))
      at += length
      target[i] = copy
    }
    this.position = at
  }

  private readShaped(site: ReaderSite, target: unknown[], rows: number): void {
    const shape = this.readShape(site)
    const { fields, columns } = site
    for (let field = 0; field < fields.length; field++) {
      this.read(fields[field] as ReaderSite, columns[field] as unknown[], rows)
    }
    shape.codeFor(rows).putTogether(columns, rows, target)
  }

  private readShape(site: ReaderSite): RecordShape {
    const length = this.view.getUint32(this.position, true)
    const from = this.position + 4
    this.position = from + length
    const known = site.shape
    if (known !== undefined && this.isAt(known.bytes, from, length)) return known
    const shape = this.shapes.at(this.bytes, from, from + length)
    site.shape = shape
    site.fields = shape.outline.names.map(() => new ReaderSite())
    site.columns = shape.outline.names.map(() => [])
    return shape
  }

  private isAt(expected: Uint8Array, from: number, length: number): boolean {
    if (expected.length !== length) return false
    const { bytes } = this
    for (let i = 0; i < length; i++) if (bytes[from + i] !== expected[i]) return false
    return true
  }

  // The others come last; from the end on they are put in their places among the rows.
  private readOthers(target: unknown[], count: number, others: number): void {
    const input = this.openTagged()
    const indexes: number[] = []
    const values: unknown[] = []
    for (let i = 0; i < others; i++) {
      indexes.push(input.varint())
      values.push(readValue(input))
    }
    while (target.length < count) target.push(undefined)
    let row = count - others
    let other = others - 1
    for (let i = count - 1; other >= 0; i--) target[i] = indexes[other] === i ? values[other--] : target[--row]
  }

  private readTagged(target: unknown[], rows: number): void {
    const input = this.openTagged()
    for (let i = 0; i < rows; i++) target[i] = readValue(input)
  }

  private openTagged(): ByteReader {
    const length = this.view.getUint32(this.position, true)
    const from = this.position + 4
    this.position = from + length
    return new ByteReader(this.bytes, from, this.position)
  }
}
