// Record path (bench/micro/key-hash.ts). The canonical encoding of keys: equal keys give equal bytes, and the order of bytes is the
// order of keys (by type first: null, booleans, numbers, bigints, strings by code point, bytes, tuples, objects as their sorted fields).
// No key's bytes begin another's, so other bytes may follow a key. It also gives the hash that decides the key group, so it may never change: golden values pin it in the spec.
import { ByteWriter } from '../base/byte-writer.ts'
import { preview, StreamError } from '../base/errors.ts'
import { finishHash, HASH_SEED, hashByte, hashBytes } from '../base/hash.ts'

const END = 0x00
const NULL = 0x01
const FALSE = 0x02
const TRUE = 0x03
const NUMBER = 0x04
const BIGINT = 0x05
const STRING = 0x06
const BYTES = 0x07
const TUPLE = 0x08
const OBJECT = 0x09
/** Stands before a byte 0 or 1 inside a text or byte sequence, which is then raised by one: END only ever ends, and order is kept. */
const ESCAPE = 0x01
const NESTING_MAX = 32

const double = new Float64Array(1)
const words = new Uint32Array(double.buffer)
const [HIGH, LOW] = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? [1, 0] : [0, 1]
const scratch = new ByteWriter()

/** The canonical bytes of a key. Throws KEY_INVALID for what cannot be a key (undefined, functions, symbols, class instances). */
export function encodeKey(key: unknown): Uint8Array {
  scratch.reset()
  write(scratch, key, 0)
  return scratch.copy()
}

/** The canonical bytes of a key as a string of one character per byte: what tables of composite keys go by. */
export function encodeKeyText(key: unknown): string {
  scratch.reset()
  write(scratch, key, 0)
  const bytes = scratch.view()
  let text = ''
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i] as number)
  return text
}

/** The hash of a key's canonical bytes as an unsigned 32-bit integer. Throws KEY_INVALID as `encodeKey`. */
export function hashKey(key: unknown): number {
  if (typeof key === 'string') return hashString(key)
  if (typeof key === 'number') return hashNumber(key)
  scratch.reset()
  write(scratch, key, 0)
  return hashBytes(scratch.view())
}

function hashString(text: string): number {
  let hash = hashByte(HASH_SEED, STRING)
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit <= ESCAPE || unit > 0x7f) return hashEncoded(text)
    hash = hashByte(hash, unit)
  }
  return finishHash(hashByte(hash, END))
}

function hashEncoded(text: string): number {
  scratch.reset()
  write(scratch, text, 0)
  return hashBytes(scratch.view())
}

function hashNumber(key: number): number {
  orderedDouble(key)
  let hash = hashByte(HASH_SEED, NUMBER)
  hash = hashWord(hash, words[HIGH] as number)
  return finishHash(hashWord(hash, words[LOW] as number))
}

function hashWord(hash: number, word: number): number {
  let folded = hashByte(hash, word >>> 24)
  folded = hashByte(folded, (word >>> 16) & 0xff)
  folded = hashByte(folded, (word >>> 8) & 0xff)
  return hashByte(folded, word & 0xff)
}

// Leaves in `words` the bits of a double so that unsigned comparison gives the order of numbers; -0 is 0, NaN comes last.
function orderedDouble(key: number): void {
  double[0] = key === 0 ? 0 : key
  if (Number.isNaN(key)) {
    words[HIGH] = 0xffffffff
    words[LOW] = 0xffffffff
  } else if ((words[HIGH] as number) >>> 31 === 1) {
    words[HIGH] = ~(words[HIGH] as number)
    words[LOW] = ~(words[LOW] as number)
  } else {
    words[HIGH] = ((words[HIGH] as number) | 0x80000000) >>> 0
  }
}

