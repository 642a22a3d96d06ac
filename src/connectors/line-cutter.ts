// Cuts bytes that arrive in chunks into lines of text, with the exact byte offset of each: shared by files, standard input and sockets.
// It reads nothing itself. On the record path: one native search and one native decode per line.
import { Buffer, isAscii, isUtf8 } from 'node:buffer'
import { StreamError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { SourceOutput } from '../model/connector.ts'
import type { TextOptions } from './text-options.ts'

/** What a cutter needs to know of its input. */
export interface LineInput extends TextOptions {
  /** For messages: `file words.txt`. */
  readonly description: string
  /** The text between two lines; a line feed by default, and then a carriage return before it belongs to it too. */
  readonly delimiter?: string
  /** The byte offset at which the first chunk begins; must be the beginning of a line. */
  readonly startOffset?: number
  readonly logger: Logger
}

const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const BYTE_ORDER_MARK = '\uFEFF'
const REPLACEMENT = '\uFFFD'
const REPLACEMENT_BYTES = [0xef, 0xbf, 0xbd] as const
const NO_BYTES = Buffer.alloc(0)
/** The memory for the beginning of an unfinished line: what is taken at first, and what is kept for the next one. */
const HEAD_BYTES_MIN = 1024
const HEAD_BYTES_KEPT = 65_536

/**
 * A pull-based cutter: `push` a chunk, take lines by `next` until it gives undefined, push the next one; after the last chunk call `finish`.
 * A chunk is not kept after `next` gave undefined, so its memory may be used again. A byte order mark at offset 0 is left out.
 *
 * Each line is decoded by itself. Decoding a block at once and slicing it costs 25 to 45 ns a line against 70 to 85 (65-byte lines), which is
 * 2 to 3 % of a word count; but V8 keeps the whole block alive for any slice of it that a job keeps as a key.
 */
export class LineCutter {
  private readonly input: LineInput
  private readonly delimiter: Uint8Array
  private readonly isNewline: boolean
  private chunk: Buffer = NO_BYTES
  private isChunkAscii = true
  private cursor = 0
  /** The offset of the chunk's first byte. */
  private chunkOffset: number
  /** The offset of the first byte of the next line. */
  private lineOffset: number
  /** The beginning of an unfinished line from earlier chunks; none of it can be part of the delimiter. */
  private head: Buffer = NO_BYTES
  private headBytes = 0
  /** The last bytes seen, fewer than the delimiter's, which may be its beginning. Always empty for a delimiter of one byte. */
  private carry: Buffer = NO_BYTES
  private replacedCount = 0

  constructor(input: LineInput) {
    this.input = input
    this.delimiter = Buffer.from(input.delimiter ?? '\n', 'utf8')
    this.isNewline = this.delimiter.length === 1 && this.delimiter[0] === LINE_FEED
    this.chunkOffset = input.startOffset ?? 0
    this.lineOffset = this.chunkOffset
  }

  /** The byte offset after the delimiter of the last line taken. */
  position(): number {
    return this.lineOffset
  }

  /** The bytes of the unfinished line, once `next` gave undefined. */
  unfinishedBytes(): number {
    return this.headBytes + this.carry.length
  }

  /** How many invalid byte sequences were replaced so far. */
  replacements(): number {
    return this.replacedCount
  }

  /** Gives the next bytes; only after `next` gave undefined. */
  push(chunk: Uint8Array): void {
    this.chunkOffset += this.chunk.length - this.carry.length
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    this.chunk = this.carry.length === 0 ? bytes : Buffer.concat([this.carry, bytes])
    this.carry = NO_BYTES
    this.cursor = 0
    this.isChunkAscii = isAscii(this.chunk)
  }

  /** The next complete line, or undefined when more bytes are needed. Throws LINE_TOO_LONG and TEXT_INVALID. */
  next(): string | undefined {
    const chunk = this.chunk
    const from = this.cursor
    const to = this.isNewline ? chunk.indexOf(LINE_FEED, from) : chunk.indexOf(this.delimiter, from)
    if (to < 0) return this.keepTail()
    if (to - from + this.headBytes > this.input.lineBytesMax) throw this.tooLong()
    this.cursor = to + this.delimiter.length
    const offset = this.lineOffset
    this.lineOffset = this.chunkOffset + this.cursor
    if (this.headBytes > 0) {
      const line = this.takeHead(chunk.subarray(from, to))
      return this.decode(line, 0, this.contentEnd(line, 0, line.length), offset)
    }
    return this.decode(chunk, from, this.contentEnd(chunk, from, to), offset)
  }

  /** The last line, when the input did not end with a delimiter; else undefined. Throws LINE_TOO_LONG and TEXT_INVALID. */
  finish(): string | undefined {
    if (this.unfinishedBytes() === 0) return undefined
    if (this.unfinishedBytes() > this.input.lineBytesMax) throw this.tooLong()
    const offset = this.lineOffset
    const line = this.takeHead(this.carry)
    this.carry = NO_BYTES
    this.lineOffset += line.length
    const text = this.decode(line, 0, line.length, offset)
    // A byte order mark alone is an empty input, not an empty line.
    return text === '' ? undefined : text
  }

  private contentEnd(bytes: Buffer, from: number, to: number): number {
    return this.isNewline && to > from && bytes[to - 1] === CARRIAGE_RETURN ? to - 1 : to
  }

  private takeHead(rest: Buffer): Buffer {
    const line = Buffer.concat([this.head.subarray(0, this.headBytes), rest])
    this.headBytes = 0
    if (this.head.length > HEAD_BYTES_KEPT) this.head = NO_BYTES
    return line
  }

  // Grows by doubling: a long line in tiny chunks costs neither an object a chunk nor a copy of all of it a chunk.
  private appendToHead(bytes: Buffer): void {
    const needed = this.headBytes + bytes.length
    if (needed > this.head.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.head.length, HEAD_BYTES_MIN))
      this.head.copy(grown, 0, 0, this.headBytes)
      this.head = grown
    }
    bytes.copy(this.head, this.headBytes)
    this.headBytes = needed
  }

  // Copies what is left of the chunk, so that the caller may reuse its memory.
  private keepTail(): undefined {
    const tail = this.chunk.subarray(this.cursor)
    this.cursor = this.chunk.length
    if (tail.length === 0) return undefined
    const carried = Math.min(tail.length, this.delimiter.length - 1)
    const settled = tail.length - carried
    if (settled > 0) {
      if (this.headBytes + settled > this.input.lineBytesMax) throw this.tooLong()
      this.appendToHead(tail.subarray(0, settled))
    }
    if (carried > 0) this.carry = Buffer.from(tail.subarray(settled))
    return undefined
  }

  private decode(bytes: Buffer, from: number, to: number, offset: number): string {
    if (this.isChunkAscii && bytes === this.chunk) return bytes.toString('latin1', from, to)
    let line = bytes.toString('utf8', from, to)
    // A replacement character may be in the input itself; only then is the exact check needed.
    if (line.includes(REPLACEMENT)) this.checkEncoding(line, bytes.subarray(from, to), offset)
    if (offset === 0 && line.startsWith(BYTE_ORDER_MARK)) line = line.slice(1)
    return line
  }

  private checkEncoding(line: string, bytes: Buffer, offset: number): void {
    if (isUtf8(bytes)) return
    const byteOffset = offset + firstInvalidByte(line, bytes)
    const { description, encodingErrors, logger } = this.input
    if (encodingErrors === 'fail') {
      throw new StreamError(
        'TEXT_INVALID',
        `${description}: the bytes at byte offset ${byteOffset} are not valid UTF-8; convert the input to UTF-8, or set encodingErrors to 'replace'`,
      )
    }
    if (this.replacedCount === 0) {
      logger.log(
        'warn',
        `${description}: invalid UTF-8 is replaced by U+FFFD; further places are counted, not logged`,
        {
          byteOffset,
        },
      )
    }
    this.replacedCount += countReplacements(line) - countEncodedReplacements(bytes)
  }

  private tooLong(): StreamError {
    const { description, lineBytesMax } = this.input
    return new StreamError(
      'LINE_TOO_LONG',
      `${description}: the line at byte offset ${this.lineOffset} is longer than ${lineBytesMax} bytes; check the line ends of the input, or raise lineBytesMax`,
    )
  }
}

