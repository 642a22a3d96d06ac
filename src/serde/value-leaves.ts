// Record path (bench/micro/value-codec.ts). What of the tagged codec holds no other values: numbers, bigints, texts, bytes.
import { type ByteReader, BytesCorruptError } from '../base/byte-reader.ts'
import { ByteWriter } from '../base/byte-writer.ts'
import {
  BIGINT,
  FLOAT,
  INTEGER,
  LATIN1,
  NEGATIVE,
  NEGATIVE_BIGINT,
  SHORT_LATIN1,
  SHORT_LATIN1_LENGTH_MAX,
  SMALL_INTEGER,
  SMALL_MAX,
  SMALL_MIN,
  TYPED_ARRAY,
  UTF16,
} from './value-tags.ts'

const LATIN1_MAX = 0xff
/** How many arguments a call takes at once. */
const UNITS_AT_ONCE = 4096
/** Texts up to here are read unit by unit: a call on an array of units costs more than it saves. */
const SHORT_UNITS = 64
/** V8 has no bigint of more than 2^30 bits. */
const BIGINT_BYTES_MAX = 2 ** 27
const IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

/** A typed array other than Uint8Array. */
export type OtherTypedArray =
  | Int8Array<ArrayBufferLike>
  | Uint8ClampedArray<ArrayBufferLike>
  | Int16Array<ArrayBufferLike>
  | Uint16Array<ArrayBufferLike>
  | Int32Array<ArrayBufferLike>
  | Uint32Array<ArrayBufferLike>
  | Float32Array<ArrayBufferLike>
  | Float64Array<ArrayBufferLike>
  | BigInt64Array<ArrayBufferLike>
  | BigUint64Array<ArrayBufferLike>

/** By the byte that stands for the type in the snapshot format: types may only be added at the end. */
const TYPED_ARRAYS = [
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as const
const TYPES = new Map<unknown, number>(TYPED_ARRAYS.map((type, index) => [type.prototype, index]))

/** Writes any number, with its tag. */
export function writeNumber(out: ByteWriter, value: number): void {
  // Adding 0 makes 0 of -0, which has to keep its sign.
  if (!Number.isSafeInteger(value) || (value === 0 && 1 / value < 0)) {
    out.byte(FLOAT)
    out.float64(value)
  } else if (value >= SMALL_MIN && value <= SMALL_MAX) out.byte(SMALL_INTEGER - SMALL_MIN + value)
  else if (value >= 0) {
    out.byte(INTEGER)
    out.varint(value)
  } else {
    out.byte(NEGATIVE)
    out.varint(-1 - value)
  }
}

/** The most bytes that a number takes. */
export const NUMBER_BYTES_MAX = 9

/** As `writeNumber`, straight into bytes that have room for it; returns the position behind it. */
export function putNumber(bytes: Uint8Array, position: number, value: number): number {
  const whole = value | 0
  if (whole !== value || whole < SMALL_MIN || (whole === 0 && 1 / value < 0)) return putUnusual(bytes, position, value)
  let at = position
  if (whole <= SMALL_MAX) {
    bytes[at++] = SMALL_INTEGER - SMALL_MIN + whole
    return at
  }
  bytes[at++] = INTEGER
  let rest = whole
  for (; rest >= 0x80; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80
  bytes[at++] = rest
  return at
}

function putUnusual(bytes: Uint8Array, position: number, value: number): number {
  unusual.reset()
  writeNumber(unusual, value)
  bytes.set(unusual.view(), position)
  return position + unusual.length
}

const unusual = new ByteWriter(16)

/** Writes any string, with its tag: as Latin-1 until a unit does not fit, then anew as UTF-16. */
export function writeText(out: ByteWriter, text: string): void {
  const { length } = text
  const from = out.length
  if (length <= SHORT_LATIN1_LENGTH_MAX) out.byte(SHORT_LATIN1 + length)
  else {
    out.byte(LATIN1)
    out.varint(length)
  }
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > LATIN1_MAX) {
      out.truncate(from)
      writeUtf16(out, text)
      return
    }
    out.byte(unit)
  }
}

function writeUtf16(out: ByteWriter, text: string): void {
  out.byte(UTF16)
  out.varint(text.length)
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    out.byte(unit & 0xff)
    out.byte(unit >>> 8)
  }
}

/** Reads so many Latin-1 units. */
export function readLatin1(input: ByteReader, length: number): string {
  if (length > SHORT_UNITS) return textOf(input.raw(length))
  needBytes(input, length)
  let text = ''
  let rest = length
  // 1.4x over one unit at a time, bench/micro/value-codec.ts.
  for (; rest >= 4; rest -= 4) text += String.fromCharCode(input.byte(), input.byte(), input.byte(), input.byte())
  for (; rest > 0; rest--) text += String.fromCharCode(input.byte())
  return text
}

