// Snapshots by hand, for specs of what stores them: rows, parts, tasks and manifests of a job with one keyed operator.
import type { ByteReader } from '../base/byte-reader.ts'
import { ByteWriter } from '../base/byte-writer.ts'
import { encodeUtf8 } from '../base/utf8.ts'
import type { SegmentWriter, WrittenSegment } from '../recovery/snapshot/checkpoint-store.ts'
import type { GroupRange, Manifest, ManifestPart, TaskSnapshot } from '../recovery/snapshot/manifest.ts'
import { SNAPSHOT_FORMAT } from '../recovery/snapshot/manifest.ts'
import { mergeParts } from '../recovery/snapshot/merge-parts.ts'
import type { PartKind, PartSection, PartSnapshot } from '../state/state-part.ts'

/** A row by its identity, with the text kept for it; undefined says that it is gone. */
export type SampleRow = readonly [identity: string, payload: string | undefined]

/** The bytes of rows, as parts write them. */
export function sampleSection(keyGroup: number, rows: readonly SampleRow[]): PartSection {
  const out = new ByteWriter()
  for (const [identity, payload] of rows) {
    const bytes = encodeUtf8(identity)
    out.varint(bytes.length)
    out.raw(bytes)
    const kept = payload === undefined ? undefined : encodeUtf8(payload)
    out.varint(kept === undefined ? 0 : kept.length + 1)
    if (kept !== undefined) out.raw(kept)
  }
  return { keyGroup, rows: rows.length, bytes: out.copy() }
}

/** A part that holds the rows of the given key groups. */
export function samplePart(
  isFull: boolean,
  groups: Readonly<Record<number, readonly SampleRow[]>>,
  { part = 'counts', kind = 'keyed' }: { readonly part?: string; readonly kind?: PartKind } = {},
): PartSnapshot {
  const sections = Object.entries(groups).map(([group, rows]) => sampleSection(Number(group), rows))
  return { part, kind, schema: { layout: 'slots', states: [] }, isFull, sections: sections.sort(byGroup) }
}

/** What a task with one operator hands in. */
export function sampleTask(...parts: readonly PartSnapshot[]): TaskSnapshot {
  return { operators: [{ uid: 'count', parts }] }
}

/** A subtask that has some key groups. */
export function sampleWriter(groups: GroupRange, subtask = 0, parallelism = 1): SegmentWriter {
  return { subtask, parallelism, groupsOf: () => groups }
}

/** The manifest of segments that were just written, on top of an earlier one. */
export function sampleManifest(
  id: number,
  previous: Manifest | undefined,
  segments: readonly WrittenSegment[],
  job = 'orders',
): Manifest {
  const written = segments.flatMap(segment => segment.parts)
  const names = new Set(written.map(part => part.part))
  const before = previous?.operators[0]?.parts
  const parts = [...names].map((name): ManifestPart => {
    const mine = written.filter(part => part.part === name)
    const kind = mine[0]?.kind ?? 'keyed'
    const refs = mine.flatMap(({ ref }) => (ref === undefined ? [] : [ref]))
    return mergeParts(
      before?.find(part => part.name === name),
      { name, kind, segments: refs },
    )
  })
  const operator = {
    uid: 'count',
    isUidDerived: false,
    name: 'count',
    kind: 'rolling',
    parallelism: 1,
    maxParallelism: 8,
    finishedSubtasks: [],
    parts,
  }
  return {
    format: SNAPSHOT_FORMAT,
    job,
    kind: 'checkpoint',
    id,
    triggeredMs: id * 1000,
    completedMs: id * 1000 + 5,
    graphHash: 'f00d',
    operators: [operator],
  }
}

/** The bytes of a reader as text. */
export function sampleText(reader: ByteReader): string {
  return reader.raw(reader.end - reader.position).reduce((text, byte) => text + String.fromCharCode(byte), '')
}

function byGroup(a: PartSection, b: PartSection): number {
  return a.keyGroup - b.keyGroup
}
