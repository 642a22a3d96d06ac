// Finds what people mean by a job or a snapshot on the command line, and opens snapshots of all kinds for reading.
import { existsSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { StreamError } from '../base/errors.ts'
import { type Logger, silentLogger } from '../base/logger.ts'
import type { Storage } from '../base/storage.ts'
import { nodeFiles } from '../platform/node/node-files.ts'
import {
  MANIFESTS_PREFIX,
  manifestFile,
  manifestId,
  SAVEPOINT_MANIFEST,
} from '../recovery/snapshot/checkpoint-names.ts'
import { CheckpointStore } from '../recovery/snapshot/checkpoint-store.ts'
import { fileStorage } from '../recovery/snapshot/file-storage.ts'
import { decodeManifest } from '../recovery/snapshot/manifest-text.ts'
import { readSavepoint } from '../recovery/snapshot/savepoint.ts'
import type { ReadableSnapshot } from '../recovery/start/inspect.ts'
import { defaultDirectory } from './job-directories.ts'

/** The directory of a job that is named by its directory, or by its name alone where it is in ./.millrace. */
export function jobDirectoryOf(nameOrDirectory: string): string {
  const byName = defaultDirectory(nameOrDirectory)
  const isName = !/[\\/]/.test(nameOrDirectory)
  return isName && existsSync(byName) ? byName : resolve(nameOrDirectory)
}

/** A storage in a directory; nothing is made there before the first write. */
export function directoryStorage(path: string): Storage {
  return fileStorage(nodeFiles(path), '', `directory ${path}`)
}

/**
 * Opens a savepoint by its directory, a checkpoint by its manifest (`checkpoints/<id>.manifest`), or the newest checkpoint of a job by its
 * directory or name. Throws SNAPSHOT_NOT_FOUND, SNAPSHOT_DAMAGED, SNAPSHOT_VERSION.
 */
export async function openSnapshot(place: string, logger: Logger = silentLogger): Promise<ReadableSnapshot> {
  const path = jobDirectoryOf(place)
  if (!existsSync(path)) throw notFound(path, 'there is nothing')
  if (statSync(path).isFile()) return openManifest(path)
  if (existsSync(join(path, SAVEPOINT_MANIFEST))) return readSavepoint(directoryStorage(path))
  const directory = basename(path) === 'checkpoints' ? dirname(path) : path
  const storage = directoryStorage(directory)
  const newest = (await storage.list(MANIFESTS_PREFIX)).toReversed().find(file => manifestId(file) !== undefined)
  if (newest === undefined) throw notFound(path, 'it holds neither a savepoint nor a checkpoint')
  const store = await storeOf(storage, logger)
  const latest = await store.latest()
  if (latest === undefined) throw notFound(path, 'its last checkpoint has just been removed')
  return { manifest: latest.manifest, readRows: store.readRows.bind(store) }
}

/** The store of a job whose name nobody gave: it is in its manifests. Throws SNAPSHOT_NOT_FOUND, SNAPSHOT_DAMAGED when none tells it. */
export async function storeOf(storage: Storage, logger: Logger): Promise<CheckpointStore> {
  const files = (await storage.list(MANIFESTS_PREFIX)).toReversed().filter(file => manifestId(file) !== undefined)
  let failure: unknown = notFound(storage.description, 'it holds no checkpoint')
  for (const file of files) {
    try {
      const bytes = await storage.get(file)
      if (bytes === undefined) continue
      return new CheckpointStore({ storage, job: decodeManifest(bytes, file).job, logger })
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

async function openManifest(path: string): Promise<ReadableSnapshot> {
  const name = basename(path)
  if (name === SAVEPOINT_MANIFEST) return readSavepoint(directoryStorage(dirname(path)))
  const id = manifestId(`${MANIFESTS_PREFIX}${name}`)
  if (id === undefined || basename(dirname(path)) !== 'checkpoints') throw notFound(path, 'it is no manifest')
  const storage = directoryStorage(dirname(dirname(path)))
  const bytes = await storage.get(manifestFile(id))
  if (bytes === undefined) throw notFound(path, 'it has just been removed')
  const { job } = decodeManifest(bytes, path)
  const store = new CheckpointStore({ storage, job, logger: silentLogger })
  return { manifest: await store.read(id), readRows: store.readRows.bind(store) }
}

function notFound(place: string, found: string): StreamError {
  const mend = 'give the directory of a savepoint or of a job, the name of a job, or a file checkpoints/<id>.manifest'
  return new StreamError('SNAPSHOT_NOT_FOUND', `${place} is no snapshot: ${found}; ${mend}`)
}
