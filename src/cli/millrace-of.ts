// Finds the copy of millrace that a job imports: the job's environments must come from the same copy that starts it.
import { existsSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** What the command line needs of a copy of millrace. */
export interface Millrace extends Pick<typeof import('../entry/index.ts'), 'run' | 'explain'> {
  /** The URL of the folder that holds all modules of this copy. */
  readonly root: string
  /** What it can do with snapshots. */
  snapshots(): Promise<typeof import('../entry/snapshots.ts')>
}

/** The job's own copy; this one where the job resolves none (it may be plain `export function job`). */
export async function millraceOf(job: URL): Promise<Millrace> {
  const entry = entryResolvedFrom(job) ?? ownEntry()
  const { run, explain } = (await import(entry.href)) as Millrace
  const snapshots = new URL(`snapshots${entry.href.slice(entry.href.lastIndexOf('.'))}`, entry).href
  return { run, explain, root: new URL('../', entry).href, snapshots: () => import(snapshots) }
}

function entryResolvedFrom(job: URL): URL | undefined {
  if (job.protocol !== 'file:') return undefined
  const path = fileURLToPath(job)
  // Node resolves the imports of a module from where it really is, not from a link to it.
  const from = existsSync(path) ? realpathSync(path) : path
  try {
    return pathToFileURL(createRequire(from).resolve('millrace'))
  } catch {
    return undefined
  }
}

function ownEntry(): URL {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`../entry/index.${ending}`, import.meta.url)
}
