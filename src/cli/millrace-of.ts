// Finds the copy of millrace that a job imports: the job's environments must come from the same copy that starts it.
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** What the command line needs of a copy of millrace. */
export type Millrace = Pick<typeof import('../entry/index.ts'), 'run' | 'explain'>

/** The job's own copy; this one where the job resolves none (it may be plain `export function job`). */
export async function millraceOf(job: string): Promise<Millrace> {
  let path: string
  try {
    path = createRequire(resolve(job)).resolve('millrace')
  } catch {
    return import('../entry/index.ts')
  }
  return (await import(pathToFileURL(path).href)) as Millrace
}
