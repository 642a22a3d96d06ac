// Record path (bench/micro/record-codec.ts). Frames of bytes back to batches of records: the counterpart of RecordEncoder.
import { ColumnReader, ReaderSite } from './column-reader.ts'
import { HAS_KEYS, HAS_RETRACTIONS, HAS_TIMESTAMPS, HEADER_BYTES, type RecordColumns } from './record-columns.ts'
import { GENERATE_AFTER_ROWS, ShapeTable } from './record-shape.ts'
import { PURE_TEXT_DECODING, type TextDecoding, TextReader } from './text-areas.ts'

/** How a RecordDecoder works; what it gives is the same. */
export interface RecordDecoderOptions {
  /** The platform's way to make strings of bytes; the default is slow. */
  readonly texts?: TextDecoding
  /** Records of a shape after which source is generated for it; Infinity: never. */
  readonly generateAfterRows?: number
}

/** The receiving side of one edge. */
export class RecordDecoder {
  private readonly texts: TextReader
  private readonly columns: ColumnReader
  private readonly valueSite = new ReaderSite()
  private readonly keySite = new ReaderSite()
  /** The whole memory in which frames lie: it stays the same from frame to frame, and making views costs more than a record. */
  private bytes = new Uint8Array<ArrayBufferLike>(new ArrayBuffer(0))
  private view = new DataView<ArrayBufferLike>(this.bytes.buffer)

  constructor({ texts = PURE_TEXT_DECODING, generateAfterRows = GENERATE_AFTER_ROWS }: RecordDecoderOptions = {}) {
    this.texts = new TextReader(texts)
    this.columns = new ColumnReader(this.texts, new ShapeTable(generateAfterRows))
  }

  /** The batch of a frame, which shares no memory with it: its bytes may lie in a ring, and be written over afterwards. */
  decode(frame: Uint8Array): RecordColumns {
    if (frame.buffer !== this.bytes.buffer) {
      this.bytes = new Uint8Array(frame.buffer)
      this.view = new DataView(frame.buffer)
    }
    const { bytes, view, texts, columns } = this
    const from = frame.byteOffset
    const flags = bytes[from] as number
    const count = view.getUint32(from + 1, true)
    let position = from + HEADER_BYTES
    let timestamps: number[] | undefined
    if ((flags & HAS_TIMESTAMPS) !== 0) {
      timestamps = readTimestamps(view, position, count)
      position += count * 8
    }
    let retractions: boolean[] | undefined
    if ((flags & HAS_RETRACTIONS) !== 0) {
      retractions = readRetractions(bytes, position, count)
      position += count
    }
    texts.open(bytes, view, from + view.getUint32(from + HEADER_BYTES - 4, true))
    columns.open(bytes, view, position)
    const values: unknown[] = new Array(count)
    columns.read(this.valueSite, values, count)
    let keys: unknown[] | undefined
    if ((flags & HAS_KEYS) !== 0) {
      keys = new Array(count)
      columns.read(this.keySite, keys, count)
    }
    texts.close()
    return { values, timestamps, keys, retractions }
  }
}

function readTimestamps(view: DataView, from: number, count: number): number[] {
  const timestamps: number[] = new Array(count)
  for (let i = 0; i < count; i++) timestamps[i] = view.getFloat64(from + i * 8, true)
  return timestamps
}

function readRetractions(bytes: Uint8Array, from: number, count: number): boolean[] {
  const retractions: boolean[] = new Array(count)
  for (let i = 0; i < count; i++) retractions[i] = bytes[from + i] === 1
  return retractions
}
