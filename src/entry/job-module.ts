// Finds and imports the module of a job. What keeps it from loading, or what it throws, becomes a coded error here.
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { StreamEnvironment } from '../api/datastream/environment.ts'
import { errorText, StreamError } from '../base/errors.ts'
import { locationInStack, locationText } from '../base/source-location.ts'
import { loadProblem, pathOf } from './load-problem.ts'

/** What a module that is a job exports; a plain script exports nothing of the kind. */
export interface JobModule {
  readonly job?: (env: StreamEnvironment, args: readonly string[]) => unknown
}

const LIBRARY_ROOT = new URL('../', import.meta.url).href
// A script runs by being imported, so running it again means importing it anew; a job is a function and can be called again.
const scriptRuns = new Map<string, number>()

/** Where a job is: a URL, or a path relative to the working directory. */
export function jobUrl(job: URL | string): URL {
  if (job instanceof URL) return job
  return /^(file|data|https?):/.test(job) ? new URL(job) : pathToFileURL(resolve(job))
}

/** The last part of a job's URL without its ending: `word-count`; `job` for a module that has no name. */
export function jobName(url: URL): string {
  if (url.protocol === 'data:') return 'job'
  const file = url.pathname.slice(url.pathname.lastIndexOf('/') + 1)
  return file.replace(/\.[cm]?[jt]s$/, '') || 'job'
}

/** Imports the module, which runs a plain script. Throws what the script throws if it is a StreamError, else JOB_MODULE_FAILED. */
export async function importJob(url: URL): Promise<JobModule> {
  const runs = scriptRuns.get(url.href) ?? 0
  const fresh = new URL(url)
  if (runs > 0) fresh.searchParams.set('run', String(runs + 1))
  scriptRuns.set(url.href, runs + 1)
  let module: JobModule
  try {
    module = (await import(fresh.href)) as JobModule
  } catch (error) {
    throw loadError(url, error)
  }
  if (typeof module.job === 'function') scriptRuns.delete(url.href)
  return module
}

/** What a job's own code threw: a StreamError as it is, other errors wrapped with their place. */
export function jobError(what: string, error: unknown): StreamError {
  if (error instanceof StreamError) return error
  const place = error instanceof Error ? locationText(locationInStack(error.stack ?? '', LIBRARY_ROOT)) : ''
  const kind = error instanceof Error ? `${error.name}: ` : ''
  const message = `${what} threw ${kind}${errorText(error)}${place === '' ? '' : ` (${place})`}`
  return new StreamError('JOB_MODULE_FAILED', message, { cause: error })
}

function loadError(url: URL, error: unknown): StreamError {
  if (error instanceof StreamError) return error
  const problem = error instanceof Error ? loadProblem(url, error) : undefined
  if (problem === undefined) return jobError(pathOf(url.href), error)
  return new StreamError('JOB_MODULE_FAILED', problem, { cause: error })
}
