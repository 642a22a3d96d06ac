// Which segments a part consists of after new ones were written: changes go on top, what holds everything replaces what was before it.
import type { GroupRange, ManifestPart, SegmentRef } from './manifest.ts'

/**
 * The part of a new manifest, from that of the manifest before and the segments written since (one for each subtask at most). A keyed
 * segment that holds everything takes its key groups from all older ones, and those without any left go. Parts of other kinds are
 * replaced as a whole.
 */
export function mergeParts(previous: ManifestPart | undefined, written: ManifestPart): ManifestPart {
  if (written.kind !== 'keyed' || previous?.kind !== 'keyed') return written
  const files = new Set(written.segments.map(segment => segment.file))
  const replaced = written.segments.filter(segment => segment.isFull).flatMap(segment => segment.groups)
  // What a finished task left is handed in for every snapshot after its end.
  const older = previous.segments.filter(segment => !files.has(segment.file))
  return { ...written, segments: [...older.flatMap(segment => without(segment, replaced)), ...written.segments] }
}

function without(segment: SegmentRef, replaced: readonly GroupRange[]): readonly SegmentRef[] {
  const groups = replaced.reduce<readonly GroupRange[]>((left, range) => left.flatMap(cutOut(range)), segment.groups)
  return groups.length === 0 ? [] : [{ ...segment, groups }]
}

function cutOut({ from, to }: GroupRange): (range: GroupRange) => readonly GroupRange[] {
  return range => {
    if (to < range.from || from > range.to) return [range]
    const below = { from: range.from, to: from - 1 }
    const above = { from: to + 1, to: range.to }
    return [below, above].filter(rest => rest.from <= rest.to)
  }
}
