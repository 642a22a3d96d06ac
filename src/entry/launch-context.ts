// What `environment()` reads: whether jobs are to run or to be explained, with which settings, and what was built so far. This is the
// one registry at module level. It belongs to Node's entry; millrace/browser has no launch context.
import { AsyncLocalStorage } from 'node:async_hooks'
import { type EnvironmentOptions, StreamEnvironment } from '../api/datastream/environment.ts'
import { StreamError } from '../base/errors.ts'
import type { CancelSignal, Explanation, JobHandle, JobLauncher, JobResult, LaunchOptions } from '../model/job.ts'
import { anySignal } from './any-signal.ts'
import { finishedHandle } from './finished-handle.ts'
import { tellUncaughtFailures } from './uncaught.ts'

/** What the starter of a job says: the command line, or a caller of run(). */
export interface LaunchSettings {
  /** The parallelism of steps that do not say their own; what the job's environment says goes first. */
  readonly parallelism?: number | undefined
  /** Aborting it cancels every job that is started. */
  readonly signal?: CancelSignal | undefined
  /** As in the options of execute(), before which they go. A directory makes a job take checkpoints. */
  readonly directory?: string | undefined
  readonly storage?: string | undefined
  readonly from?: string | undefined
  readonly allowUnmapped?: boolean | undefined
  readonly renames?: Readonly<Record<string, string>> | undefined
  /** How often checkpoints are taken (ms); goes before what the job says. */
  readonly checkpointIntervalMs?: number | undefined
  /** How many threads jobs may run in: those of a module that exports `job`. 1 unless said otherwise. */
  readonly threads?: number | undefined
  /** Is told each job as it starts. */
  readonly onStart?: ((handle: JobHandle) => void) | undefined
}

/** One launch: jobs run, or are explained and never run. */
export class LaunchContext {
  readonly mode: 'run' | 'explain'
  /** The explanations of the jobs that would have run, in explain mode. */
  readonly explanations: Explanation[] = []
  /** True once an environment was made, executed or not. */
  hasEnvironment = false
  /** The module whose function `job` builds what is launched; undefined for a plain script. */
  jobModule: { readonly url: URL; readonly args: readonly string[] } | undefined
  private readonly settings: LaunchSettings
  private readonly environments = new Set<StreamEnvironment>()
  private readonly started: JobHandle[] = []

  constructor(mode: 'run' | 'explain', settings: LaunchSettings) {
    this.mode = mode
    this.settings = settings
  }

  /** A new environment whose jobs go to the launcher in the way of this launch. */
  createEnvironment(launcher: JobLauncher, options: EnvironmentOptions): StreamEnvironment {
    const environment = new StreamEnvironment(this.launcherOver(launcher), options)
    // Those that were executed need no watching any more; so a process that runs many jobs does not keep them all.
    for (const earlier of this.environments) if (earlier.isExecuted) this.environments.delete(earlier)
    this.environments.add(environment)
    this.hasEnvironment = true
    return environment
  }

  /** The environments that have sinks and were never executed. */
  unexecuted(): readonly StreamEnvironment[] {
    return [...this.environments].filter(environment => environment.hasSinks && !environment.isExecuted)
  }

  /** Waits for all jobs started so far and those started meanwhile. Rejects with the first failure. */
  async results(): Promise<readonly JobResult[]> {
    const results: JobResult[] = []
    while (results.length < this.started.length) {
      results.push(...(await Promise.all(this.started.slice(results.length).map(handle => handle.done))))
    }
    return results
  }

  private launcherOver(launcher: JobLauncher): JobLauncher {
    return {
      defaultParallelism: this.settings.parallelism ?? launcher.defaultParallelism,
      launch: (graph, options = {}) => {
        if (this.mode === 'run') {
          const all = this.withThreads(withRecovery(options, this.settings))
          return this.onStarted(launcher.launch(graph, this.withSignal(all)))
        }
        this.explanations.push(launcher.explain(graph, options.checkpoints))
        return finishedHandle(graph.name)
      },
      explain: (graph, checkpoints) => launcher.explain(graph, checkpoints),
    }
  }

