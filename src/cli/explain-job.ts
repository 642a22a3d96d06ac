// `millrace explain`: how a job would run, on standard output.
import { type JobFile, withJobFile } from './job-file.ts'

/** What the command line says of an explanation. */
export interface ExplainJobOptions {
  readonly parallelism?: number | undefined
  readonly json?: boolean | undefined
}

/** Writes the plan of the job, which does not run; returns the exit code. */
export function explainJob(job: string, args: readonly string[], options: ExplainJobOptions): Promise<number> {
  return withJobFile(job, args, async ({ url, millrace }: JobFile) => {
    const { text, json } = await millrace.explain(url, { args, parallelism: options.parallelism })
    process.stdout.write(`${options.json === true ? JSON.stringify(json, null, 2) : text}\n`)
    return 0
  })
}
