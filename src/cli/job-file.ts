// What every command does around a job's file: it finds the job's copy of millrace, hands the job its arguments, and tells whatever goes
// wrong on the way in one paragraph, also what no promise of the job carries.
import { fileURLToPath } from 'node:url'
import { failureText } from '../entry/failure-text.ts'
import { jobUrl } from '../entry/job-module.ts'
import { type Millrace, millraceOf } from './millrace-of.ts'

/** A job's file and the copy of millrace that belongs to it. */
export interface JobFile {
  readonly url: URL
  readonly millrace: Millrace
}

const FAILED = 1

/** Calls `action` with the job; returns its exit code, or 1 after a failure, which is told on standard error. */
export async function withJobFile(
  job: string,
  args: readonly string[],
  action: (file: JobFile) => Promise<number>,
): Promise<number> {
  const url = jobUrl(job)
  const path = url.protocol === 'file:' ? fileURLToPath(url) : url.href
  let root: string | undefined
  const tell = (error: unknown): void => {
    process.stderr.write(`${failureText(error, path, root)}\n`)
  }
  // Thrown by a timer of the job's own, or a rejection that nothing waits for: the process cannot go on.
  const onUncaught = (error: unknown): void => {
    tell(error)
    process.exit(FAILED)
  }
  const onNothingLeft = (): void => {
    const mend = 'look at what the job awaits: something that nothing resolves, or a source that never ends its input'
    process.stderr.write(`JOB_MODULE_FAILED: ${path} waits for something that can no longer happen; ${mend}\n`)
    process.exit(FAILED)
  }
  process.on('uncaughtException', onUncaught)
  process.once('beforeExit', onNothingLeft)
  // A plain script has no other way to its arguments.
  process.argv = [process.execPath, path, ...args]
  try {
    const millrace = await millraceOf(url)
    root = millrace.root
    return await action({ url, millrace })
  } catch (error) {
    tell(error)
    return FAILED
  } finally {
    process.off('beforeExit', onNothingLeft)
  }
}
