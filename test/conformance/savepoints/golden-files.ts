// How goldens are kept beside the job that they are of: all files of a snapshot packed into one, and the results of before and after as text.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { FileTree, Golden } from './golden-run.ts'

/** A golden with what comes of it. */
export interface StoredGolden extends Golden {
  /** What a job that goes on from it commits, what was prepared included; sorted. */
  readonly after: readonly string[]
}

const LINE_FEED = 10

/** The formats of which goldens are kept: each has a folder with its job and its snapshots. */
export const FORMATS: readonly number[] = [1]

/** The folder of a format. */
export function formatFolder(format: number): string {
  return join(import.meta.dirname, `format-${format}`)
}

/** Reads what `writeGolden` wrote. */
export function readGolden(format: number, name: string): StoredGolden {
  const { packed, before, after } = pathsOf(format, name)
  return { files: unpack(gunzipSync(readFileSync(packed))), before: readLines(before), after: readLines(after) }
}

/** Writes a golden. Throws when there is one of that name: those that are there stay as they are. */
export function writeGolden(format: number, name: string, golden: StoredGolden): void {
  const { packed, before, after } = pathsOf(format, name)
  mkdirSync(dirname(packed), { recursive: true })
  writeFileSync(packed, gzipSync(pack(golden.files), { level: 9 }), { flag: 'wx' })
  writeFileSync(before, golden.before.map(line => `${line}\n`).join(''), { flag: 'wx' })
  writeFileSync(after, golden.after.map(line => `${line}\n`).join(''), { flag: 'wx' })
}

/** Writes the files of a golden below a directory, to look into them with `millrace inspect`. */
export function unpackGolden(format: number, name: string, directory: string): void {
  for (const [path, bytes] of readGolden(format, name).files) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), bytes)
  }
}

/** Files one behind the other, each after a line with its path as JSON and its length. */
export function pack(files: FileTree): Uint8Array {
  const pieces = [...files].flatMap(([path, bytes]) => [
    Buffer.from(`${JSON.stringify([path, bytes.length])}\n`),
    bytes,
  ])
  return new Uint8Array(Buffer.concat(pieces))
}

/** The files of `pack`. */
export function unpack(packed: Uint8Array): FileTree {
  const files = new Map<string, Uint8Array>()
  for (let position = 0; position < packed.length; ) {
    const end = packed.indexOf(LINE_FEED, position)
    const [path, length] = JSON.parse(new TextDecoder().decode(packed.subarray(position, end))) as [string, number]
    position = end + 1 + length
    files.set(path, packed.slice(end + 1, position))
  }
  return files
}

function pathsOf(
  format: number,
  name: string,
): { readonly packed: string; readonly before: string; readonly after: string } {
  const path = join(formatFolder(format), 'golden', name)
  return { packed: `${path}.snapshot.gz`, before: `${path}.before.txt`, after: `${path}.after.txt` }
}

function readLines(path: string): readonly string[] {
  return readFileSync(path, 'utf8').trimEnd().split('\n')
}
