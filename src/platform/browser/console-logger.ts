// Log lines on the browser's console, at the console's own levels.
import type { Logger, LogLevel } from '../../base/logger.ts'
import { isLogged, logLine } from '../log-line.ts'
import { browserGlobals } from './browser-globals.ts'

/** A logger of one console entry each: level, message, fields as `key=value`. Entries below `level` (`info` unless said otherwise) are dropped. */
export function browserLogger(options: { readonly level?: LogLevel } = {}): Logger {
  const { level: threshold = 'info' } = options
  return {
    log(level, message, fields) {
      if (isLogged(level, threshold)) browserGlobals().console[level](logLine(level, message, fields))
    },
  }
}
