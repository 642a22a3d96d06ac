// What stands for directories where there is no file system: snapshots live as long as the page.
import { memoryStorage } from '../recovery/snapshot/memory-storage.ts'
import type { OpenDirectory } from '../runners/local/local-recovery.ts'

/** Opens directories in memory, by name: a job of the same name finds what the one before it left. */
export function memoryDirectories(): OpenDirectory {
  const storages = new Map<string, ReturnType<typeof memoryStorage>>()
  const open = (name: string) => {
    const storage = storages.get(name) ?? memoryStorage()
    storages.set(name, storage)
    return { location: `memory:${name}`, storage }
  }
  return {
    job: async (jobName, { directory }) => ({
      ...open(directory ?? jobName),
      serve: async () => {},
      close: async () => {},
    }),
    savepoint: (path, job, id) => open(path ?? `${job.location}/savepoints/${id}`),
  }
}
