// Savepoints: a manifest with copies of all its segments in a storage of their own, so that they can be moved, and outlive the job.
import { StreamError } from '../../base/errors.ts'
import type { Storage } from '../../base/storage.ts'
import { SAVEPOINT_MANIFEST } from './checkpoint-names.ts'
import type { Manifest, ManifestPart, SegmentRef } from './manifest.ts'
import { decodeManifest, encodeManifest } from './manifest-text.ts'
import { type RowsWanted, readRows, type VisitRow } from './read-rows.ts'
import { noPause, type Pause } from './segment.ts'
import { SegmentReader } from './segment-reader.ts'

/** A savepoint that can be started from. */
export interface Savepoint {
  readonly manifest: Manifest
  readRows(part: ManifestPart, wanted: RowsWanted, visit: VisitRow): Promise<void>
}

/** Copies segments into another storage; each is checked as a whole. Throws SNAPSHOT_DAMAGED. */
export async function copySegments(
  from: Storage,
  to: Storage,
  manifest: Manifest,
  nameOf: (file: string) => string = file => file,
  pause: Pause = noPause,
): Promise<void> {
  const reader = new SegmentReader(from, pause)
  for (const ref of distinctSegments(manifest)) {
    const bytes = await reader.readAll(ref)
    const name = nameOf(ref.file)
    // An earlier try that failed may have left it.
    await to.remove(name)
    await to.put(name, bytes)
  }
}

/** Writes a savepoint into a storage that holds none. Throws STORAGE_FAILED when it holds one, SNAPSHOT_DAMAGED when the copy would be. */
export async function writeSavepoint(
  source: Storage,
  target: Storage,
  manifest: Manifest,
  pause: Pause = noPause,
): Promise<void> {
  if ((await target.list(SAVEPOINT_MANIFEST)).length > 0) {
    throw new StreamError(
      'STORAGE_FAILED',
      `${target.description} holds a savepoint already (${SAVEPOINT_MANIFEST}); choose a place that holds none`,
    )
  }
  await copySegments(source, target, manifest, undefined, pause)
  await target.put(SAVEPOINT_MANIFEST, encodeManifest({ ...manifest, kind: 'savepoint' }))
}

/** Opens a savepoint, having checked that all its segments are there. Throws SNAPSHOT_NOT_FOUND, SNAPSHOT_DAMAGED, SNAPSHOT_VERSION. */
export async function readSavepoint(source: Storage, pause: Pause = noPause): Promise<Savepoint> {
  const bytes = await source.get(SAVEPOINT_MANIFEST)
  if (bytes === undefined) {
    throw new StreamError(
      'SNAPSHOT_NOT_FOUND',
      `${source.description} holds no ${SAVEPOINT_MANIFEST}; give the directory of a savepoint`,
    )
  }
  const manifest = decodeManifest(bytes, SAVEPOINT_MANIFEST)
  const reader = new SegmentReader(source, pause)
  await checkSegments(reader, manifest)
  return { manifest, readRows: (part, wanted, visit) => readRows(reader, part, wanted, visit) }
}

/** Checks that every segment of a manifest is there with its size and index. Throws SNAPSHOT_DAMAGED, SNAPSHOT_VERSION. */
export async function checkSegments(reader: SegmentReader, manifest: Manifest): Promise<void> {
  for (const ref of distinctSegments(manifest)) await reader.readIndex(ref)
}

/** A manifest whose segments have other names. */
export function renameSegments(manifest: Manifest, nameOf: (file: string) => string): Manifest {
  const renamed = (ref: SegmentRef): SegmentRef => ({ ...ref, file: nameOf(ref.file) })
  return {
    ...manifest,
    operators: manifest.operators.map(operator => ({
      ...operator,
      parts: operator.parts.map(part => ({ ...part, segments: part.segments.map(renamed) })),
    })),
  }
}

function distinctSegments(manifest: Manifest): SegmentRef[] {
  const refs = manifest.operators.flatMap(({ parts }) => parts.flatMap(({ segments }) => segments))
  // Refs that disagree about a file are all checked: at most one of them can be right.
  return [...new Map(refs.map(ref => [`${ref.file} ${ref.bytes} ${ref.checksum}`, ref])).values()]
}
