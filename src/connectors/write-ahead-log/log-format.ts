// Record path. The bytes of a write-ahead log: a segment is a header and frames, a frame is its length, the checksum of its payload, and the
// payload, which is one record or the end of the input. What a crash left half written ends at the last frame that is whole.
import { ByteReader } from '../../base/byte-reader.ts'
import { ByteWriter } from '../../base/byte-writer.ts'
import { crc32 } from '../../base/crc32.ts'
import { readValue, writeValue } from '../../serde/value-codec.ts'

/** The name of the format, and its version. */
const NAME = Uint8Array.from('MRWAL001', character => character.charCodeAt(0))
/** The part of the name that no version changes. */
const NAME_FIXED_BYTES = 5
/** What every segment begins with: the name and its checksum. */
export const HEADER: Uint8Array = headerOf(NAME)
/** The length and the checksum in front of a payload. */
const FRAME_HEADER_BYTES = 8
const HAS_TIMESTAMP = 1
const IS_RETRACTION = 2
const IS_END = 4

/** One record of the log, or the end of the input. */
export interface LogEntry {
  readonly isEnd: boolean
  readonly value: unknown
  readonly timestampMs: number | undefined
  readonly isRetraction: boolean
  /** Where its frame ends, in bytes from the beginning of its batch. */
  readonly endBytes: number
}

/** Records that go into the log, and are made durable, together. */
export class LogBatch {
  entries: LogEntry[] = []
  private readonly out = new ByteWriter(4096)
  private readonly payload = new ByteWriter()

  get bytes(): number {
    return this.out.length
  }

  /** Throws STATE_NOT_SERIALIZABLE, and adds nothing, for a value that the codec cannot write. */
  add(value: unknown, timestampMs: number | undefined, isRetraction: boolean): void {
    const { payload } = this
    payload.reset()
    payload.byte((timestampMs === undefined ? 0 : HAS_TIMESTAMP) | (isRetraction ? IS_RETRACTION : 0))
    if (timestampMs !== undefined) payload.float64(timestampMs)
    writeValue(payload, value)
    this.addFrame()
    this.entries.push({ isEnd: false, value, timestampMs, isRetraction, endBytes: this.out.length })
  }

  addEnd(): void {
    this.payload.reset()
    this.payload.byte(IS_END)
    this.addFrame()
    this.entries.push(endEntry(this.out.length))
  }

  /** The frames; valid until the next change. */
  view(): Uint8Array {
    return this.out.view()
  }

  /** Whoever took the entries keeps them. */
  reset(): void {
    this.entries = []
    this.out.reset()
  }

  private addFrame(): void {
    const bytes = this.payload.view()
    this.out.uint32(bytes.length)
    this.out.uint32(crc32(bytes))
    this.out.raw(bytes)
  }
}

/** What bytes at the beginning of a segment are: a header of this version, one of another, or none, such as a crash leaves. */
export function headerKind(bytes: Uint8Array): 'this' | 'other' | 'none' {
  const isName =
    bytes.length === HEADER.length && NAME.every((byte, at) => at >= NAME_FIXED_BYTES || bytes[at] === byte)
  const name = bytes.subarray(0, NAME.length)
  const isWhole = isName && headerOf(name).every((byte, at) => bytes[at] === byte)
  if (!isWhole) return 'none'
  return NAME.every((byte, at) => name[at] === byte) ? 'this' : 'other'
}

/** How far bytes consist of whole frames, and what comes then. */
export interface FrameScan {
  /** The end of the last whole frame. */
  readonly endBytes: number
  /** `cut`: the next frame needs more bytes than there are, as far as its length can be trusted; `damaged`: it is not what was written. */
  readonly stop: 'none' | 'cut' | 'damaged'
  /** How many bytes the frame that was cut needs. */
  readonly neededBytes: number
  /** Where the last frame begins, if it is the end of the input. */
  readonly endOfInputAt: number | undefined
}

/** Looks for whole frames from the beginning of the bytes. */
export function scanFrames(bytes: Uint8Array): FrameScan {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let endBytes = 0
  let endOfInputAt: number | undefined
  while (endBytes < bytes.length) {
    const left = bytes.length - endBytes
    if (left < FRAME_HEADER_BYTES) return { endBytes, stop: 'cut', neededBytes: FRAME_HEADER_BYTES, endOfInputAt }
    const length = data.getUint32(endBytes, true)
    const neededBytes = FRAME_HEADER_BYTES + length
    if (left < neededBytes) return { endBytes, stop: 'cut', neededBytes, endOfInputAt }
    const from = endBytes + FRAME_HEADER_BYTES
    // A disk may come back with zeros, and the checksum of nothing is zero too.
    const isWhole = length > 0 && crc32(bytes.subarray(from, from + length)) === data.getUint32(endBytes + 4, true)
    if (!isWhole) return { endBytes, stop: 'damaged', neededBytes: 0, endOfInputAt }
    endOfInputAt = bytes[from] === IS_END ? endBytes : undefined
    endBytes += neededBytes
  }
  return { endBytes, stop: 'none', neededBytes: 0, endOfInputAt }
}

/** The entries of bytes that are whole frames. Throws BytesCorruptError where a payload is not what a batch wrote. */
export function decodeFrames(bytes: Uint8Array): LogEntry[] {
  const entries: LogEntry[] = []
  const input = new ByteReader(bytes)
  while (!input.isAtEnd) {
    const length = input.uint32()
    input.uint32()
    const payload = input.part(length)
    const flags = payload.byte()
    if (flags === IS_END) {
      entries.push(endEntry(payload.end))
      continue
    }
    const timestampMs = (flags & HAS_TIMESTAMP) === 0 ? undefined : payload.float64()
    const isRetraction = (flags & IS_RETRACTION) !== 0
    entries.push({ isEnd: false, value: readValue(payload), timestampMs, isRetraction, endBytes: payload.end })
  }
  return entries
}

function headerOf(name: Uint8Array): Uint8Array {
  const out = new ByteWriter()
  out.raw(name)
  out.uint32(crc32(name))
  return out.copy()
}

function endEntry(endBytes: number): LogEntry {
  return { isEnd: true, value: undefined, timestampMs: undefined, isRetraction: false, endBytes }
}
