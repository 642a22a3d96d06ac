// `millrace run`: one job from start to exit code, with signals and progress.
import type { JobHandle, JobResult } from '../entry/index.ts'
import { millraceOf } from './millrace-of.ts'
import { showProgress } from './progress.ts'

/** What the command line says of a run. */
export interface RunJobOptions {
  readonly parallelism?: number | undefined
  readonly progress: boolean
}

/** Exit codes of a job that a signal ended: 128 and the signal's number. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const

/** Runs the job; returns 0 at the end of its input, 130 or 143 after a signal. Rejects with the job's failure. */
export async function runJob(job: string, args: readonly string[], options: RunJobOptions): Promise<number> {
  const handles: JobHandle[] = []
  let exitCode = 0
  const onSignal = (signal: keyof typeof SIGNALS): void => {
    const isFirst = exitCode === 0
    exitCode = SIGNALS[signal]
    // Nothing to stop yet: the job is still being loaded.
    if (handles.length === 0) process.exit(exitCode)
    // A failure on the way is told by the run itself.
    for (const handle of handles) void (isFirst ? handle.stop() : handle.cancel())
    if (isFirst && options.progress)
      process.stderr.write('\nstopping: records under way are finished (again to end at once)\n')
  }
  for (const signal of Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]) process.on(signal, onSignal)
  // A plain script has no other way to its arguments.
  process.argv = [process.execPath, job, ...args]
  const { run } = await millraceOf(job)
  const progress = options.progress ? showProgress(() => handles.at(-1)) : undefined
  try {
    const result = await run(job, { args, parallelism: options.parallelism, onStart: handle => handles.push(handle) })
    progress?.stop()
    if (options.progress) process.stderr.write(`${resultText(result)}\n`)
    return exitCode
  } finally {
    progress?.stop()
    for (const signal of Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]) process.off(signal, onSignal)
  }
}

function resultText({ name, status, durationMs, recordsIn, recordsOut }: JobResult): string {
  return `job "${name}" ${status} after ${durationMs} ms: ${recordsIn} records in, ${recordsOut} out`
}
