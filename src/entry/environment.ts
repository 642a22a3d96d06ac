// Node's way to an environment: the local launcher with all connectors that Node has.
import type { EnvironmentOptions, StreamEnvironment } from '../api/datastream/environment.ts'
import { nodeConnectors } from '../connectors/node.ts'
import type { JobLauncher } from '../model/job.ts'
import { nodeFiles } from '../platform/node/node-files.ts'
import { nodePlatform } from '../platform/node/node-platform.ts'
import { localLauncher } from '../runners/local/local-launcher.ts'
import { nodeCrews } from '../runners/local/threads/node-threads.ts'
import { nodeDirectories } from './job-directories.ts'
import { currentLaunch } from './launch-context.ts'

const PARALLELISM_DEFAULT = 1
/** Beside this module, in the sources and in the package alike. */
const JOB_THREAD_URL = new URL(`./job-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)

/**
 * A new environment to build a job with. Its parallelism is the one given here, else that of `millrace run` or run(), else 1.
 * Throws OPTION_INVALID for a parallelism that is not a whole number from 1.
 * @example
 * ```ts
 * import { environment } from 'millrace'
 * const env = environment()
 * env
 *   .fromElements('to be or not', 'to be')
 *   .flatMap(line => line.split(' '))
 *   .map(word => ({ word, frequency: 1 }))
 *   .keyBy('word')
 *   .sum('frequency')
 *   .print()
 * await env.execute('word count')
 * ```
 */
export function environment(options: EnvironmentOptions = {}): StreamEnvironment {
  return currentLaunch().createEnvironment(nodeLauncher(), options)
}

function nodeLauncher(): JobLauncher {
  const platform = { ...nodePlatform(), openDirectory: nodeDirectories() }
  const connectors = nodeConnectors({ text: platform.text, files: nodeFiles('/') })
  const openCrew = nodeCrews(JOB_THREAD_URL, platform)
  return localLauncher({ platform, connectors, defaultParallelism: PARALLELISM_DEFAULT, openCrew })
}