  private onStarted(handle: JobHandle): JobHandle {
    // The launch of a whole process waits for nothing, so it keeps no handles.
    if (this !== processLaunch) this.started.push(handle)
    this.settings.onStart?.(handle)
    return handle
  }

  // Functions cannot be sent to another thread; a module can be imported there, and its job built again.
  private withThreads(options: LaunchOptions): LaunchOptions {
    const { threads: count = 1, parallelism } = this.settings
    if (count < 2) return options
    if (this.jobModule === undefined) throw notThreadable(count)
    const { url, args } = this.jobModule
    return { ...options, threads: { count, jobUrl: url.href, args, parallelism } }
  }

  private withSignal(options: LaunchOptions): LaunchOptions {
    const signal = anySignal(options.signal, this.settings.signal)
    return signal === undefined ? options : { ...options, signal }
  }
}

/** How often a job takes checkpoints that is given a directory and does not say. */
const CHECKPOINT_INTERVAL_MS = 10_000

function withRecovery(options: LaunchOptions, settings: LaunchSettings): LaunchOptions {
  const { directory, storage, from, allowUnmapped, renames, checkpointIntervalMs } = settings
  const isWanted =
    directory !== undefined || storage !== undefined || from !== undefined || checkpointIntervalMs !== undefined
  const { checkpoints = isWanted ? { intervalMs: CHECKPOINT_INTERVAL_MS } : undefined } = options
  return {
    ...options,
    ...(checkpoints === undefined
      ? {}
      : { checkpoints: { ...checkpoints, intervalMs: checkpointIntervalMs ?? checkpoints.intervalMs } }),
    ...(directory === undefined ? {} : { directory }),
    ...(storage === undefined ? {} : { storage }),
    ...(from === undefined ? {} : { from }),
    ...(allowUnmapped === undefined ? {} : { allowUnmapped }),
    ...(renames === undefined ? {} : { renames }),
  }
}

const processLaunch = new LaunchContext('run', {})
// Follows a job through everything it awaits, so that two jobs may be started at the same time.
const launches = new AsyncLocalStorage<LaunchContext>()

/** The launch that the caller is part of: that of run() or explain(), else that of the process. */
export function currentLaunch(): LaunchContext {
  const launch = launches.getStore()
  if (launch !== undefined) return launch
  tellUncaughtFailures()
  watchProcess()
  return processLaunch
}

/** Calls the function as part of the launch. */
export function withinLaunch<R>(launch: LaunchContext, fn: () => Promise<R>): Promise<R> {
  return launches.run(launch, fn)
}

/** The error of a script that builds sinks and never executes. */
export function notExecuted(where: string): StreamError {
  const mend = 'end it with `await env.execute()`, or collect a stream with executeAndCollect()'
  return new StreamError('JOB_NOT_EXECUTED', `${where} builds a job with sinks and never executes it; ${mend}`)
}

function notThreadable(count: number): StreamError {
  const mend = 'export function job(env, args) from it, and let that build the job on env without executing it'
  return new StreamError(
    'SCRIPT_NOT_THREADABLE',
    `a plain script cannot run in ${count} threads, since functions cannot be sent to another: ${mend}; or run it with one thread`,
  )
}

let isWatched = false

// A script that forgets execute() would end as if all were well.
function watchProcess(): void {
  if (isWatched) return
  isWatched = true
  process.once('beforeExit', () => {
    const hasFailed = process.exitCode !== undefined && process.exitCode !== 0
    if (hasFailed || processLaunch.unexecuted().length === 0) return
    process.stderr.write(`${notExecuted(process.argv[1] ?? 'this script').message}\n`)
    process.exitCode = 1
  })
}
