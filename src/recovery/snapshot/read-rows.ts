// The rows of a part over all its segments: each at most once, as the newest segment that knows it says.
import { ByteReader, BytesCorruptError } from '../../base/byte-reader.ts'
import type { PartSchema } from '../../state/state-part.ts'
import { damagedError } from './damaged.ts'
import type { GroupRange, ManifestPart, SegmentRef } from './manifest.ts'
import type { IndexedSection } from './segment-index.ts'
import type { SegmentReader } from './segment-reader.ts'

/** The rows that are wanted of a part: of key groups, of some of the subtasks that wrote it, or all. */
export type RowsWanted =
  | { readonly keyGroups: GroupRange }
  | { readonly subtasks: readonly number[] }
  | { readonly all: true }

/** Takes a row; the readers are valid during the call. The key group is -1 for parts that are not keyed. */
export type VisitRow = (
  schema: PartSchema,
  keyGroup: number,
  identity: ByteReader,
  payload: ByteReader,
  subtask: number,
) => void

/**
 * Visits the wanted rows: of keyed parts segment by segment, the newest first, and each row once; of other parts in the order of subtasks.
 * Throws SNAPSHOT_DAMAGED, when rows may have been visited already, and SNAPSHOT_VERSION.
 */
export async function readRows(
  reader: SegmentReader,
  part: ManifestPart,
  wanted: RowsWanted,
  visit: VisitRow,
): Promise<void> {
  const segments = 'subtasks' in wanted ? part.segments.filter(s => wanted.subtasks.includes(s.subtask)) : part.segments
  if (part.kind === 'keyed') {
    const range = 'keyGroups' in wanted ? wanted.keyGroups : undefined
    await new NewestRows(range, visit).readChain(reader, segments)
    return
  }
  for (const ref of segments) {
    const visitSection = (section: IndexedSection, bytes: Uint8Array): void =>
      readSection(ref, section, bytes, (identity, payload) => {
        if (payload !== undefined) visit(ref.schema, section.keyGroup, identity, payload, ref.subtask)
      })
    await reader.readSections(ref, () => true, visitSection)
  }
}

/** Remembers per key group what newer segments said. */
class NewestRows {
  private readonly range: GroupRange | undefined
  private readonly visit: VisitRow
  /** The identities met, by key group; null once a segment with everything was read. */
  private readonly known = new Map<number, Set<string> | null>()

  constructor(range: GroupRange | undefined, visit: VisitRow) {
    this.range = range
    this.visit = visit
  }

  async readChain(reader: SegmentReader, segments: readonly SegmentRef[]): Promise<void> {
    for (const ref of segments.toReversed()) {
      const isWanted = (group: number): boolean =>
        isIn(group, this.range) && ref.groups.some(range => isIn(group, range)) && this.known.get(group) !== null
      if (!this.hasAny(ref, isWanted)) continue
      await reader.readSections(ref, isWanted, (section, bytes) => this.readSection(ref, section, bytes))
      if (ref.isFull) this.endChain(ref.groups)
    }
  }

  private hasAny({ groups }: SegmentRef, isWanted: (group: number) => boolean): boolean {
    for (const { from, to } of groups) for (let group = from; group <= to; group++) if (isWanted(group)) return true
    return false
  }

  private endChain(groups: readonly GroupRange[]): void {
    for (const { from, to } of groups) for (let group = from; group <= to; group++) this.known.set(group, null)
  }

  private readSection(ref: SegmentRef, section: IndexedSection, bytes: Uint8Array): void {
    const { keyGroup } = section
    const known = this.known.get(keyGroup) ?? new Set()
    const hadNewer = known.size > 0
    const gone: string[] = []
    readSection(ref, section, bytes, (identity, payload) => {
      // The oldest segment needs no memory: nothing comes after it.
      if (ref.isFull && (payload === undefined || !hadNewer)) {
        if (payload !== undefined) this.visit(ref.schema, keyGroup, identity, payload, ref.subtask)
        return
      }
      const text = identityText(identity)
      if (known.has(text)) return
      // A row with a payload goes before one without, wherever in the section they are.
      if (payload === undefined) gone.push(text)
      else {
        known.add(text)
        this.visit(ref.schema, keyGroup, identity, payload, ref.subtask)
      }
    })
    for (const text of gone) known.add(text)
    this.known.set(keyGroup, known)
  }
}

function isIn(group: number, range: GroupRange | undefined): boolean {
  return range === undefined || (group >= range.from && group <= range.to)
}

/** The rows of one section; a payload of undefined says that what the row is about is gone. */
function readSection(
  ref: SegmentRef,
  section: IndexedSection,
  bytes: Uint8Array,
  visit: (identity: ByteReader, payload: ByteReader | undefined) => void,
): void {
  const rows = new ByteReader(bytes)
  for (let row = 0; row < section.rows; row++) {
    const [identity, payload] = nextRow(rows, ref, section)
    visit(identity, payload)
  }
  if (!rows.isAtEnd) throw unreadable(ref, section, `${rows.end - rows.position} bytes behind the last row`)
}

function nextRow(rows: ByteReader, ref: SegmentRef, section: IndexedSection): [ByteReader, ByteReader | undefined] {
  try {
    const identity = rows.part(rows.varint())
    const length = rows.varint()
    return [identity, length === 0 ? undefined : rows.part(length - 1)]
  } catch (error) {
    if (!(error instanceof BytesCorruptError)) throw error
    throw unreadable(ref, section, `a row that ends too early (${error.message})`)
  }
}

function unreadable({ file }: SegmentRef, { rows, offset }: IndexedSection, found: string): Error {
  return damagedError({ file, found, expected: `${rows} rows at byte ${offset}` })
}

const CHUNK_BYTES = 4096

// Bytes as a text that is equal when they are; the reader stays where it is.
function identityText(identity: ByteReader): string {
  const { position } = identity
  const bytes = identity.raw(identity.end - position)
  identity.position = position
  let text = ''
  for (let from = 0; from < bytes.length; from += CHUNK_BYTES)
    text += String.fromCharCode.apply(null, bytes.subarray(from, from + CHUNK_BYTES) as unknown as number[])
  return text
}
