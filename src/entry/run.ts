// Starting a job that is in a module of its own: run() for programs and for the command line, explain() to see its plan.
import { requireWhole } from '../api/datastream/arguments.ts'
import { StreamError } from '../base/errors.ts'
import { MAX_PARALLELISM_LIMIT } from '../model/graph.ts'
import type { Explanation, JobResult } from '../model/job.ts'
import { environment } from './environment.ts'
import { importJob, type JobModule, jobError, jobName, jobUrl } from './job-module.ts'
import { LaunchContext, type LaunchSettings, notExecuted, withinLaunch } from './launch-context.ts'
import { pathOf } from './load-problem.ts'
import { tellUncaughtFailures } from './uncaught.ts'

/** Far above the processors of any machine. */
const THREADS_MAX = 1024

/** How a job is to be started. */
export interface RunOptions extends LaunchSettings {
  /** The arguments of the job's function. */
  readonly args?: readonly string[]
}

/**
 * Runs the job in a module until it ends. The module exports `job(env, args)`, which builds the job (and may execute it), or is a plain
 * script that executes what it builds; a script is imported anew each time.
 *
 * Rejects with the failure of the job, JOB_NOT_EXECUTED, JOB_EMPTY, or JOB_MODULE_FAILED when the module cannot be loaded.
 * @example
 * ```ts
 * import { run } from 'millrace'
 * const source = `export function job(env, args) { env.fromElements(...args).print() }`
 * const result = await run(new URL(`data:text/javascript,${source}`), { args: ['to', 'be'] })
 * console.log(result.status, result.recordsOut)
 * ```
 */
export async function run(job: URL | string, options: RunOptions = {}): Promise<JobResult> {
  tellUncaughtFailures()
  const url = jobUrl(job)
  const launch = new LaunchContext('run', settingsOf('run()', options))
  return withinLaunch(launch, async () => {
    const env = await build(url, options.args ?? [], launch)
    if (env !== undefined && !env.isExecuted) env.execute(jobName(url))
    const results = await launch.results()
    const isForgotten = launch.unexecuted().length > 0
    if (isForgotten) throw notExecuted(pathOf(url.href))
    return results.at(-1) ?? nothingBuilt(url, launch)
  })
}

/**
 * The plan of the job in a module, which is built but not run. Several jobs of one script are explained one after the other.
 * Rejects like run().
 * @example
 * ```ts
 * import { explain } from 'millrace'
 * const source = `export function job(env) { env.fromElements(1, 2).map(n => n + 1).print() }`
 * const { text } = await explain(new URL(`data:text/javascript,${source}`))
 * console.log(text)
 * ```
 */
export async function explain(job: URL | string, options: RunOptions = {}): Promise<Explanation> {
  tellUncaughtFailures()
  const url = jobUrl(job)
  const launch = new LaunchContext('explain', settingsOf('explain()', options))
  return withinLaunch(launch, async () => {
    await build(url, options.args ?? [], launch)
    const explanations = [...launch.explanations, ...launch.unexecuted().map(env => env.explain(jobName(url)))]
    const [first] = explanations
    if (first === undefined) return nothingBuilt(url, launch)
    if (explanations.length === 1) return first
    return { text: explanations.map(each => each.text).join('\n\n'), json: explanations.map(each => each.json) }
  })
}

/** Builds the job, which for a plain script means to run it; returns the environment that was given to a function `job`. */
async function build(url: URL, args: readonly string[], launch: LaunchContext) {
  const module: JobModule = await importJob(url)
  if (typeof module.job !== 'function') return undefined
  launch.jobModule = { url, args }
  const env = environment()
  try {
    await module.job(env, args)
  } catch (error) {
    throw jobError(`job() of ${pathOf(url.href)}`, error)
  }
  return env
}

function settingsOf(call: string, { args: _args, ...settings }: RunOptions): LaunchSettings {
  const { parallelism } = settings
  if (parallelism !== undefined) {
    requireWhole(call, 'the parallelism', parallelism, { min: 1, max: MAX_PARALLELISM_LIMIT })
  }
  if (settings.threads !== undefined) requireWhole(call, 'threads', settings.threads, { min: 1, max: THREADS_MAX })
  return settings
}

function nothingBuilt(url: URL, launch: LaunchContext): never {
  if (launch.hasEnvironment) {
    const mend = 'end a stream in print(), addSink() or writeToFile(), or read one with executeAndCollect()'
    throw new StreamError('JOB_EMPTY', `${pathOf(url.href)} builds a job without a sink; ${mend}`)
  }
  const mend = 'export a function job(env, args), or build a job with environment() and execute it'
  throw new StreamError('JOB_EMPTY', `${pathOf(url.href)} builds no job; ${mend}`)
}
