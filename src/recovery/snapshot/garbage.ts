// Which objects of a job's storage nobody needs any more. Decides only; the store removes.
import { manifestId, segmentId } from './checkpoint-names.ts'
import type { Manifest } from './manifest.ts'

/** What the storage holds. */
export interface StoredObjects {
  /** The manifests that are there, newest first; undefined where one cannot be read. */
  readonly manifests: readonly { readonly file: string; readonly manifest: Manifest | undefined }[]
  readonly segments: readonly string[]
}

/** How much is to be kept. */
export interface Retention {
  /** How many complete checkpoints. */
  readonly retained: number
  /** Checkpoints that turned out to be damaged: they do not count. */
  readonly damaged: ReadonlySet<number>
  /** Segments that a checkpoint in progress may come to need. */
  readonly pending: ReadonlySet<string>
}

/** What can go. */
export interface Garbage {
  readonly manifests: readonly string[]
  readonly segments: readonly string[]
  /** Manifests that cannot be read and are not old enough to go: while they are there no segment goes, since it may be theirs. */
  readonly unreadable: readonly string[]
}

/**
 * Keeps as many complete checkpoints as asked for, with everything newer than the oldest of them; older manifests can go. Then segments can go
 * that no manifest left needs, unless they may belong to a checkpoint in progress.
 */
export function findGarbage({ manifests, segments }: StoredObjects, retention: Retention): Garbage {
  const present = new Set(segments)
  const isComplete = ({ manifest }: { readonly manifest: Manifest | undefined }): boolean =>
    manifest !== undefined &&
    !retention.damaged.has(manifest.id) &&
    segmentFiles(manifest).every(file => present.has(file))
  const complete = manifests.filter(isComplete)
  const oldest = complete[retention.retained - 1]
  // With too few complete ones all are kept: what is damaged today may be mended from a copy.
  const kept = oldest === undefined ? manifests : manifests.slice(0, manifests.indexOf(oldest) + 1)
  const unreadable = kept.filter(({ manifest }) => manifest === undefined).map(({ file }) => file)
  const newestId = Math.max(0, ...manifests.map(({ file }) => manifestId(file) ?? 0))
  const needed = new Set(kept.flatMap(({ manifest }) => (manifest === undefined ? [] : segmentFiles(manifest))))
  const isGarbage = (file: string): boolean =>
    !needed.has(file) && !retention.pending.has(file) && (segmentId(file) ?? Infinity) <= newestId
  return {
    manifests: manifests.slice(kept.length).map(({ file }) => file),
    segments: unreadable.length > 0 ? [] : segments.filter(isGarbage),
    unreadable,
  }
}

/** The objects that hold the segments of a manifest, each once. */
export function segmentFiles(manifest: Manifest): string[] {
  const files = new Set<string>()
  for (const { parts } of manifest.operators)
    for (const { segments } of parts) for (const { file } of segments) files.add(file)
  return [...files]
}
