// An environment whose threads have other limits than those of production: a test does not wait a minute for a thread that is lost.
import { StreamEnvironment } from '../../../../src/api/datastream/environment.ts'
import type { Logger } from '../../../../src/base/logger.ts'
import { nodeConnectors } from '../../../../src/connectors/node.ts'
import { nodeDirectories } from '../../../../src/entry/job-directories.ts'
import { nodeFiles } from '../../../../src/platform/node/node-files.ts'
import { nodePlatform } from '../../../../src/platform/node/node-platform.ts'
import { localLauncher } from '../../../../src/runners/local/local-launcher.ts'
import { nodeCrews, type ThreadLimits } from '../../../../src/runners/local/threads/node-threads.ts'

const JOB_THREAD_URL = new URL('../../../../src/entry/job-thread.ts', import.meta.url)

/** A logger that keeps what it is told, as text. */
export function keptLog(): { readonly logger: Logger; readonly entries: string[] } {
  const entries: string[] = []
  return {
    entries,
    logger: { log: (_level, message, fields) => void entries.push(`${message} ${JSON.stringify(fields)}`) },
  }
}

/** The environment; execute() is told of threads by its options. */
export function limitedEnvironment(limits: ThreadLimits, parallelism: number, logger: Logger): StreamEnvironment {
  const platform = { ...nodePlatform(), logger, openDirectory: nodeDirectories() }
  const connectors = nodeConnectors({ text: platform.text, files: nodeFiles('/') })
  const openCrew = nodeCrews(JOB_THREAD_URL, platform, limits)
  return new StreamEnvironment(localLauncher({ platform, connectors, defaultParallelism: parallelism, openCrew }))
}
