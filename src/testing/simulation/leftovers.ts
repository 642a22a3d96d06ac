// What a job may leave on its disk when it has ended: complete checkpoints with the segments that they need, and a few marks. Anything else
// leaks, and would fill the disk some day.
import { silentLogger } from '../../base/logger.ts'
import { manifestId } from '../../recovery/snapshot/checkpoint-names.ts'
import { CheckpointStore } from '../../recovery/snapshot/checkpoint-store.ts'
import { fileStorage } from '../../recovery/snapshot/file-storage.ts'
import { segmentFiles } from '../../recovery/snapshot/garbage.ts'
import { decodeManifest } from '../../recovery/snapshot/manifest-text.ts'
import type { SimulatedFiles } from '../simulated-files.ts'
import { JOB_DIRECTORY, RETAINED_CHECKPOINTS } from './simulated-process.ts'

/** Marks of attempts, beginnings and endings, of which few are kept. */
const MARKS = ['attempts/', 'beginnings/', 'endings/']

/** Calls that may fail because a fault is left over from the run. */
const TRIES_MAX = 200

/** Removes what the job's last process left to the next one. */
export async function collectGarbage(files: SimulatedFiles, job: string): Promise<void> {
  const retained = RETAINED_CHECKPOINTS
  for (let tries = 1; ; tries++) {
    try {
      const storage = fileStorage(files, JOB_DIRECTORY)
      await new CheckpointStore({ storage, job, logger: silentLogger, retained }).collectGarbage()
      return
    } catch (error) {
      if (tries === TRIES_MAX) throw error
    }
  }
}

/** The files that nobody needs any more, sorted. `isExpected`: a file outside the job's directory belongs there, being a result or the like. */
export function leakedFiles(files: SimulatedFiles, isExpected: (path: string) => boolean): readonly string[] {
  const contents = files.snapshot()
  const prefix = `${JOB_DIRECTORY}/`
  const own = [...contents.keys()].filter(path => path.startsWith(prefix)).map(path => path.slice(prefix.length))
  const manifests = own.filter(name => manifestId(name) !== undefined).sort()
  const kept = manifests.slice(-RETAINED_CHECKPOINTS)
  const needed = new Set(kept)
  for (const name of kept) {
    const bytes = contents.get(prefix + name) ?? new Uint8Array()
    for (const file of segmentFiles(decodeManifest(bytes, name))) needed.add(file)
  }
  const isMark = (name: string): boolean => MARKS.some(mark => name.startsWith(mark) && !name.includes('/.'))
  const leaked = own.filter(name => !needed.has(name) && !isMark(name)).map(name => prefix + name)
  const elsewhere = [...contents.keys()].filter(path => !path.startsWith(prefix) && !isExpected(path))
  return [...leaked, ...elsewhere].sort()
}
