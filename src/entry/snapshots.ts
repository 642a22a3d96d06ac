// What the command line does with snapshots and running jobs, as functions: savepoint, stop, inspect, diff.
import { resolve } from 'node:path'
import { preview, StreamError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { silentLogger } from '../base/logger.ts'
import type { JobResult, SnapshotInfo } from '../model/job.ts'
import { askJob } from '../platform/node/ask-job.ts'
import { openJobDirectory } from '../platform/node/job-directory.ts'
import { SAVEPOINT_MANIFEST } from '../recovery/snapshot/checkpoint-names.ts'
import { inspectSnapshot, type RowFilter, readSnapshotRows, type SnapshotRow } from '../recovery/start/inspect.ts'
import { keyFromJson, toJson } from '../recovery/start/json-value.ts'
import { mapState, type StateMapping } from '../recovery/start/map-state.ts'
import { inspectionText } from './inspection-text.ts'
import { savepointDirectory } from './job-directories.ts'
import { graphOf } from './job-graph.ts'
import { directoryStorage, jobDirectoryOf, openSnapshot, storeOf } from './snapshot-places.ts'

export { mappingText } from './mapping-text.ts'

/** How a job is to end: `stop` leaves what pends for a later start, `drain` lets it fire as at the end of the data. */
export type EndRequest = 'stop' | 'drain'

/** Where a savepoint goes, and whether the job ends with it. */
export interface SavepointOptions {
  /** A directory that holds no savepoint; `savepoints/<id>` of the job's directory unless given. */
  readonly to?: string | undefined
  readonly end?: EndRequest | undefined
}

/**
 * Takes a savepoint of a running job. With `end` the job ends first, and the savepoint is what it left: no record is behind it. Rejects
 * with JOB_UNREACHABLE, CHECKPOINT_FAILED, STORAGE_FAILED.
 */
export async function takeSavepoint(job: string, { to, end }: SavepointOptions = {}): Promise<SnapshotInfo> {
  const directory = jobDirectoryOf(job)
  const target = to === undefined ? undefined : resolve(to)
  if (end === undefined) {
    return (await askJob(directory, { command: 'savepoint', directory: target })) as SnapshotInfo
  }
  if (target !== undefined) await requireNoSavepoint(target)
  await askJob(directory, { command: end })
  return copyNewest(directory, target)
}

/** Ends a running job; resolves when it has ended. Rejects with JOB_UNREACHABLE, or the failure of the job. */
export async function endJob(job: string, end: EndRequest): Promise<JobResult> {
  return (await askJob(jobDirectoryOf(job), { command: end })) as JobResult
}

/** What is looked at in a snapshot. */
export interface InspectOptions {
  readonly operator?: string | undefined
  readonly state?: string | undefined
  /** A key as JSON: `"ann"`, `7`, `["ann", 7]`. */
  readonly key?: string | undefined
}

/** A snapshot in words and as data. */
export interface Inspection {
  readonly text: string
  readonly json: unknown
}

/** What a snapshot holds: steps, states, counts. Throws SNAPSHOT_NOT_FOUND, SNAPSHOT_DAMAGED, SNAPSHOT_VERSION. */
export async function inspect(place: string, logger: Logger = silentLogger): Promise<Inspection> {
  const inspected = await inspectSnapshot(await openSnapshot(place, logger))
  return { text: inspectionText(inspected), json: toJson(inspected) }
}

/**
 * Gives `visit` each row that is asked for, as a line of JSON without its end; resolves with their number. Throws OPTION_INVALID, with what
 * there is, for a step, state or key that cannot be.
 */
export async function exportRows(
  place: string,
  options: InspectOptions,
  visit: (line: string) => void,
): Promise<number> {
  const { operator, state, key } = options
  const filter: RowFilter = { operator, state, key: key === undefined ? undefined : { value: keyFromJson(key) } }
  let rows = 0
  await readSnapshotRows(await openSnapshot(place), filter, row => {
    rows++
    visit(JSON.stringify(rowJson(row)))
  })
  return rows
}

/** How the steps of a snapshot and of a job are matched. */
export interface DiffOptions {
  readonly renames?: Readonly<Record<string, string>> | undefined
  readonly args?: readonly string[] | undefined
  readonly parallelism?: number | undefined
}

/** What becomes of the state of a snapshot in a job, which is built and not run. */
export async function diff(place: string, job: URL, options: DiffOptions = {}): Promise<StateMapping> {
  const { renames = {}, args = [], parallelism } = options
  const { manifest } = await openSnapshot(place)
  const graph = await graphOf(job, { args, parallelism, name: manifest.job })
  return mapState(manifest, graph, { renames })
}

/** The renames that the command line gives as `old=new`. Throws OPTION_INVALID for other texts. */
export function parseRenames(texts: readonly string[]): Readonly<Record<string, string>> {
  const renames = new Map<string, string>()
  for (const text of texts) {
    const [, from, to] = /^([^=]+)=(.+)$/s.exec(text) ?? []
    if (from === undefined || to === undefined) {
      throw new StreamError(
        'OPTION_INVALID',
        `--rename is ${preview(text)}; give the uid in the snapshot and in the job: old=new`,
      )
    }
    renames.set(from, to)
  }
  return Object.fromEntries(renames)
}

/** True when all state of the snapshot goes on in the job. */
export function isAllKept({ steps, problems }: StateMapping): boolean {
  const isLost = (status: string): boolean => status === 'dropped' || status === 'incompatible'
  const hasLoss = steps.some(({ status, states }) => isLost(status) || states.some(state => isLost(state.status)))
  return !hasLoss && problems.length === 0
}

// Better found before the job has ended.
async function requireNoSavepoint(target: string): Promise<void> {
  if ((await directoryStorage(target).get(SAVEPOINT_MANIFEST)) === undefined) return
  throw new StreamError('STORAGE_FAILED', `${target} holds a savepoint already; choose a directory that holds none`)
}

async function copyNewest(directory: string, to: string | undefined): Promise<SnapshotInfo> {
  const opened = await openJobDirectory(directory)
  try {
    const store = await storeOf(directoryStorage(directory), silentLogger)
    const latest = await store.latest()
    if (latest === undefined) throw new StreamError('CHECKPOINT_FAILED', `the job left no checkpoint in ${directory}`)
    const { id } = latest.manifest
    const location = to ?? savepointDirectory(directory, id)
    await store.writeSavepoint(directoryStorage(location), latest.manifest)
    return { id, kind: 'savepoint', location }
  } finally {
    await opened.close()
  }
}

function rowJson({ uid, part, kind, keyGroup, subtask, identity, values }: SnapshotRow): unknown {
  const [key, ...namespace] = identity.map(toJson)
  const place = kind === 'keyed' ? { key, ...(namespace.length === 0 ? {} : { namespace }), keyGroup } : { subtask }
  return { operator: uid, part, ...place, values: toJson(values) }
}
