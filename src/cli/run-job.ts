// `millrace run`: one job from start to exit code, with signals and progress.
import type { JobResult } from '../entry/index.ts'
import { withJobFile } from './job-file.ts'
import { JobSignals } from './job-signals.ts'
import { Progress } from './progress.ts'

/** What the command line says of a run. */
export interface RunJobOptions {
  readonly parallelism?: number | undefined
  readonly progress: boolean
}

/** Runs the job; returns 0 at the end of its input, 130 or 143 after a signal, 1 after a failure, which it tells. */
export function runJob(job: string, args: readonly string[], options: RunJobOptions): Promise<number> {
  const progress = options.progress ? new Progress(process) : undefined
  const signals = new JobSignals(process, () => {
    progress?.say('stopping: records under way are finished (again to end at once)')
  })
  return withJobFile(job, args, async ({ url, millrace }) => {
    try {
      const result = await millrace.run(url, {
        args,
        parallelism: options.parallelism,
        onStart: handle => {
          signals.add(handle)
          progress?.follow(handle)
        },
      })
      progress?.say(resultText(result))
      return signals.exitCode
    } finally {
      progress?.close()
      signals.close()
    }
  })
}

function resultText({ name, status, durationMs, recordsIn, recordsOut }: JobResult): string {
  return `job "${name}" ${status} after ${durationMs} ms: ${recordsIn} records in, ${recordsOut} out`
}
