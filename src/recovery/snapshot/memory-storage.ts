// Whole objects in memory: for jobs whose snapshots need not outlast the process, and for tests.
import { StreamError } from '../../base/errors.ts'
import type { Storage } from '../../base/storage.ts'

/** A storage that is gone with the process. */
export function memoryStorage(): Storage {
  const objects = new Map<string, Uint8Array>()
  return {
    description: 'memory',
    put: async (name, bytes) => {
      if (objects.has(name)) {
        throw new StreamError(
          'STORAGE_FAILED',
          `memory: ${name} is there already; store objects under names not in use`,
        )
      }
      objects.set(name, bytes.slice())
    },
    get: async name => objects.get(name)?.slice(),
    getRange: async (name, offset, bytes) => objects.get(name)?.slice(offset, offset + bytes),
    list: async prefix => [...objects.keys()].filter(name => name.startsWith(prefix)).sort(),
    remove: async name => {
      objects.delete(name)
    },
  }
}
