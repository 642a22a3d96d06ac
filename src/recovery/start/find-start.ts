// Decides what a job starts from: the newest checkpoint of its directory, a savepoint, or nothing.
import type { Logger } from '../../base/logger.ts'
import type { Storage } from '../../base/storage.ts'
import type { Graph } from '../../model/graph.ts'
import type { CheckpointStore } from '../snapshot/checkpoint-store.ts'
import type { Manifest } from '../snapshot/manifest.ts'
import { readSavepoint } from '../snapshot/savepoint.ts'
import { applyRenames, mapState, requireStartable } from './map-state.ts'

/** What a job wants to start from. */
export interface StartOptions {
  readonly graph: Graph
  /**
   * The storage of a savepoint; `newest`: the newest checkpoint of the job's own directory, unless its last run came to the end; `last`: the
   * newest even then, so that nothing is done twice; `beginning`: nothing.
   */
  readonly from: Storage | 'newest' | 'last' | 'beginning'
  readonly allowUnmapped: boolean
  readonly renames: Readonly<Record<string, string>>
  /** The job's own. */
  readonly storage: Storage
  readonly logger: Logger
}

/** Snapshots before the newest beginning belong to runs that are over. */
const BEGINNINGS = 'beginnings/'
/** The final snapshots of runs that are over. */
const ENDINGS = 'endings/'

/**
 * The snapshot to start from, which the store holds afterwards; undefined: the job starts at the beginning. Throws what the store does when
 * snapshots are damaged, and STATE_UNMAPPED, STATE_INCOMPATIBLE, RESCALE_REFUSED when the job cannot take the state.
 */
export async function findStart(store: CheckpointStore, options: StartOptions): Promise<Manifest | undefined> {
  const { from, logger, storage } = options
  if (typeof from === 'object') {
    mapped((await readSavepoint(from)).manifest, options)
    await beginAnew(store, storage)
    // The savepoint becomes the first snapshot of this directory, so that failures find it and the savepoint itself stays as it is.
    return applyRenames(await store.adoptSavepoint(from), options.renames)
  }
  const newest = from === 'beginning' ? undefined : await newestSinceBeginning(store, storage)
  // The note of an ending is acted upon, so it must not vanish later. A job that died before it had committed everything is brought to its end.
  await storage.confirm?.([ENDINGS])
  const isOver = newest?.kind === 'final' && (await storage.get(endingName(newest.id))) !== undefined
  if (newest !== undefined && (!isOver || from === 'last')) return mapped(newest, options)
  if (newest !== undefined || from === 'beginning') await beginAnew(store, storage)
  if (newest !== undefined) {
    // Whoever restarts a job whose process died after its end, before it could say so, would not know that everything is done again.
    logger.log('warn', `the last run finished, at checkpoint ${newest.id}: ${BEGINS_ANEW}`, { checkpoint: newest.id })
  }
  return undefined
}

const BEGINS_ANEW =
  "this one starts at the beginning and gives all output again; to do nothing twice, start the job from 'last' (--from last)"

/**
 * What a failure goes back to in a run that started from `start`: the newest snapshot that is whole, of those since the job last started at
 * the beginning, with the uids that its steps have now. Throws as `findStart` does.
 */
export async function findRestart(
  store: CheckpointStore,
  { storage, renames }: Pick<StartOptions, 'storage' | 'renames'>,
  start: Manifest | undefined,
): Promise<Manifest | undefined> {
  const newest = await newestSinceBeginning(store, storage)
  // Those that this run took have its uids.
  if (newest === undefined || start === undefined || newest.id > start.id) return newest
  if (newest.id === start.id) return start
  // Which steps an older one has is not known: it stands in for one that is damaged.
  const known = Object.entries(renames).filter(([from]) => newest.operators.some(({ uid }) => uid === from))
  return applyRenames(newest, Object.fromEntries(known))
}

/** The job has come to its end, and everything that its last snapshot prepared is committed. */
export async function noteEnding(storage: Storage, { id, kind }: Manifest): Promise<void> {
  if (kind !== 'final') return
  for (const name of await storage.list(ENDINGS)) if (name !== endingName(id)) await storage.remove(name)
  if ((await storage.get(endingName(id))) === undefined) await storage.put(endingName(id), new Uint8Array(0))
}

/** The newest snapshot that is whole, of those since the job last started at the beginning. */
export async function newestSinceBeginning(store: CheckpointStore, storage: Storage): Promise<Manifest | undefined> {
  return (await store.latest(await beginningId(storage)))?.manifest
}

function endingName(id: number): string {
  return `${ENDINGS}${String(id).padStart(10, '0')}`
}

function mapped(manifest: Manifest, { graph, allowUnmapped, renames, logger }: StartOptions): Manifest {
  const renamed = applyRenames(manifest, renames)
  const mapping = mapState(renamed, graph, { allowUnmapped })
  for (const warning of mapping.warnings) logger.log('warn', warning)
  requireStartable(mapping)
  return renamed
}

async function beginningId(storage: Storage): Promise<number> {
  const names = await storage.list(BEGINNINGS)
  return Math.max(0, ...names.map(name => Number(name.slice(BEGINNINGS.length))).filter(Number.isSafeInteger))
}

/** Earlier snapshots count no more. */
async function beginAnew(store: CheckpointStore, storage: Storage): Promise<void> {
  const id = await store.nextId()
  if (id > (await beginningId(storage)))
    await storage.put(`${BEGINNINGS}${String(id).padStart(10, '0')}`, new Uint8Array(0))
}
