// Node as a platform: its clock, event loop, standard error for log lines, standard output for printed records.
import type { LogLevel } from '../../base/logger.ts'
import type { Platform } from '../platform.ts'
import { systemClock } from '../system-clock.ts'
import { consoleLogger } from './console-logger.ts'
import { nodeEventLoop } from './node-event-loop.ts'
import { standardOutput } from './stream-text-output.ts'

/** The ports of a thread of Node; log entries below `logLevel` (`info` unless said otherwise) are dropped. */
export function nodePlatform(options: { readonly logLevel?: LogLevel } = {}): Platform {
  return {
    clock: systemClock,
    eventLoop: nodeEventLoop,
    logger: consoleLogger(options.logLevel === undefined ? {} : { level: options.logLevel }),
    text: standardOutput,
  }
}
