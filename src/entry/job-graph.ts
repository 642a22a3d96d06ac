// The graph of a job in a module, which is built and never run: what its state is compared with.
import type { EnvironmentOptions, StreamEnvironment } from '../api/datastream/environment.ts'
import { StreamError } from '../base/errors.ts'
import type { Graph } from '../model/graph.ts'
import type { JobLauncher } from '../model/job.ts'
import { environment } from './environment.ts'
import { importJob, jobError, jobName } from './job-module.ts'
import { LaunchContext, withinLaunch } from './launch-context.ts'
import { pathOf } from './load-problem.ts'

/** How the job is built. */
export interface JobGraphOptions {
  readonly args: readonly string[]
  readonly parallelism: number | undefined
  /** The job that is meant, where a script builds several. */
  readonly name: string
}

/** Keeps the graph of each job that would have run. */
class GraphLaunch extends LaunchContext {
  readonly graphs: Graph[] = []

  override createEnvironment(launcher: JobLauncher, options: EnvironmentOptions): StreamEnvironment {
    const explain: JobLauncher['explain'] = (graph, checkpoints) => {
      this.graphs.push(graph)
      return launcher.explain(graph, checkpoints)
    }
    return super.createEnvironment({ ...launcher, explain }, options)
  }
}

/** Builds the job of a module. Throws JOB_EMPTY when it builds none, OPTION_INVALID when it builds several and none has the name. */
export async function graphOf(url: URL, { args, parallelism, name }: JobGraphOptions): Promise<Graph> {
  const launch = new GraphLaunch('explain', { parallelism })
  return withinLaunch(launch, async () => {
    await build(url, args)
    for (const env of launch.unexecuted()) env.explain(jobName(url))
    const { graphs } = launch
    const [first] = graphs
    if (first === undefined) {
      throw new StreamError('JOB_EMPTY', `${pathOf(url.href)} builds no job; export a function job(env, args)`)
    }
    if (graphs.length === 1) return first
    const named = graphs.find(graph => graph.name === name)
    if (named !== undefined) return named
    const names = graphs.map(graph => `"${graph.name}"`).join(', ')
    throw new StreamError(
      'OPTION_INVALID',
      `${pathOf(url.href)} builds the jobs ${names}, and the snapshot is of "${name}"`,
    )
  })
}

async function build(url: URL, args: readonly string[]): Promise<void> {
  const module = await importJob(url)
  if (typeof module.job !== 'function') return
  try {
    await module.job(environment(), args)
  } catch (error) {
    throw jobError(`job() of ${pathOf(url.href)}`, error)
  }
}