/** Emits lines until the output is full or the bytes at hand are used up. */
export function emitLines(
  cutter: LineCutter,
  takeChunk: () => Uint8Array | undefined,
  output: SourceOutput<string>,
): 'full' | 'dry' {
  for (;;) {
    let line = cutter.next()
    while (line !== undefined) {
      if (!output.emit(line)) return 'full'
      line = cutter.next()
    }
    const chunk = takeChunk()
    if (chunk === undefined) return 'dry'
    cutter.push(chunk)
  }
}

/** Logs how many byte sequences a cutter replaced, where it was more than the one that is logged already. */
export function logReplacements(cutter: LineCutter, input: Pick<LineInput, 'description' | 'logger'>): void {
  if (cutter.replacements() < 2) return
  input.logger.log('warn', `${input.description}: invalid UTF-8 was replaced by U+FFFD`, {
    places: cutter.replacements(),
  })
}

// Everything before the first replaced sequence is valid, so the lengths of the characters before it add up to its offset.
function firstInvalidByte(line: string, bytes: Buffer): number {
  let offset = 0
  for (const character of line) {
    if (character === REPLACEMENT && !REPLACEMENT_BYTES.every((byte, index) => bytes[offset + index] === byte))
      return offset
    offset += Buffer.byteLength(character, 'utf8')
  }
  return offset
}

function countReplacements(line: string): number {
  let count = 0
  for (let at = line.indexOf(REPLACEMENT); at >= 0; at = line.indexOf(REPLACEMENT, at + 1)) count++
  return count
}

// 0xEF only ever begins a character, so these three bytes are that character wherever they stand.
function countEncodedReplacements(bytes: Buffer): number {
  const encoded = Buffer.from(REPLACEMENT_BYTES)
  let count = 0
  for (let at = bytes.indexOf(encoded); at >= 0; at = bytes.indexOf(encoded, at + encoded.length)) count++
  return count
}
