// A manifest as text that people can read, with a first line that tells a whole one from a damaged one. The first line keeps its form over
// all formats.
import { crc32 } from '../../base/crc32.ts'
import { decodeUtf8, encodeUtf8 } from '../../base/utf8.ts'
import { checksumText, damagedError } from './damaged.ts'
import type { Manifest } from './manifest.ts'
import { SNAPSHOT_FORMAT } from './manifest.ts'
import { versionError } from './segment-index.ts'

const LINE_FEED = 10
const FIRST_LINE_BYTES_MAX = 100
const FIRST_LINE = /^millrace snapshot (\d{1,9}) crc32 [0-9a-f]{8} bytes \d+$/

/** The bytes of a manifest. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const json = encodeUtf8(`${JSON.stringify(manifest, undefined, 1)}\n`)
  const first = encodeUtf8(`${firstLine(manifest.format, json)}\n`)
  const bytes = new Uint8Array(first.length + json.length)
  bytes.set(first)
  bytes.set(json, first.length)
  return bytes
}

/** Reads a manifest. Throws SNAPSHOT_DAMAGED unless every byte is as written, and SNAPSHOT_VERSION for a later format. */
export function decodeManifest(bytes: Uint8Array, file: string): Manifest {
  const end = bytes.subarray(0, FIRST_LINE_BYTES_MAX).indexOf(LINE_FEED)
  const line = end < 0 ? '' : String.fromCharCode(...bytes.subarray(0, end))
  const match = FIRST_LINE.exec(line)
  if (match === null) {
    throw damagedError({
      file,
      found: `${bytes.length} bytes that do not begin as a manifest does`,
      expected: 'a first line "millrace snapshot <format> crc32 <checksum> bytes <length>"',
    })
  }
  const format = Number(match[1])
  const json = bytes.subarray(end + 1)
  const actual = firstLine(format, json)
  if (line !== actual) throw damagedError({ file, found: `what would be "${actual}"`, expected: `"${line}"` })
  if (format > SNAPSHOT_FORMAT) throw versionError(file, format)
  return parse(json, file)
}

// The checksum is over the format too: a bit flip there must not pass for a later version.
function firstLine(format: number, json: Uint8Array): string {
  const begin = `millrace snapshot ${format}`
  return `${begin} crc32 ${checksumText(crc32(json, crc32(encodeUtf8(begin))))} bytes ${json.length}`
}

function parse(json: Uint8Array, file: string): Manifest {
  try {
    const manifest = JSON.parse(decodeUtf8(json)) as Partial<Manifest> | null
    if (typeof manifest?.job === 'string' && Number.isSafeInteger(manifest.id) && Array.isArray(manifest.operators))
      return manifest as Manifest
  } catch (error) {
    throw damagedError({ file, found: 'what is not JSON', expected: 'a manifest', cause: error })
  }
  throw damagedError({ file, found: 'other JSON', expected: 'a manifest with job, id and operators' })
}
