// The files of a job directory, as a test harms them and looks whether they are all there still.
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { segmentFiles } from '../../../../src/recovery/snapshot/garbage.ts'
import type { Manifest } from '../../../../src/recovery/snapshot/manifest.ts'
import { decodeManifest } from '../../../../src/recovery/snapshot/manifest-text.ts'

/** Where the manifests are. */
export const CHECKPOINTS = 'checkpoints'

/** Puts a copy of a directory in the place of another. */
export function replaceDirectory(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true })
  cpSync(from, to, { recursive: true })
}

/** The files of snapshots in a job directory, by their paths in it. */
export function snapshotFiles(directory: string): ReadonlyMap<string, Uint8Array> {
  const paths = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()
  const isOfSnapshot = (path: string): boolean =>
    /^(checkpoints|segments)\//.test(path) && statSync(join(directory, path)).isFile()
  return new Map(paths.filter(isOfSnapshot).map(path => [path, new Uint8Array(readFileSync(join(directory, path)))]))
}

/** The files that each checkpoint needs, by its id. */
export function filesOfCheckpoints(directory: string): ReadonlyMap<number, ReadonlySet<string>> {
  const needed = new Map<number, ReadonlySet<string>>()
  for (const [path, bytes] of snapshotFiles(directory)) {
    if (!path.startsWith(CHECKPOINTS)) continue
    const manifest: Manifest = decodeManifest(bytes, path)
    needed.set(manifest.id, new Set([path, ...segmentFiles(manifest)]))
  }
  return needed
}

/** What may have become of a file; `other` is another one of its kind. */
export interface Damage {
  readonly name: string
  /** The bytes that are there instead; undefined: the file is gone. */
  readonly harm: (bytes: Uint8Array, other: Uint8Array) => Uint8Array | undefined
}

const flip =
  (place: (length: number) => number): Damage['harm'] =>
  bytes => {
    const harmed = bytes.slice()
    const index = place(bytes.length)
    harmed[index] = (harmed[index] as number) ^ 0x10
    return harmed
  }

/** Each kind of damage. */
export const DAMAGES: readonly Damage[] = [
  { name: 'missing', harm: () => undefined },
  { name: 'empty', harm: () => new Uint8Array(0) },
  { name: 'cut in half', harm: bytes => bytes.slice(0, bytes.length / 2) },
  { name: 'cut by a byte', harm: bytes => bytes.slice(0, -1) },
  { name: 'longer by a byte', harm: bytes => new Uint8Array([...bytes, 0]) },
  { name: 'another file copied over it', harm: (_bytes, other) => other },
  { name: 'zeros', harm: bytes => new Uint8Array(bytes.length) },
  { name: 'a bit of its first byte flipped', harm: flip(() => 0) },
  { name: 'a bit of its first rows flipped', harm: flip(() => 16) },
  { name: 'a bit in its third flipped', harm: flip(length => Math.floor(length / 3)) },
  { name: 'a bit in its middle flipped', harm: flip(length => Math.floor(length / 2)) },
  { name: 'a bit of its last byte flipped', harm: flip(length => length - 1) },
]

/** Does damage to a file of a directory. */
export function doDamage(directory: string, path: string, { harm }: Damage, other: Uint8Array): void {
  const full = join(directory, path)
  const harmed = harm(new Uint8Array(readFileSync(full)), other)
  if (harmed === undefined) rmSync(full)
  else writeFileSync(full, harmed)
}
