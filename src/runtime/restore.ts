// Puts the state of a snapshot into the tasks of a job that starts from it, at whatever parallelism it runs now.
import type { ByteReader } from '../base/byte-reader.ts'
import { BytesCorruptError } from '../base/byte-reader.ts'
import { StreamError } from '../base/errors.ts'
import { SPLITS_PART, type SplitState } from '../operators/source.ts'
import type { GroupRange, Manifest, ManifestOperator, ManifestPart } from '../recovery/snapshot/manifest.ts'
import { readValue } from '../serde/value-codec.ts'
import type { PartRestorer, PartSchema, StatePart } from '../state/state-part.ts'
import { groupsOf } from './restore-groups.ts'
import type { RestoredKeys } from './restored-keys.ts'
import type { Task } from './task.ts'

/** The rows that are wanted of a part: of key groups, of some of the subtasks that wrote it, or all. */
export type RowsWanted =
  | { readonly keyGroups: GroupRange }
  | { readonly subtasks: readonly number[] }
  | { readonly all: true }

/** Takes a row as its segment gives it. */
export type VisitRow = (schema: PartSchema, keyGroup: number, identity: ByteReader, payload: ByteReader) => void

/** A snapshot, and the way to its rows. */
export interface RestoreInit {
  readonly manifest: Manifest
  readRows(part: ManifestPart, wanted: RowsWanted, visit: VisitRow): Promise<void>
}

/** The parts that hold records on their way: those of calls, loops and channels. */
const IN_FLIGHT_PARTS: ReadonlySet<string> = new Set(['calls', 'loop', 'in-flight'])

/**
 * Restores every part of every operator of a task. `isResumed`: its sources go on where they had got to, so that nothing comes twice; what was on
 * its way in the snapshot may have come out since, and is left out. Throws STATE_INCOMPATIBLE, RESCALE_REFUSED, SNAPSHOT_DAMAGED.
 */
export async function restoreTask(
  task: Task,
  restore: RestoreInit,
  { isResumed }: { readonly isResumed: boolean },
): Promise<void> {
  for (const { uid, parts } of task.snapshots.operators) {
    const operator = restore.manifest.operators.find(candidate => candidate.uid === uid)
    if (operator === undefined) continue
    for (const part of parts) if (!isResumed || !isInFlight(part)) await restorePart(task, part, operator, restore)
  }
}

// States of users have names too, but they are of other kinds.
function isInFlight({ kind, name }: StatePart): boolean {
  return (kind === 'list' || kind === 'union') && IN_FLIGHT_PARTS.has(name)
}

/** The ids of all splits of a source in the snapshot; undefined when it holds none of that source. */
export async function knownSplits(restore: RestoreInit, uid: string): Promise<ReadonlySet<string> | undefined> {
  const operator = restore.manifest.operators.find(candidate => candidate.uid === uid)
  const part = operator?.parts.find(({ name }) => name === SPLITS_PART)
  if (part === undefined) return undefined
  const ids = new Set<string>()
  await restore.readRows(part, { all: true }, (_schema, _keyGroup, _identity, payload) => {
    ids.add((readValue(payload) as SplitState).id)
  })
  return ids
}

async function restorePart(
  task: Task,
  part: StatePart,
  operator: ManifestOperator,
  restore: RestoreInit,
): Promise<void> {
  const found = operator.parts.find(({ name }) => name === part.name)
  if (found === undefined) return
  if (found.kind !== part.kind) {
    throw new StreamError(
      'STATE_INCOMPATIBLE',
      `step "${operator.name}": its part "${part.name}" is ${found.kind} in the snapshot and ${part.kind} in the job; give the step another uid()`,
    )
  }
  // Segments repeat their schema; rows that were written alike are read by one restorer.
  const restorers = new Map<string, PartRestorer>()
  const known = new Map<PartSchema, PartRestorer>()
  const keys =
    part.kind === 'keyed' ? task.nodes.find(({ vertex }) => vertex.uid === operator.uid)?.restoredKeys : undefined
  let count = 0
  const isMine = (): boolean => part.kind !== 'list' || count++ % task.chain.parallelism === task.subtaskIndex
  const visit: VisitRow = (schema, keyGroup, identity, payload) => {
    if (!isMine()) return
    let restorer = known.get(schema)
    if (restorer === undefined) {
      restorer = restorerFor(part, schema, restorers)
      known.set(schema, restorer)
    }
    readRow(restorer, { keyGroup, identity, payload, keys }, part, operator)
  }
  await restore.readRows(found, rowsWanted(task, part, operator), visit)
  for (const restorer of restorers.values()) restorer.finish?.()
}

function restorerFor(part: StatePart, schema: PartSchema, restorers: Map<string, PartRestorer>): PartRestorer {
  const text = JSON.stringify(schema)
  const restorer = restorers.get(text) ?? part.restorer(schema)
  restorers.set(text, restorer)
  return restorer
}

function readRow(
  restorer: PartRestorer,
  row: {
    readonly keyGroup: number
    readonly identity: ByteReader
    readonly payload: ByteReader
    readonly keys: RestoredKeys | undefined
  },
  part: StatePart,
  operator: ManifestOperator,
): void {
  try {
    row.keys?.noteRow(row.identity)
    restorer.row(row.keyGroup, row.identity, row.payload)
  } catch (error) {
    if (!(error instanceof BytesCorruptError)) throw error
    throw new StreamError(
      'SNAPSHOT_DAMAGED',
      `step "${operator.name}": a row of its part "${part.name}" cannot be read (${error.message}); start from another snapshot`,
      { cause: error },
    )
  }
}

function rowsWanted(task: Task, part: StatePart, operator: ManifestOperator): RowsWanted {
  switch (part.kind) {
    case 'keyed':
      return { keyGroups: keyGroupsOf(task, operator) }
    case 'broadcast':
      return { subtasks: [task.subtaskIndex % operator.parallelism] }
    case 'list':
    case 'union':
      return { all: true }
  }
}

function keyGroupsOf(task: Task, operator: ManifestOperator): GroupRange {
  const vertex = task.nodes.find(node => node.vertex.uid === operator.uid)?.vertex
  if (vertex !== undefined && vertex.maxParallelism !== operator.maxParallelism) {
    throw new StreamError(
      'RESCALE_REFUSED',
      `step "${vertex.name}" has maxParallelism ${vertex.maxParallelism}, but its state was written with ${operator.maxParallelism}, which is fixed for the life of the state; set maxParallelism to ${operator.maxParallelism}`,
    )
  }
  const { maxParallelism } = operator
  return groupsOf(task.subtaskIndex, task.chain.parallelism, maxParallelism)
}
