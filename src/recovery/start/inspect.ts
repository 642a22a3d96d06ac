// Looks into a snapshot without the job that wrote it: what it holds, how much of it, what is kept for a key, and every row.
import { StreamError } from '../../base/errors.ts'
import { keyGroupOf } from '../../model/key-groups.ts'
import { encodeKeyText, hashKey } from '../../serde/key-encoding.ts'
import { readValue } from '../../serde/value-codec.ts'
import type { PartKind, PartSchema, StateSchema } from '../../state/state-part.ts'
import type { Manifest, ManifestOperator, ManifestPart } from '../snapshot/manifest.ts'
import type { RowsWanted, VisitRow } from '../snapshot/read-rows.ts'
import { type DecodedRow, decodeRow } from './decode-row.ts'
import { schemasOf } from './snapshot-rows.ts'

/** A snapshot that can be read: a savepoint, or a manifest and the store that it is in. */
export interface ReadableSnapshot {
  readonly manifest: Manifest
  readRows(part: ManifestPart, wanted: RowsWanted, visit: VisitRow): Promise<void>
}

/** What a part of a step holds. */
export interface InspectedPart {
  readonly name: string
  readonly kind: PartKind
  /** What its rows hold, in one word. */
  readonly layout: string
  readonly states: readonly StateSchema[]
  readonly rows: number
  /** Different keys; 0 for parts that are not keyed. */
  readonly keys: number
  /** The bytes of its rows, without those that changes made obsolete. */
  readonly bytes: number
  /** The segments that it is read from. */
  readonly segments: number
}

/** What a snapshot holds of a step. */
export interface InspectedOperator {
  readonly uid: string
  readonly isUidDerived: boolean
  readonly name: string
  readonly kind: string
  readonly parallelism: number
  readonly maxParallelism: number
  readonly finishedSubtasks: readonly number[]
  readonly parts: readonly InspectedPart[]
}

/** What a snapshot holds. */
export interface InspectedSnapshot extends Omit<Manifest, 'operators'> {
  readonly operators: readonly InspectedOperator[]
}

/** Which rows are asked for. Undefined: all. */
export interface RowFilter {
  /** The uid of a step, or its name where only one has that. */
  readonly operator?: string | undefined
  /** The name of a declared state, or of a part. */
  readonly state?: string | undefined
  readonly key?: { readonly value: unknown } | undefined
}

/** A row with its place. */
export interface SnapshotRow extends DecodedRow {
  readonly uid: string
  readonly part: string
  readonly kind: PartKind
  readonly keyGroup: number
  /** The subtask that wrote it. */
  readonly subtask: number
}

/** Reads all of a snapshot, to count. Throws SNAPSHOT_DAMAGED. Costs memory for the keys of one part at a time. */
export async function inspectSnapshot(snapshot: ReadableSnapshot): Promise<InspectedSnapshot> {
  const operators: InspectedOperator[] = []
  for (const operator of snapshot.manifest.operators) {
    const parts: InspectedPart[] = []
    for (const part of operator.parts) parts.push(await inspectPart(snapshot, part))
    operators.push({ ...operator, parts })
  }
  return { ...snapshot.manifest, operators }
}

/**
 * Visits rows in the order of the snapshot. Throws OPTION_INVALID, with what there is, for a step or a state that the snapshot does not hold,
 * and KEY_INVALID for what cannot be a key.
 */
export async function readSnapshotRows(
  snapshot: ReadableSnapshot,
  filter: RowFilter,
  visit: (row: SnapshotRow) => void,
): Promise<void> {
  for (const operator of operatorsOf(snapshot.manifest, filter)) {
    for (const part of partsOf(operator, filter)) await readPart(snapshot, { operator, part, filter, visit })
  }
}

async function inspectPart(snapshot: ReadableSnapshot, part: ManifestPart): Promise<InspectedPart> {
  const keys = new Set<string>()
  let rows = 0
  let bytes = 0
  await snapshot.readRows(part, { all: true }, (_schema, keyGroup, identity, payload) => {
    rows++
    bytes += identity.end - identity.position + payload.end - payload.position
    if (keyGroup >= 0) keys.add(encodeKeyText(readValue(identity)))
  })
  const schemas = schemasOf(part)
  const newest = schemas.at(-1)
  const { name, kind } = part
  const segments = new Set(part.segments.map(({ file }) => file)).size
  return { name, kind, layout: newest?.layout ?? '', states: statesOf(schemas), rows, keys: keys.size, bytes, segments }
}

// A state is as the newest segment has it.
function statesOf(schemas: readonly PartSchema[]): readonly StateSchema[] {
  return [...new Map(schemas.flatMap(({ states }) => states).map(state => [state.name, state])).values()]
}

function operatorsOf({ operators }: Manifest, { operator: wanted, state }: RowFilter): readonly ManifestOperator[] {
  const byUid = operators.filter(({ uid }) => wanted === undefined || uid === wanted)
  const found = byUid.length > 0 ? byUid : operators.filter(({ name }) => name === wanted)
  if (found.length !== 1 && wanted !== undefined) {
    const listed = operators.map(({ uid, name }) => `${uid} ("${name}")`).join(', ')
    const problem = found.length === 0 ? 'holds no step' : 'holds several steps with the name'
    throw new StreamError('OPTION_INVALID', `the snapshot ${problem} ${wanted}; give the uid of one of ${listed}`)
  }
  if (state === undefined || found.some(operator => partsOf(operator, { state }).length > 0)) return found
  const names = found.flatMap(({ parts }) =>
    parts.flatMap(part => [part.name, ...statesOf(schemasOf(part)).map(s => s.name)]),
  )
  const listed = [...new Set(names)].join(', ')
  throw new StreamError('OPTION_INVALID', `the snapshot holds no state "${state}"; it holds ${listed}`)
}

function partsOf({ parts }: ManifestOperator, { state, key }: RowFilter): readonly ManifestPart[] {
  const holds = (part: ManifestPart): boolean =>
    state === undefined || part.name === state || statesOf(schemasOf(part)).some(({ name }) => name === state)
  return parts.filter(part => holds(part) && (key === undefined || part.kind === 'keyed'))
}

interface PartReading {
  readonly operator: ManifestOperator
  readonly part: ManifestPart
  readonly filter: RowFilter
  readonly visit: (row: SnapshotRow) => void
}

async function readPart(snapshot: ReadableSnapshot, { operator, part, filter, visit }: PartReading): Promise<void> {
  const { key, state } = filter
  const keyText = key === undefined ? undefined : encodeKeyText(key.value)
  const group = key === undefined ? undefined : keyGroupOf(hashKey(key.value), operator.maxParallelism)
  const wanted: RowsWanted = group === undefined ? { all: true } : { keyGroups: { from: group, to: group } }
  await snapshot.readRows(part, wanted, (schema, keyGroup, identity, payload, subtask) => {
    const row = decodeRow(schema, identity, payload)
    if (keyText !== undefined && encodeKeyText(row.identity[0]) !== keyText) return
    const values = state === undefined || state === part.name ? row.values : only(row.values, state)
    // A key may have a row without having anything in this state.
    if (values === undefined) return
    visit({ uid: operator.uid, part: part.name, kind: part.kind, keyGroup, subtask, identity: row.identity, values })
  })
}

function only(values: Readonly<Record<string, unknown>>, name: string): Readonly<Record<string, unknown>> | undefined {
  return Object.hasOwn(values, name) ? { [name]: values[name] } : undefined
}
