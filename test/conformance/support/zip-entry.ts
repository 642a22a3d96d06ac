// Reads one file out of a zip archive, as wheels of Python are. Archives above 4 GiB and encrypted ones are not read.
import { readFileSync } from 'node:fs'
import { inflateRawSync } from 'node:zlib'

const END_SIGNATURE = 0x06054b50
const ENTRY_SIGNATURE = 0x02014b50
const END_BYTES = 22
const ENTRY_BYTES = 46
const LOCAL_BYTES = 30
const STORED = 0
const DEFLATED = 8

/** The text of a file in the archive. Throws when there is none of that name. */
export function zipEntry(archive: string, name: string): string {
  const bytes = readFileSync(archive)
  const directory = endOfDirectory(bytes)
  let at = bytes.readUInt32LE(directory + 16)
  for (let left = bytes.readUInt16LE(directory + 10); left > 0; left--) {
    if (bytes.readUInt32LE(at) !== ENTRY_SIGNATURE) throw new Error(`${archive}: no entry at byte ${at}`)
    const nameBytes = bytes.readUInt16LE(at + 28)
    if (bytes.toString('utf8', at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes) === name) return content(bytes, at)
    at += ENTRY_BYTES + nameBytes + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32)
  }
  throw new Error(`${archive} has no file ${name}`)
}

/** A comment of any length may follow the end record, so it is looked for from behind. */
function endOfDirectory(bytes: Buffer): number {
  for (let at = bytes.length - END_BYTES; at >= 0; at--) if (bytes.readUInt32LE(at) === END_SIGNATURE) return at
  throw new Error('no zip archive')
}

function content(bytes: Buffer, entry: number): string {
  const method = bytes.readUInt16LE(entry + 10)
  const packedBytes = bytes.readUInt32LE(entry + 20)
  const local = bytes.readUInt32LE(entry + 42)
  const start = local + LOCAL_BYTES + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28)
  const packed = bytes.subarray(start, start + packedBytes)
  if (method === STORED) return packed.toString('utf8')
  if (method === DEFLATED) return inflateRawSync(packed).toString('utf8')
  throw new Error(`a zip entry packed with method ${method}`)
}
