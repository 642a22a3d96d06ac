// Where the rows of each part and key group are in a segment. The index stands behind the sections, with a checksum of its own, and a footer
// of fixed length at the end of the file says where it begins.
import { ByteReader, BytesCorruptError } from '../../base/byte-reader.ts'
import { ByteWriter } from '../../base/byte-writer.ts'
import { crc32 } from '../../base/crc32.ts'
import { StreamError } from '../../base/errors.ts'
import { decodeUtf8, encodeUtf8 } from '../../base/utf8.ts'
import type { PartKind } from '../../state/state-part.ts'
import { checksumText, damagedError } from './damaged.ts'
import { SNAPSHOT_FORMAT } from './manifest.ts'

/** The rows of one key group of one part. */
export interface IndexedSection {
  /** -1 for parts that are not keyed. */
  readonly keyGroup: number
  readonly offset: number
  readonly bytes: number
  readonly rows: number
  readonly checksum: number
}

/** A part of an operator in a segment. */
export interface IndexedPart {
  readonly uid: string
  readonly part: string
  readonly kind: PartKind
  readonly isFull: boolean
  /** One after the other in the file, by key group. */
  readonly sections: readonly IndexedSection[]
}

const MAGIC = encodeUtf8('MILLRACE')
const END_MAGIC = encodeUtf8('ECARLLIM')
const KINDS: readonly PartKind[] = ['keyed', 'list', 'union', 'broadcast']
/** Magic and format version. */
export const HEADER_BYTES = MAGIC.length + 4
/** Place, length and checksum of the index, and a magic. */
export const FOOTER_BYTES = 8 + 4 + 4 + END_MAGIC.length

/** What stands at the beginning of a segment. */
export function segmentHeader(): Uint8Array {
  const out = new ByteWriter(HEADER_BYTES)
  out.raw(MAGIC)
  out.uint32(SNAPSHOT_FORMAT)
  return out.copy()
}

/** The index and the footer behind it; `checksum` is that of header and index. */
export function encodeIndex(
  parts: readonly IndexedPart[],
  header: Uint8Array,
  offset: number,
): { readonly bytes: Uint8Array; readonly checksum: number } {
  const out = new ByteWriter(1024)
  out.varint(parts.length)
  for (const part of parts) writePart(part, out)
  const length = out.length
  const checksum = crc32(out.view(), crc32(header))
  out.float64(offset)
  out.uint32(length)
  out.uint32(checksum)
  out.raw(END_MAGIC)
  return { bytes: out.copy(), checksum }
}

/** Where a footer says that the index is. Throws SNAPSHOT_DAMAGED unless index and footer end where the file ends. */
export function readFooter(
  footer: Uint8Array,
  file: string,
  bytes: number,
): { readonly offset: number; readonly length: number; readonly checksum: number } {
  const reader = new ByteReader(footer)
  const offset = reader.float64()
  const length = reader.uint32()
  const checksum = reader.uint32()
  const isWhole = Number.isInteger(offset) && offset >= HEADER_BYTES && offset + length + FOOTER_BYTES === bytes
  if (!isWhole || !isEqual(reader.raw(END_MAGIC.length), END_MAGIC))
    throw damagedError({
      file,
      found: `a footer that puts ${length} bytes of index at ${offset}`,
      expected: `one whose index ends ${FOOTER_BYTES} bytes before the end of the ${bytes} bytes`,
    })
  return { offset, length, checksum }
}

/** Reads an index whose checksum must be the given one. Throws SNAPSHOT_DAMAGED, SNAPSHOT_VERSION. */
export function decodeIndex(index: Uint8Array, header: Uint8Array, file: string, checksum: number): IndexedPart[] {
  const actual = crc32(index, crc32(header))
  if (actual !== checksum)
    throw damagedError({
      file,
      found: `checksum ${checksumText(actual)} of its index`,
      expected: checksumText(checksum),
    })
  checkHeader(header, file)
  try {
    const reader = new ByteReader(index)
    return Array.from({ length: reader.varint() }, () => readPart(reader))
  } catch (error) {
    if (!(error instanceof BytesCorruptError)) throw error
    throw damagedError({ file, found: `an index that ends too early`, expected: 'a whole one', cause: error })
  }
}

function checkHeader(header: Uint8Array, file: string): void {
  const reader = new ByteReader(header)
  if (!isEqual(reader.raw(MAGIC.length), MAGIC))
    throw damagedError({ file, found: 'another kind of file', expected: 'a segment of a Millrace snapshot' })
  const format = reader.uint32()
  if (format > SNAPSHOT_FORMAT) throw versionError(file, format)
}

/** SNAPSHOT_VERSION: the file was written by a later version of Millrace. */
export function versionError(file: string, format: number): StreamError {
  return new StreamError(
    'SNAPSHOT_VERSION',
    `${file} has snapshot format ${format}, and this version of Millrace reads formats up to ${SNAPSHOT_FORMAT}; run the job with the version that wrote it or a later one`,
  )
}

function writePart(part: IndexedPart, out: ByteWriter): void {
  writeText(part.uid, out)
  writeText(part.part, out)
  out.byte(KINDS.indexOf(part.kind))
  out.byte(part.isFull ? 1 : 0)
  out.varint(part.sections.length)
  for (const section of part.sections) {
    out.varint(section.keyGroup + 1)
    out.varint(section.offset)
    out.varint(section.bytes)
    out.varint(section.rows)
    out.uint32(section.checksum)
  }
}

function readPart(reader: ByteReader): IndexedPart {
  const uid = readText(reader)
  const part = readText(reader)
  const kind = KINDS[reader.byte()]
  if (kind === undefined) throw new BytesCorruptError('a part has an unknown kind')
  const isFull = reader.byte() === 1
  const sections = Array.from({ length: reader.varint() }, () => readSectionEntry(reader))
  return { uid, part, kind, isFull, sections }
}

function readSectionEntry(reader: ByteReader): IndexedSection {
  const keyGroup = reader.varint() - 1
  const offset = reader.varint()
  const bytes = reader.varint()
  const rows = reader.varint()
  return { keyGroup, offset, bytes, rows, checksum: reader.uint32() }
}

function writeText(text: string, out: ByteWriter): void {
  const bytes = encodeUtf8(text)
  out.varint(bytes.length)
  out.raw(bytes)
}

function readText(reader: ByteReader): string {
  return decodeUtf8(reader.raw(reader.varint()))
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
