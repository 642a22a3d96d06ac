// Record path (bench/micro/value-codec.ts). The tagged codec: any plain value as bytes that say themselves what they are, so that a snapshot
// can be read without the job that wrote it. Snapshots outlive versions, so the bytes never change: golden values pin them in the spec.
import { type ByteReader, BytesCorruptError } from '../base/byte-reader.ts'
import type { ByteWriter } from '../base/byte-writer.ts'
import { unwritableError } from './unwritable-value.ts'
import {
  isTypedArrayPrototype,
  needBytes,
  type OtherTypedArray,
  readBigint,
  readBytes,
  readLatin1,
  readTypedArray,
  readUtf16,
  writeBigint,
  writeBytes,
  writeNumber,
  writeText,
  writeTypedArray,
} from './value-leaves.ts'
import * as Tag from './value-tags.ts'

/** Thrown where a value cannot be written; `writeValue`, which knows the whole value, makes the error of it. */
class Unwritable extends Error {
  readonly depth: number

  constructor(depth: number) {
    super('not writable')
    this.depth = depth
  }
}

/** The way to what is being written, as a ValuePath: kept at hand for the error alone, and never cleared. */
const path: (string | number)[] = []

/**
 * Appends a value as tagged bytes, in time linear in its size. It takes undefined, null, booleans, numbers, bigints, strings, Date,
 * Uint8Array and the other typed arrays, ArrayBuffer, and arrays, plain objects, Map and Set of these, 200 levels deep. Of an object the own enumerable fields with
 * string names count, in their order; holes of an array become undefined; an object reached twice is written twice, and read as two.
 * Throws STATE_NOT_SERIALIZABLE, and appends nothing, for everything else: it says where in the value it was found.
 */
export function writeValue(out: ByteWriter, value: unknown): void {
  const from = out.length
  try {
    write(out, value, 0)
  } catch (error) {
    out.truncate(from)
    if (error instanceof Unwritable) throw unwritableError(value, path.slice(0, error.depth))
    throw error
  }
}

/**
 * Reads a value that `writeValue` wrote, and moves on behind it. What it gives shares no memory with the input. Throws BytesCorruptError
 * for bytes that no value has; it never takes more memory than a small multiple of the bytes that are left.
 */
export function readValue(input: ByteReader): unknown {
  return read(input, 0)
}

function write(out: ByteWriter, value: unknown, depth: number): void {
  switch (typeof value) {
    case 'number':
      writeNumber(out, value)
      break
    case 'string':
      writeText(out, value)
      break
    case 'object':
      if (value === null) out.byte(Tag.NULL)
      else writeObject(out, value, depth)
      break
    case 'boolean':
      out.byte(value ? Tag.TRUE : Tag.FALSE)
      break
    case 'undefined':
      out.byte(Tag.UNDEFINED)
      break
    case 'bigint':
      writeBigint(out, value)
      break
    default:
      throw new Unwritable(depth)
  }
}

// By the prototype, not by instanceof: what extends a class would be read as an instance of the class alone.
function writeObject(out: ByteWriter, value: object, depth: number): void {
  if (depth >= Tag.NESTING_MAX) throw new Unwritable(depth)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype) {
    writeFields(out, value as Readonly<Record<string, unknown>>, true, depth)
  } else if (prototype === Array.prototype) writeArray(out, value as readonly unknown[], depth)
  else if (prototype === null) writeFields(out, value as Readonly<Record<string, unknown>>, false, depth)
  else if (prototype === Map.prototype) writeMap(out, value as ReadonlyMap<unknown, unknown>, depth)
  else if (prototype === Set.prototype) writeSet(out, value as ReadonlySet<unknown>, depth)
  else if (prototype === Date.prototype) {
    out.byte(Tag.DATE)
    out.float64((value as Date).getTime())
  } else if (prototype === Uint8Array.prototype) {
    out.byte(Tag.BYTES)
    writeBytes(out, value as Uint8Array)
  } else if (prototype === ArrayBuffer.prototype) {
    out.byte(Tag.ARRAY_BUFFER)
    writeBytes(out, new Uint8Array(value as ArrayBuffer))
  } else if (isTypedArrayPrototype(prototype)) writeTypedArray(out, prototype, value as OtherTypedArray)
  else throw new Unwritable(depth)
}

function writeFields(
  out: ByteWriter,
  record: Readonly<Record<string, unknown>>,
  hasPrototype: boolean,
  depth: number,
): void {
  const names = Object.keys(record)
  if (hasPrototype && names.length <= Tag.SHORT_COUNT_MAX) out.byte(Tag.SHORT_OBJECT + names.length)
  else {
    out.byte(hasPrototype ? Tag.OBJECT : Tag.BARE_OBJECT)
    out.varint(names.length)
  }
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string
    path[depth] = name
    writeText(out, name)
    write(out, record[name], depth + 1)
  }
}

function writeArray(out: ByteWriter, elements: readonly unknown[], depth: number): void {
  const { length } = elements
  if (length <= Tag.SHORT_COUNT_MAX) out.byte(Tag.SHORT_ARRAY + length)
  else {
    out.byte(Tag.ARRAY)
    out.varint(length)
  }
  for (let i = 0; i < length; i++) {
    path[depth] = i
    write(out, elements[i], depth + 1)
  }
}

