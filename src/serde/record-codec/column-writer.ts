// Record path (bench/micro/record-codec.ts). Writes a column of values: in the kind that they have in common, and what is of another kind
// behind them by the tagged codec, with its index. What they have in common is seen anew in each frame, from the frame before on.
import { ByteWriter } from '../../base/byte-writer.ts'
import { writeValue } from '../value-codec.ts'
import * as Kind from './column-kinds.ts'
import type { FrameBuffer } from './frame-buffer.ts'
import type { RecordShape, ShapeTable } from './record-shape.ts'
import type { TextWriter } from './text-areas.ts'

/** Deeper values are written by the tagged codec, which also finds those without an end. */
export const COLUMN_DEPTH_MAX = 8
/** Lengths below are one byte; this one says that four more follow. */
export const LONG_LENGTH = 255
/** After frames without anything in common, so many are written as tagged at once before the next look, at most. */
const SKIPPED_FRAMES_MAX = 63

const INT64_BITS = 64
const SHARED_HALF = 2

/** What is remembered of one place of the records from frame to frame. */
export class WriterSite {
  kind = Kind.UNDEFINED
  shape: RecordShape | undefined
  /** Of the fields of the shape: their places, and their values in the frame. */
  fields: WriterSite[] = []
  columns: unknown[][] = []
  readonly others: number[] = []
  skippedFrames = 0
  framesToSkip = 0
}

/** Writes the columns of one frame after the other. */
export class ColumnWriter {
  private readonly out: FrameBuffer
  private readonly texts: TextWriter
  private readonly shapes: ShapeTable
  private readonly tagged = new ByteWriter(1 << 10)

  constructor(out: FrameBuffer, texts: TextWriter, shapes: ShapeTable) {
    this.out = out
    this.texts = texts
    this.shapes = shapes
  }

  /** Appends a column of the first `count` values. Throws STATE_NOT_SERIALIZABLE for a value that no codec takes. */
  write(site: WriterSite, values: readonly unknown[], count: number, depth = 0): void {
    if (count === 0) this.header(Kind.UNDEFINED)
    else if (site.framesToSkip > 0) {
      site.framesToSkip--
      this.writeTagged(values, count)
    } else this.writeSeen(site, values, count, depth)
  }

  // First as in the frame before, then as the first value that this did not fit.
  private writeSeen(site: WriterSite, values: readonly unknown[], count: number, depth: number): void {
    if (site.kind !== Kind.TAGGED && this.tryKind(site, values, count, depth)) return
    const example = values[site.others[0] ?? 0]
    site.kind = Kind.kindOf(example)
    if (site.kind === Kind.SHAPED) this.takeShape(site, example as object, depth)
    if (site.kind !== Kind.TAGGED && this.tryKind(site, values, count, depth)) {
      site.skippedFrames = 0
      return
    }
    site.kind = Kind.TAGGED
    site.others.length = 0
    site.skippedFrames = Math.min(site.skippedFrames * 2 + 1, SKIPPED_FRAMES_MAX)
    site.framesToSkip = site.skippedFrames
    this.writeTagged(values, count)
  }

  private takeShape(site: WriterSite, example: object, depth: number): void {
    const shape = depth < COLUMN_DEPTH_MAX ? this.shapes.of(example) : undefined
    if (shape === undefined) {
      site.kind = Kind.TAGGED
      return
    }
    site.shape = shape
    site.fields = shape.outline.names.map(() => new WriterSite())
    site.columns = shape.outline.names.map(() => [])
  }

  /** Writes the column as the site says, and returns true; or nothing, when more than half of the values are of another kind. */
  private tryKind(site: WriterSite, values: readonly unknown[], count: number, depth: number): boolean {
    const { out, texts } = this
    const from = out.position
    const { shortUnits, longUnits } = texts
    site.others.length = 0
    let rows = this.writeKind(site, values, count, depth)
    if (rows < 0) {
      // A number that is no int32 among such: all become floats.
      site.kind = Kind.FLOAT64
      site.others.length = 0
      out.position = from
      rows = this.writeKind(site, values, count, depth)
    }
    if (site.others.length * SHARED_HALF <= count) {
      this.writeOthers(site, values, from)
      return true
    }
    out.position = from
    texts.rewind(shortUnits, longUnits)
    return false
  }

  /** Leaves the indexes of other values in the site. Returns the rows written, or -1 when int32 has to become float64. */
  private writeKind(site: WriterSite, values: readonly unknown[], count: number, depth: number): number {
    const { out } = this
    const { others } = site
    this.header(site.kind)
    switch (site.kind) {
      case Kind.INT32:
        return writeInt32s(out, values, count, others)
      case Kind.FLOAT64:
        return writeFloat64s(out, values, count, others)
      case Kind.STRING:
        return writeStrings(out, this.texts, values, count, others)
      case Kind.SHAPED:
        return this.writeShaped(site, values, count, depth)
      case Kind.BOOLEAN:
        return writeBooleans(out, values, count, others)
      case Kind.UNDEFINED:
        return sift(values, count, undefined, others)
      case Kind.NULL:
        return sift(values, count, null, others)
      case Kind.BIGINT:
        return writeBigints(out, values, count, others)
      case Kind.DATE:
        return writeDates(out, values, count, others)
      default:
        return writeBlobs(out, values, count, others)
    }
  }

