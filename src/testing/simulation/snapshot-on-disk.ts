// A checkpoint as it was on the simulated disk at one moment, to be read at leisure: no call of the job's is counted, and no fault meets it.
import { silentLogger } from '../../base/logger.ts'
import type { Storage } from '../../base/storage.ts'
import { CheckpointStore } from '../../recovery/snapshot/checkpoint-store.ts'
import type { Manifest } from '../../recovery/snapshot/manifest.ts'
import type { ReadableSnapshot } from '../../recovery/start/inspect.ts'
import type { SimulatedFiles } from '../simulated-files.ts'

/** The checkpoint of the manifest, in the files of a directory as they are now. */
export function snapshotOnDisk(files: SimulatedFiles, directory: string, manifest: Manifest): ReadableSnapshot {
  const storage = storageOnDisk(files, directory)
  const store = new CheckpointStore({ storage, job: manifest.job, logger: silentLogger })
  return { manifest, readRows: (part, wanted, visit) => store.readRows(part, wanted, visit) }
}

/** The files of a directory as they are now, to be read only. */
export function storageOnDisk(files: SimulatedFiles, directory: string): Storage {
  const objects = files.snapshot()
  const pathOf = (name: string): string => `${directory}/${name}`
  const refuse = (): Promise<void> => Promise.reject(new Error('a look at the disk changes nothing'))
  return {
    description: `a look at ${directory}`,
    put: refuse,
    remove: refuse,
    get: async name => objects.get(pathOf(name)),
    getRange: async (name, offset, bytes) => objects.get(pathOf(name))?.subarray(offset, offset + bytes),
    list: async prefix =>
      [...objects.keys()]
        .filter(path => path.startsWith(pathOf(prefix)))
        .map(path => path.slice(directory.length + 1))
        .sort(),
  }
}
