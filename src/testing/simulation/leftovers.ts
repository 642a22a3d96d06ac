// What a job may leave on its disk when it has ended: complete checkpoints with the segments that they need, and a few marks. Anything else
// leaks, and would fill the disk some day.
import { manifestId } from '../../recovery/snapshot/checkpoint-names.ts'
import { segmentFiles } from '../../recovery/snapshot/garbage.ts'
import { decodeManifest } from '../../recovery/snapshot/manifest-text.ts'
import type { SimulatedFiles } from '../simulated-files.ts'

/** Marks of attempts, beginnings and endings, of which few are kept. */
const MARKS = ['attempts/', 'beginnings/', 'endings/']

/** What may be there beside the job's directory. */
export interface LeftoverRules {
  readonly directory: string
  /** Complete checkpoints that are kept at most. */
  readonly retained: number
  /** Whether a file elsewhere belongs there: results, savepoints. */
  readonly isExpected: (path: string) => boolean
}

/** The files that nobody needs any more, sorted. */
export function leakedFiles(files: SimulatedFiles, rules: LeftoverRules): readonly string[] {
  const contents = files.snapshot()
  const prefix = `${rules.directory}/`
  const own = [...contents.keys()].filter(path => path.startsWith(prefix)).map(path => path.slice(prefix.length))
  const manifests = own.filter(name => manifestId(name) !== undefined).sort()
  const kept = manifests.slice(-rules.retained)
  const needed = new Set(kept)
  for (const name of kept) {
    const bytes = contents.get(prefix + name) ?? new Uint8Array()
    for (const file of segmentFiles(decodeManifest(bytes, name))) needed.add(file)
  }
  const isMark = (name: string): boolean => MARKS.some(mark => name.startsWith(mark) && !name.includes('/.'))
  const leaked = own.filter(name => !needed.has(name) && !isMark(name)).map(name => prefix + name)
  const elsewhere = [...contents.keys()].filter(path => !path.startsWith(prefix) && !rules.isExpected(path))
  return [...leaked, ...elsewhere].sort()
}
