// Runs a case of these tests with so many threads, and gives what came out.
import { environment, type JobResult, run } from '../../../../src/entry/index.ts'
import { build, isBatch } from './cases.ts'
import { collected } from './collected.ts'

/** The module of the jobs. */
export const CASES_URL = new URL('./cases.ts', import.meta.url)

/** How a case is to be run. */
export interface CaseRun {
  readonly threads: number
  readonly parallelism: number
  /** The directory that files are written to; a callback takes the records unless given. */
  readonly output?: string
  /** The job's directory; checkpoints are taken if it is given. */
  readonly directory?: string
}

/** Runs it to its end, after which `collected` has what a callback was given. */
export async function runCase(name: string, { threads, parallelism, output, directory }: CaseRun): Promise<JobResult> {
  collected.length = 0
  const args = [name, output ?? 'callback', `${directory !== undefined}`]
  if (!isBatch(name))
    return run(CASES_URL, { args, threads, parallelism, ...(directory === undefined ? {} : { directory }) })
  // run() has no word for batch mode, which is an option of the environment.
  const env = environment({ runtimeMode: 'batch', parallelism })
  build(env, args)
  const threaded = { count: threads, jobUrl: CASES_URL.href, args, parallelism }
  return env.execute('case', {
    ...(threads === 1 ? {} : { threads: threaded }),
    ...(directory === undefined ? {} : { directory }),
  })
}
