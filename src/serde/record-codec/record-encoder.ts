// Record path (bench/micro/record-codec.ts). Batches of records to frames of bytes for another thread. Each frame decodes alone.
import { StreamError } from '../../base/errors.ts'
import { ColumnWriter, WriterSite } from './column-writer.ts'
import { FrameBuffer } from './frame-buffer.ts'
import { HAS_KEYS, HAS_RETRACTIONS, HAS_TIMESTAMPS, HEADER_BYTES, type RecordColumns } from './record-columns.ts'
import { GENERATE_AFTER_ROWS, ShapeTable } from './record-shape.ts'
import { TextWriter } from './text-areas.ts'
import { unsendableError } from './unsendable-record.ts'

/** Columns to be encoded: those of a batch will do. */
export type ReadonlyRecordColumns = {
  readonly [Column in keyof RecordColumns]: Readonly<RecordColumns[Column]>
}

/** The sending side of one edge. Its memory is that of its largest usual frame; it holds on to the records of the last one. */
export class RecordEncoder {
  private readonly edge: string
  private readonly out = new FrameBuffer()
  private readonly texts = new TextWriter()
  private readonly columns: ColumnWriter
  private readonly valueSite = new WriterSite()
  private readonly keySite = new WriterSite()

  /** The edge is named in errors. Frames do not depend on when source is generated. */
  constructor(edge: string, { generateAfterRows = GENERATE_AFTER_ROWS }: { readonly generateAfterRows?: number } = {}) {
    this.edge = edge
    this.columns = new ColumnWriter(this.out, this.texts, new ShapeTable(generateAfterRows))
  }

  /**
   * The frame of a batch; valid until the next call. What the tagged codec (`writeValue`) keeps of a value arrives: plain data, without
   * symbols as names, and with undefined for the holes of an array. Throws RECORD_NOT_SERIALIZABLE for class instances, functions and symbols.
   */
  encode(batch: ReadonlyRecordColumns): Uint8Array<ArrayBuffer> {
    try {
      return this.write(batch)
    } catch (error) {
      throw this.explained(batch, error)
    }
  }

  private write({ values, timestamps, keys, retractions }: ReadonlyRecordColumns): Uint8Array<ArrayBuffer> {
    const { out, texts, columns } = this
    const count = values.length
    out.reset()
    texts.reset()
    out.byte(
      (timestamps === undefined ? 0 : HAS_TIMESTAMPS) |
        (keys === undefined ? 0 : HAS_KEYS) |
        (retractions === undefined ? 0 : HAS_RETRACTIONS),
    )
    out.uint32(count)
    out.uint32(0)
    if (timestamps !== undefined) this.writeTimestamps(timestamps, count)
    if (retractions !== undefined) this.writeRetractions(retractions, count)
    columns.write(this.valueSite, values, count)
    if (keys !== undefined) columns.write(this.keySite, keys, count)
    out.view.setUint32(HEADER_BYTES - 4, out.position, true)
    texts.writeTo(out)
    return out.bytes.subarray(0, out.position)
  }

  private writeTimestamps(timestamps: readonly number[], count: number): void {
    const { out } = this
    out.reserve(count * 8)
    const { view, position } = out
    for (let i = 0; i < count; i++) view.setFloat64(position + i * 8, timestamps[i] as number, true)
    out.position = position + count * 8
  }

  private writeRetractions(retractions: readonly boolean[], count: number): void {
    const { out } = this
    out.reserve(count)
    const { bytes, position } = out
    for (let i = 0; i < count; i++) bytes[position + i] = retractions[i] === true ? 1 : 0
    out.position = position + count
  }

  private explained({ values, keys }: ReadonlyRecordColumns, error: unknown): unknown {
    if (!(error instanceof StreamError) || error.code !== 'STATE_NOT_SERIALIZABLE') return error
    return (
      unsendableError(this.edge, 'record', values, error) ??
      (keys === undefined ? undefined : unsendableError(this.edge, 'key', keys, error)) ??
      error
    )
  }
}
