// A browser's page or web worker as a platform; it also works in other places with the same globals.
import type { LogLevel } from '../../base/logger.ts'
import type { Platform } from '../platform.ts'
import { systemClock } from '../system-clock.ts'
import { BrowserEventLoop } from './browser-event-loop.ts'
import { browserLogger } from './console-logger.ts'
import { consoleTextOutput } from './console-text-output.ts'

/** The ports of a page or web worker; log entries below `logLevel` (`info` unless said otherwise) are dropped. */
export function browserPlatform(options: { readonly logLevel?: LogLevel } = {}): Platform {
  return {
    clock: systemClock,
    eventLoop: new BrowserEventLoop(),
    logger: browserLogger(options.logLevel === undefined ? {} : { level: options.logLevel }),
    text: consoleTextOutput,
  }
}
