// Record path (bench/micro/record-codec.ts). The strings of a frame: short ones as one block, which is decoded by one call and cut, long
// ones behind each other. A block takes a byte for each unit while all are Latin-1, else two.
import type { FrameBuffer } from './frame-buffer.ts'

/**
 * From this length on V8 cuts a string without a copy, and the part keeps the whole block in memory: one such key in state would hold a
 * frame. These strings are therefore decoded one by one, which costs about 40 ns each.
 */
export const LONG_UNITS_MIN = 13

const LATIN1_MAX = 0xff
const FIRST_BYTES = 1 << 12
const KEPT_BYTES_MAX = 1 << 20
const UNITS_AT_ONCE = 4096

/** Makes strings of bytes; a platform has faster ways than the language. Positions are in bytes; UTF-16 is little-endian. */
export interface TextDecoding {
  latin1(bytes: Uint8Array, from: number, to: number): string
  utf16(bytes: Uint8Array, from: number, to: number): string
}

/** Strings behind each other, as units without anything between them. */
class TextArea {
  isWide = false
  /** In units. */
  length = 0
  private bytes = new Uint8Array(FIRST_BYTES)

  reset(): void {
    this.length = 0
    this.isWide = false
    if (this.bytes.length > KEPT_BYTES_MAX) this.bytes = new Uint8Array(FIRST_BYTES)
  }

  append(text: string): void {
    const { length } = text
    this.reserve(this.length + length)
    if (this.isWide) {
      this.appendWide(text)
      return
    }
    const { bytes, length: from } = this
    let all = 0
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i)
      all |= unit
      bytes[from + i] = unit
    }
    if (all > LATIN1_MAX) {
      this.widen(length)
      this.appendWide(text)
    } else this.length = from + length
  }

  writeTo(out: FrameBuffer): void {
    const bytes = this.isWide ? this.length * 2 : this.length
    if (bytes > 0) out.raw(this.bytes.subarray(0, bytes))
  }

  private appendWide(text: string): void {
    const { bytes } = this
    let at = this.length * 2
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      bytes[at++] = unit & 0xff
      bytes[at++] = unit >>> 8
    }
    this.length += text.length
  }

  // From the end, so that no unit is overwritten before it has moved.
  private widen(more: number): void {
    this.isWide = true
    this.reserve(this.length + more)
    const { bytes } = this
    for (let i = this.length - 1; i >= 0; i--) {
      bytes[2 * i] = bytes[i] as number
      bytes[2 * i + 1] = 0
    }
  }

  private reserve(units: number): void {
    const needed = this.isWide ? units * 2 : units
    if (needed <= this.bytes.length) return
    const next = new Uint8Array(Math.max(this.bytes.length * 2, needed))
    next.set(this.bytes)
    this.bytes = next
  }
}

/** Collects the strings of a frame. */
export class TextWriter {
  private readonly short = new TextArea()
  private readonly long = new TextArea()

  reset(): void {
    this.short.reset()
    this.long.reset()
  }

  append(text: string): void {
    if (text.length < LONG_UNITS_MIN) this.short.append(text)
    else this.long.append(text)
  }

  /** How much there is of short strings, for `rewind`. */
  get shortUnits(): number {
    return this.short.length
  }

  /** How much there is of long strings, for `rewind`. */
  get longUnits(): number {
    return this.long.length
  }

  /** Forgets what was appended since there was so much. */
  rewind(shortUnits: number, longUnits: number): void {
    this.short.length = shortUnits
    this.long.length = longUnits
  }

  writeTo(out: FrameBuffer): void {
    out.byte((this.short.isWide ? 1 : 0) | (this.long.isWide ? 2 : 0))
    out.uint32(this.short.length)
    this.short.writeTo(out)
    this.long.writeTo(out)
  }
}

/** Hands out the strings of a frame in the order in which they were appended. */
export class TextReader {
  private readonly decoding: TextDecoding
  private block = ''
  private at = 0
  private bytes = new Uint8Array(0)
  private isLongWide = false
  private longAt = 0

  constructor(decoding: TextDecoding) {
    this.decoding = decoding
  }

  /** Takes up a frame whose text areas begin at a position of the bytes. */
  open(bytes: Uint8Array, view: DataView, position: number): void {
    const flags = bytes[position] as number
    const units = view.getUint32(position + 1, true)
    const from = position + 5
    const to = from + ((flags & 1) === 0 ? units : units * 2)
    this.at = 0
    this.block =
      units === 0
        ? ''
        : (flags & 1) === 0
          ? this.decoding.latin1(bytes, from, to)
          : this.decoding.utf16(bytes, from, to)
    this.bytes = bytes as Uint8Array<ArrayBuffer>
    this.isLongWide = (flags & 2) !== 0
    this.longAt = to
  }

  /** The next string, of so many units. */
  next(units: number): string {
    if (units >= LONG_UNITS_MIN) return this.nextLong(units)
    const from = this.at
    this.at = from + units
    return this.block.substring(from, from + units)
  }

  /** Lets go of the frame. */
  close(): void {
    this.block = ''
  }

  private nextLong(units: number): string {
    const from = this.longAt
    const to = from + (this.isLongWide ? units * 2 : units)
    this.longAt = to
    return this.isLongWide ? this.decoding.utf16(this.bytes, from, to) : this.decoding.latin1(this.bytes, from, to)
  }
}

/** Decodes with nothing but the language: right everywhere, and several times slower than a platform's own. */
export const PURE_TEXT_DECODING: TextDecoding = {
  latin1(bytes, from, to) {
    let text = ''
    for (let at = from; at < to; at += UNITS_AT_ONCE) {
      const some = bytes.subarray(at, Math.min(at + UNITS_AT_ONCE, to))
      text += String.fromCharCode.apply(null, some as unknown as number[])
    }
    return text
  },
  utf16(bytes, from, to) {
    const units = new Uint16Array((to - from) / 2)
    for (let i = 0, at = from; i < units.length; i++, at += 2) {
      units[i] = (bytes[at] as number) | ((bytes[at + 1] as number) << 8)
    }
    let text = ''
    for (let at = 0; at < units.length; at += UNITS_AT_ONCE) {
      text += String.fromCharCode.apply(null, units.subarray(at, at + UNITS_AT_ONCE) as unknown as number[])
    }
    return text
  },
}
