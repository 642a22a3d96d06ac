// UTF-8 without TextEncoder, which the pure folders do not have. Strict when it reads: what is not UTF-8 was damaged, or is something else.
import { BytesCorruptError } from './byte-reader.ts'

const REPLACEMENT = 0xfffd
/** How many arguments a call takes at once. */
const UNITS_AT_ONCE = 4096

/** The UTF-8 of a text; a lone surrogate, which UTF-8 does not know, becomes U+FFFD, as TextEncoder does. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(utf8Length(text))
  let at = 0
  for (let i = 0; i < text.length; i++) {
    const point = scalarAt(text, i)
    if (point < 0x80) {
      bytes[at++] = point
      continue
    }
    if (point < 0x800) bytes[at++] = 0xc0 | (point >> 6)
    else {
      if (point < 0x10000) bytes[at++] = 0xe0 | (point >> 12)
      else {
        i++
        bytes[at++] = 0xf0 | (point >> 18)
        bytes[at++] = 0x80 | ((point >> 12) & 0x3f)
      }
      bytes[at++] = 0x80 | ((point >> 6) & 0x3f)
    }
    bytes[at++] = 0x80 | (point & 0x3f)
  }
  return bytes
}

/** The text of UTF-8 bytes, a byte order mark included. Throws BytesCorruptError for bytes that are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  const units = new Uint16Array(Math.min(bytes.length, UNITS_AT_ONCE))
  let text = ''
  let count = 0
  for (let at = 0; at < bytes.length; ) {
    // The longest character is two units.
    if (count + 2 > units.length && count > 0) {
      text += textOf(units, count)
      count = 0
    }
    const first = bytes[at] as number
    const size = sizeOf(first)
    const point = size === 1 ? first : pointAt(bytes, at, size)
    at += size
    if (point < 0x10000) units[count++] = point
    else {
      units[count++] = 0xd800 | ((point - 0x10000) >> 10)
      units[count++] = 0xdc00 | (point & 0x3ff)
    }
  }
  return text + textOf(units, count)
}

function utf8Length(text: string): number {
  let length = 0
  for (let i = 0; i < text.length; i++) {
    const point = scalarAt(text, i)
    if (point > 0xffff) i++
    length += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4
  }
  return length
}

function scalarAt(text: string, index: number): number {
  const point = text.codePointAt(index) as number
  return point >= 0xd800 && point <= 0xdfff ? REPLACEMENT : point
}

// 0 for a byte that begins no character.
function sizeOf(first: number): number {
  if (first < 0x80) return 1
  if (first < 0xc2) return 0
  if (first < 0xe0) return 2
  if (first < 0xf0) return 3
  return first < 0xf5 ? 4 : 0
}

function pointAt(bytes: Uint8Array, at: number, size: number): number {
  if (size === 0 || at + size > bytes.length) throw notUtf8(at)
  let point = (bytes[at] as number) & (0xff >> (size + 1))
  for (let i = 1; i < size; i++) {
    const byte = bytes[at + i] as number
    if ((byte & 0xc0) !== 0x80) throw notUtf8(at)
    point = (point << 6) | (byte & 0x3f)
  }
  // Longer than need be (two bytes too long are ruled out by the first), a surrogate, or beyond Unicode.
  const least = size === 2 ? 0x80 : size === 3 ? 0x800 : 0x10000
  if (point < least || (point >= 0xd800 && point <= 0xdfff) || point > 0x10ffff) throw notUtf8(at)
  return point
}

function notUtf8(at: number): BytesCorruptError {
  return new BytesCorruptError(`what begins at byte ${at} is not UTF-8`)
}

function textOf(units: Uint16Array, count: number): string {
  return String.fromCharCode.apply(null, units.subarray(0, count) as unknown as number[])
}