function writeMap(out: ByteWriter, map: ReadonlyMap<unknown, unknown>, depth: number): void {
  out.byte(Tag.MAP)
  out.varint(map.size)
  let step = 0
  for (const [key, value] of map) {
    path[depth] = step++
    write(out, key, depth + 1)
    path[depth] = step++
    write(out, value, depth + 1)
  }
}

function writeSet(out: ByteWriter, set: ReadonlySet<unknown>, depth: number): void {
  out.byte(Tag.SET)
  out.varint(set.size)
  let step = 0
  for (const element of set) {
    path[depth] = step++
    write(out, element, depth + 1)
  }
}

function read(input: ByteReader, depth: number): unknown {
  const tag = input.byte()
  if (tag >= Tag.SMALL_INTEGER) return tag - Tag.SMALL_INTEGER + Tag.SMALL_MIN
  if (tag >= Tag.SHORT_OBJECT && tag <= Tag.SHORT_OBJECT + Tag.SHORT_COUNT_MAX) {
    return readFields(input, {}, tag - Tag.SHORT_OBJECT, depth)
  }
  if (tag >= Tag.SHORT_ARRAY && tag <= Tag.SHORT_ARRAY + Tag.SHORT_COUNT_MAX) {
    return readArray(input, tag - Tag.SHORT_ARRAY, depth)
  }
  if (tag >= Tag.SHORT_LATIN1 && tag < Tag.SHORT_ARRAY) return readLatin1(input, tag - Tag.SHORT_LATIN1)
  return readTagged(input, tag, depth)
}

function readTagged(input: ByteReader, tag: number, depth: number): unknown {
  switch (tag) {
    case Tag.UNDEFINED:
      return undefined
    case Tag.NULL:
      return null
    case Tag.FALSE:
      return false
    case Tag.TRUE:
      return true
    case Tag.INTEGER:
      return input.varint()
    case Tag.NEGATIVE:
      return -1 - input.varint()
    case Tag.FLOAT:
      return input.float64()
    case Tag.BIGINT:
      return readBigint(input)
    case Tag.NEGATIVE_BIGINT:
      return -1n - readBigint(input)
    case Tag.LATIN1:
      return readLatin1(input, input.varint())
    case Tag.UTF16:
      return readUtf16(input)
    case Tag.DATE:
      return new Date(input.float64())
    case Tag.BYTES:
      return readBytes(input)
    case Tag.TYPED_ARRAY:
      return readTypedArray(input)
    case Tag.ARRAY_BUFFER:
      return readBytes(input).buffer
    case Tag.ARRAY:
      return readArray(input, input.varint(), depth)
    case Tag.OBJECT:
      return readFields(input, {}, input.varint(), depth)
    case Tag.BARE_OBJECT:
      return readFields(input, Object.create(null) as Record<string, unknown>, input.varint(), depth)
    case Tag.MAP:
      return readMap(input, depth)
    case Tag.SET:
      return readSet(input, depth)
    default:
      throw new BytesCorruptError(`${tag} is no tag of a value`)
  }
}

// Every element has a byte at least, so a count that the bytes cannot hold is found before anything is made.
function enter(input: ByteReader, elements: number, depth: number): void {
  if (depth >= Tag.NESTING_MAX) throw new BytesCorruptError(`a value is nested deeper than ${Tag.NESTING_MAX} levels`)
  needBytes(input, elements)
}

function readFields(
  input: ByteReader,
  record: Record<string, unknown>,
  count: number,
  depth: number,
): Readonly<Record<string, unknown>> {
  enter(input, count * 2, depth)
  for (let i = 0; i < count; i++) {
    const name = readName(input)
    const value = read(input, depth + 1)
    // An assignment would set the prototype.
    if (name === '__proto__') {
      Object.defineProperty(record, name, { value, writable: true, enumerable: true, configurable: true })
    } else record[name] = value
  }
  return record
}

function readName(input: ByteReader): string {
  const name = read(input, Tag.NESTING_MAX)
  if (typeof name !== 'string') throw new BytesCorruptError('the name of a field is no string')
  return name
}

function readArray(input: ByteReader, count: number, depth: number): unknown[] {
  enter(input, count, depth)
  const elements: unknown[] = []
  for (let i = 0; i < count; i++) elements.push(read(input, depth + 1))
  return elements
}

function readMap(input: ByteReader, depth: number): Map<unknown, unknown> {
  const count = input.varint()
  enter(input, count * 2, depth)
  const map = new Map<unknown, unknown>()
  for (let i = 0; i < count; i++) {
    const key = read(input, depth + 1)
    map.set(key, read(input, depth + 1))
  }
  return map
}

function readSet(input: ByteReader, depth: number): Set<unknown> {
  const count = input.varint()
  enter(input, count, depth)
  const set = new Set<unknown>()
  for (let i = 0; i < count; i++) set.add(read(input, depth + 1))
  return set
}
