// Snapshots of the parts of one operator, kept as they are, and parts restored from them: a full snapshot and what changed since, from one
// subtask or from several. What a checkpoint store does with files is not in it.
import { ByteReader } from '../base/byte-reader.ts'
import type { PartSnapshot, StatePart } from '../state/state-part.ts'

/** One snapshot of an operator. */
export interface TakenSnapshot {
  readonly parts: readonly PartSnapshot[]
}

/** Which key groups are restored; both inclusive. */
export interface KeyGroupRange {
  readonly first: number
  readonly last: number
}

/** More rows at once than any test has. */
const ALL_ROWS = 1_000_000

/** Fixes the contents of a snapshot, to be encoded piece by piece by `advance` and taken with `takeParts`. */
export function beginSnapshot(parts: readonly StatePart[], snapshotId: number, isFull = false): void {
  for (const part of parts) part.begin(snapshotId, isFull)
}

/** Encodes what is left of a snapshot that began, and takes it. */
export function takeParts(parts: readonly StatePart[]): TakenSnapshot {
  for (const part of parts) while (!part.advance(ALL_ROWS));
  return { parts: parts.map(part => part.take()) }
}

/** What became of a snapshot: a completed one is built upon by those that come. */
export function settleParts(
  parts: readonly StatePart[],
  snapshotId: number,
  outcome: 'completed' | 'aborted' = 'completed',
): void {
  for (const part of parts) part.settle(snapshotId, outcome)
}

/** Takes a snapshot at once, which is completed: everything, or what changed since the one before. */
export function snapshotParts(parts: readonly StatePart[], snapshotId: number, isFull = false): TakenSnapshot {
  beginSnapshot(parts, snapshotId, isFull)
  const taken = takeParts(parts)
  settleParts(parts, snapshotId)
  return taken
}

/** Restores parts, in their order, from the snapshots of one subtask: the newest full one and all after it, oldest first. */
export function restoreParts(parts: readonly StatePart[], snapshots: readonly TakenSnapshot[]): void {
  restoreFromSubtasks(parts, [snapshots])
}

/**
 * The same from the snapshots of several subtasks; of keyed parts only the given key groups. The elements of parts of kind `list` go to whoever
 * restores the first key group, those of `broadcast` parts are taken from the first subtask.
 */
export function restoreFromSubtasks(
  parts: readonly StatePart[],
  subtasks: readonly (readonly TakenSnapshot[])[],
  keyGroups: KeyGroupRange = { first: 0, last: Infinity },
): void {
  for (const part of parts) {
    const chains = subtasks.map(snapshots => chainOf(part, snapshots))
    const schema = chains.flat()[0]?.schema
    if (schema === undefined) continue
    const restorer = part.restorer(schema)
    for (const { keyGroup, identity, payload } of rowsOf(part, chains, keyGroups)) {
      restorer.row(keyGroup, new ByteReader(identity), new ByteReader(payload))
    }
    restorer.finish?.()
  }
}

interface Row {
  readonly keyGroup: number
  readonly identity: Uint8Array
  /** Undefined when what the row is about is gone. */
  readonly payload: Uint8Array | undefined
}

type LivingRow = Row & { readonly payload: Uint8Array }

/** Newest first, back to the newest that holds everything. */
function chainOf(part: StatePart, snapshots: readonly TakenSnapshot[]): readonly PartSnapshot[] {
  const chain: PartSnapshot[] = []
  for (const { parts } of [...snapshots].reverse()) {
    const found = parts.find(({ part: name }) => name === part.name)
    if (found === undefined) continue
    chain.push(found)
    if (found.isFull) break
  }
  return chain
}

function rowsOf(
  { kind }: StatePart,
  chains: readonly (readonly PartSnapshot[])[],
  { first, last }: KeyGroupRange,
): readonly LivingRow[] {
  const rows = kind === 'broadcast' ? chains.slice(0, 1).flatMap(newestRows) : chains.flatMap(newestRows)
  if (kind === 'keyed') return rows.filter(({ keyGroup }) => keyGroup >= first && keyGroup <= last)
  return kind === 'list' && first > 0 ? [] : rows
}

/** Each row once, as the newest snapshot that has it says. */
function newestRows(chain: readonly PartSnapshot[]): readonly LivingRow[] {
  if (chain[0]?.kind !== 'keyed') return chain.slice(0, 1).flatMap(snapshot => readRows(snapshot).filter(isLiving))
  const seen = new Set<string>()
  const newest: LivingRow[] = []
  for (const snapshot of chain) {
    const rows = readRows(snapshot)
    // Within one snapshot what was removed may have been made again.
    for (const row of [...rows.filter(isLiving), ...rows.filter(row => !isLiving(row))]) {
      const name = `${row.keyGroup}/${row.identity.join(' ')}`
      if (seen.has(name)) continue
      seen.add(name)
      if (isLiving(row)) newest.push(row)
    }
  }
  return newest
}

function isLiving(row: Row): row is LivingRow {
  return row.payload !== undefined
}

function readRows({ sections }: PartSnapshot): readonly Row[] {
  return sections.flatMap(({ keyGroup, bytes, rows }) => {
    const input = new ByteReader(bytes)
    const found: Row[] = []
    while (!input.isAtEnd) {
      const identity = input.raw(input.varint())
      const length = input.varint()
      found.push({ keyGroup, identity, payload: length === 0 ? undefined : input.raw(length - 1) })
    }
    if (found.length !== rows) throw new Error(`a section says ${rows} rows and holds ${found.length}`)
    return found
  })
}
