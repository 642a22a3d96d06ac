// `millrace run`: one job from start to exit code, with signals and progress.
import { resolve } from 'node:path'
import type { JobResult } from '../entry/index.ts'
import { parseRenames } from '../entry/snapshots.ts'
import { withJobFile } from './job-file.ts'
import { JobSignals } from './job-signals.ts'
import { Progress } from './progress.ts'

/** What the command line says of a run. */
export interface RunJobOptions {
  readonly parallelism?: number | undefined
  readonly threads?: number | undefined
  readonly progress: boolean
  readonly dir?: string | undefined
  readonly storage?: string | undefined
  readonly from?: string | undefined
  readonly allowUnmapped?: boolean | undefined
  readonly rename?: readonly string[] | undefined
  /** Milliseconds. */
  readonly checkpointInterval?: number | undefined
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
        threads: options.threads,
        ...stateSettings(options),
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

/** What --from takes beside the directory of a savepoint. */
const FROM_WORDS: readonly string[] = ['beginning', 'newest', 'last']

// Only what was said is set, so that the job's own settings hold for the rest.
function stateSettings({ dir, storage, from, allowUnmapped, rename, checkpointInterval }: RunJobOptions): object {
  const settings = {
    directory: dir,
    storage,
    from: from === undefined || FROM_WORDS.includes(from) || from.includes('://') ? from : resolve(from),
    allowUnmapped,
    renames: rename === undefined ? undefined : parseRenames(rename),
    checkpointIntervalMs: checkpointInterval,
  }
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}

function resultText({ name, status, durationMs, recordsIn, recordsOut }: JobResult): string {
  return `job "${name}" ${status} after ${durationMs} ms: ${recordsIn} records in, ${recordsOut} out`
}