  private writeShaped(site: WriterSite, values: readonly unknown[], count: number, depth: number): number {
    const { columns, fields, others } = site
    const shape = site.shape as RecordShape
    const rows = shape.codeFor(count).takeApart(values, count, columns, others)
    if (others.length * SHARED_HALF > count) return rows
    const { out } = this
    out.uint32(shape.bytes.length)
    out.raw(shape.bytes)
    for (let field = 0; field < fields.length; field++) {
      this.write(fields[field] as WriterSite, columns[field] as unknown[], rows, depth + 1)
    }
    return rows
  }

  private header(kind: number): void {
    this.out.byte(kind)
    this.out.uint32(0)
  }

  private writeOthers({ others }: WriterSite, values: readonly unknown[], from: number): void {
    if (others.length === 0) return
    const { out, tagged } = this
    out.view.setUint32(from + 1, others.length, true)
    tagged.reset()
    for (let i = 0; i < others.length; i++) {
      const index = others[i] as number
      tagged.varint(index)
      writeValue(tagged, values[index])
    }
    this.appendTagged()
  }

  private writeTagged(values: readonly unknown[], count: number): void {
    this.header(Kind.TAGGED)
    this.tagged.reset()
    for (let i = 0; i < count; i++) writeValue(this.tagged, values[i])
    this.appendTagged()
  }

  private appendTagged(): void {
    this.out.uint32(this.tagged.length)
    this.out.raw(this.tagged.view())
  }
}

function writeInt32s(out: FrameBuffer, values: readonly unknown[], count: number, others: number[]): number {
  out.reserve(count * 4)
  const { view } = out
  const from = out.position
  let at = from
  for (let i = 0; i < count; i++) {
    const value = values[i]
    if (typeof value !== 'number') {
      others.push(i)
      continue
    }
    const whole = value | 0
    // Adding 0 makes 0 of -0, which has to keep its sign.
    if (whole !== value || (whole === 0 && 1 / value < 0)) return -1
    view.setInt32(at, whole, true)
    at += 4
  }
  out.position = at
  return (at - from) >> 2
}

function writeFloat64s(out: FrameBuffer, values: readonly unknown[], count: number, others: number[]): number {
  out.reserve(count * 8)
  const { view } = out
  const from = out.position
  let at = from
  for (let i = 0; i < count; i++) {
    const value = values[i]
    if (typeof value !== 'number') {
      others.push(i)
      continue
    }
    view.setFloat64(at, value, true)
    at += 8
  }
  out.position = at
  return (at - from) >> 3
}

function writeStrings(
  out: FrameBuffer,
  texts: TextWriter,
  values: readonly unknown[],
  count: number,
  others: number[],
): number {
  out.reserve(count * 5)
  const { bytes, view } = out
  let at = out.position
  for (let i = 0; i < count; i++) {
    const value = values[i]
    if (typeof value !== 'string') {
      others.push(i)
      continue
    }
    const { length } = value
    if (length < LONG_LENGTH) bytes[at++] = length
    else {
      bytes[at] = LONG_LENGTH
      view.setUint32(at + 1, length, true)
      at += 5
    }
    texts.append(value)
  }
  out.position = at
  return count - others.length
}

function writeBooleans(out: FrameBuffer, values: readonly unknown[], count: number, others: number[]): number {
  out.reserve(count)
  const { bytes } = out
  let at = out.position
  for (let i = 0; i < count; i++) {
    const value = values[i]
    if (value === true) bytes[at++] = 1
    else if (value === false) bytes[at++] = 0
    else others.push(i)
  }
  out.position = at
  return count - others.length
}

/** Finds what is not the given value. */
function sift(values: readonly unknown[], count: number, usual: unknown, others: number[]): number {
  for (let i = 0; i < count; i++) if (values[i] !== usual) others.push(i)
  return count - others.length
}

function writeBigints(out: FrameBuffer, values: readonly unknown[], count: number, others: number[]): number {
  out.reserve(count * 8)
  const { view } = out
  let at = out.position
  for (let i = 0; i < count; i++) {
    const value = values[i]
    if (typeof value === 'bigint' && BigInt.asIntN(INT64_BITS, value) === value) {
      view.setBigInt64(at, value, true)
      at += 8
    } else others.push(i)
  }
  out.position = at
  return count - others.length
}

function isOf(value: unknown, prototype: object): boolean {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === prototype
}

function writeDates(out: FrameBuffer, values: readonly unknown[], count: number, others: number[]): number {
  out.reserve(count * 8)
  const { view } = out
  let at = out.position
  for (let i = 0; i < count; i++) {
    const value = values[i]
    if (isOf(value, Date.prototype)) {
      view.setFloat64(at, (value as Date).getTime(), true)
      at += 8
    } else others.push(i)
  }
  out.position = at
  return count - others.length
}

function writeBlobs(out: FrameBuffer, values: readonly unknown[], count: number, others: number[]): number {
  for (let i = 0; i < count; i++) {
    const value = values[i]
    if (isOf(value, Uint8Array.prototype)) {
      out.uint32((value as Uint8Array).length)
      out.raw(value as Uint8Array)
    } else others.push(i)
  }
  return count - others.length
}