function write(out: ByteWriter, key: unknown, depth: number): void {
  switch (typeof key) {
    case 'string':
      out.byte(STRING)
      writeText(out, key)
      return
    case 'number':
      out.byte(NUMBER)
      orderedDouble(key)
      out.uint32BigEndian(words[HIGH] as number)
      out.uint32BigEndian(words[LOW] as number)
      return
    case 'boolean':
      out.byte(key ? TRUE : FALSE)
      return
    case 'bigint':
      out.byte(BIGINT)
      writeBigint(out, key)
      return
    case 'object':
      if (key === null) out.byte(NULL)
      else writeObject(out, key, depth)
      return
    default:
      throw new StreamError(
        'KEY_INVALID',
        `${preview(key)} cannot be a key; use null, a string, number, boolean, bigint, Uint8Array, or a tuple or plain object of them`,
      )
  }
}

function writeObject(out: ByteWriter, key: object, depth: number): void {
  if (depth >= NESTING_MAX)
    throw new StreamError(
      'KEY_INVALID',
      `a key is nested deeper than ${NESTING_MAX} levels (or contains itself); use a flatter key`,
    )
  if (key instanceof Uint8Array) {
    out.byte(BYTES)
    for (let i = 0; i < key.length; i++) writeEscaped(out, key[i] as number)
  } else if (Array.isArray(key)) {
    out.byte(TUPLE)
    for (const element of key) write(out, element, depth + 1)
  } else {
    const prototype: unknown = Object.getPrototypeOf(key)
    if (prototype !== Object.prototype && prototype !== null) {
      throw new StreamError(
        'KEY_INVALID',
        `an instance of ${key.constructor?.name || 'a class'} cannot be a key; ${mendOf(key)}`,
      )
    }
    out.byte(OBJECT)
    const record = key as Readonly<Record<string, unknown>>
    for (const field of Object.keys(record).sort(byCodePoint)) {
      write(out, field, depth + 1)
      write(out, record[field], depth + 1)
    }
  }
  out.byte(END)
}

function mendOf(key: object): string {
  if (key instanceof Promise) return 'let the key selector return the value itself, not a promise'
  return 'use a plain value of it, such as its id or getTime()'
}

// The order of strings here; the usual one goes by UTF-16 units, which puts the characters beyond U+FFFF too early.
function byCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const pointA = a.codePointAt(i) as number
    const pointB = b.codePointAt(i) as number
    if (pointA !== pointB) return pointA - pointB
  }
  return a.length - b.length
}

// UTF-8 by code point; a lone surrogate keeps its own three bytes, so that different strings never become equal.
function writeText(out: ByteWriter, text: string): void {
  for (let i = 0; i < text.length; i++) {
    const point = text.codePointAt(i) as number
    if (point > 0xffff) i++
    if (point < 0x80) writeEscaped(out, point)
    else if (point < 0x800) {
      out.byte(0xc0 | (point >> 6))
      out.byte(0x80 | (point & 0x3f))
    } else {
      if (point < 0x10000) out.byte(0xe0 | (point >> 12))
      else {
        out.byte(0xf0 | (point >> 18))
        out.byte(0x80 | ((point >> 12) & 0x3f))
      }
      out.byte(0x80 | ((point >> 6) & 0x3f))
      out.byte(0x80 | (point & 0x3f))
    }
  }
  out.byte(END)
}

function writeEscaped(out: ByteWriter, byte: number): void {
  if (byte > ESCAPE) out.byte(byte)
  else {
    out.byte(ESCAPE)
    out.byte(byte + 1)
  }
}

// Sign, then the number of magnitude bytes, then the magnitude; complemented for negatives so that larger magnitudes sort first.
function writeBigint(out: ByteWriter, value: bigint): void {
  out.byte(value < 0n ? 0 : value === 0n ? 1 : 2)
  if (value === 0n) return
  const flip = value < 0n ? 0xff : 0
  const hex = (value < 0n ? -value : value).toString(16)
  const digits = hex.length % 2 === 0 ? hex : `0${hex}`
  const byteCount = digits.length / 2
  for (let shift = 24; shift >= 0; shift -= 8) out.byte(((byteCount >>> shift) & 0xff) ^ flip)
  for (let i = 0; i < digits.length; i += 2) out.byte(Number.parseInt(digits.slice(i, i + 2), 16) ^ flip)
}