/** Reads a length and so many UTF-16 units. */
export function readUtf16(input: ByteReader): string {
  const length = input.varint()
  if (length <= SHORT_UNITS) {
    needBytes(input, length * 2)
    let text = ''
    // 3x over an array of units, bench/micro/value-codec.ts.
    for (let i = 0; i < length; i++) text += String.fromCharCode(input.byte() | (input.byte() << 8))
    return text
  }
  const bytes = input.raw(length * 2)
  const units = new Uint16Array(length)
  for (let i = 0; i < length; i++) units[i] = (bytes[2 * i] as number) | ((bytes[2 * i + 1] as number) << 8)
  return textOf(units)
}

function textOf(units: Uint8Array | Uint16Array): string {
  let text = ''
  for (let from = 0; from < units.length; from += UNITS_AT_ONCE) {
    const some = units.subarray(from, from + UNITS_AT_ONCE)
    text += String.fromCharCode.apply(null, some as unknown as number[])
  }
  return text
}

/** Writes any bigint, with its tag. */
export function writeBigint(out: ByteWriter, value: bigint): void {
  out.byte(value < 0n ? NEGATIVE_BIGINT : BIGINT)
  const hex = (value < 0n ? -1n - value : value).toString(16)
  const digits = hex.length % 2 === 0 ? hex : `0${hex}`
  out.varint(digits.length / 2)
  for (let i = digits.length - 2; i >= 0; i -= 2) out.byte(Number.parseInt(digits.slice(i, i + 2), 16))
}

/** Reads what follows the tag of a bigint from 0. */
export function readBigint(input: ByteReader): bigint {
  const bytes = input.raw(input.varint())
  if (bytes.length > BIGINT_BYTES_MAX) throw new BytesCorruptError(`a bigint of ${bytes.length} bytes cannot be`)
  let hex = '0x0'
  for (let i = bytes.length - 1; i >= 0; i--) hex += (bytes[i] as number).toString(16).padStart(2, '0')
  return BigInt(hex)
}

/** Writes a length and bytes. */
export function writeBytes(out: ByteWriter, bytes: Uint8Array): void {
  out.varint(bytes.length)
  out.raw(bytes)
}

/** Reads a length and bytes, as a copy that nothing else changes. */
export function readBytes(input: ByteReader): Uint8Array<ArrayBuffer> {
  return readCopy(input, input.varint())
}

// Not raw().slice(): the input may be a Node Buffer, whose slices share its memory.
function readCopy(input: ByteReader, length: number): Uint8Array<ArrayBuffer> {
  const bytes = input.raw(length)
  const copy = new Uint8Array(length)
  copy.set(bytes)
  return copy
}

/** True for the prototypes of the typed arrays that `writeTypedArray` takes. */
export function isTypedArrayPrototype(prototype: unknown): boolean {
  return TYPES.has(prototype)
}

/** Writes a typed array, with its tag. */
export function writeTypedArray(out: ByteWriter, prototype: unknown, array: OtherTypedArray): void {
  out.byte(TYPED_ARRAY)
  out.byte(TYPES.get(prototype) as number)
  out.varint(array.length)
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
  out.raw(IS_LITTLE_ENDIAN ? bytes : reversed(bytes.slice(), array.BYTES_PER_ELEMENT))
}

/** Reads what follows the tag of a typed array. */
export function readTypedArray(input: ByteReader): OtherTypedArray {
  const index = input.byte()
  const type = TYPED_ARRAYS[index]
  if (type === undefined) throw new BytesCorruptError(`${index} is no type of array`)
  const bytes = readCopy(input, input.varint() * type.BYTES_PER_ELEMENT)
  return new type((IS_LITTLE_ENDIAN ? bytes : reversed(bytes, type.BYTES_PER_ELEMENT)).buffer)
}

// For the few machines that are big-endian.
function reversed(bytes: Uint8Array<ArrayBuffer>, bytesPerElement: number): Uint8Array<ArrayBuffer> {
  for (let i = 0; i < bytes.length; i += bytesPerElement) bytes.subarray(i, i + bytesPerElement).reverse()
  return bytes
}

/** Throws BytesCorruptError unless so many bytes are left. */
export function needBytes(input: ByteReader, bytes: number): void {
  const left = input.end - input.position
  if (bytes > left) throw new BytesCorruptError(`${bytes} bytes are expected where ${left} are left`)
}
