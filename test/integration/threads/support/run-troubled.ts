// Runs the job that gets into trouble in threads with limits of their own, and tells what it wrote and logged.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JobHandle, LaunchOptions } from '../../../../src/entry/index.ts'
import type { ThreadLimits } from '../../../../src/runners/local/threads/node-threads.ts'
import { keptLog, limitedEnvironment } from './limited-threads.ts'
import { argumentOf, CALM, job, type TroubledSettings } from './troubled-job.ts'

const JOB_URL = new URL('./troubled-job.ts', import.meta.url)

/** A folder for a job, which is removed in the end. */
export async function jobFolder(scope: { after(action: () => Promise<void>): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-trouble-'))
  scope.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** How it is run. */
export interface TroubledRun extends Partial<TroubledSettings> {
  readonly folder: string
  readonly threads: number
  readonly parallelism: number
  readonly limits?: ThreadLimits
  readonly launch?: LaunchOptions
}

/** Starts it. The job's directory and its output are in the folder. */
export function startTroubled(options: TroubledRun): { readonly handle: JobHandle; readonly log: readonly string[] } {
  const { folder, threads, parallelism, limits = {}, launch = {}, ...settings } = options
  const all: TroubledSettings = { ...CALM, flag: join(folder, 'flag'), output: join(folder, 'out'), ...settings }
  const { logger, entries } = keptLog()
  const env = limitedEnvironment(limits, parallelism, logger)
  const args = [argumentOf(all)]
  job(env, args)
  const handle = env.execute('troubled', {
    directory: join(folder, 'job'),
    threads: { count: threads, jobUrl: JOB_URL.href, args, parallelism },
    ...launch,
  })
  return { handle, log: entries }
}
