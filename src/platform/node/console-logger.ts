// Log lines on standard error, so that they do not mix with what a job prints.
import type { Clock } from '../../base/clock.ts'
import type { Logger, LogLevel } from '../../base/logger.ts'
import { isLogged, logLine } from '../log-line.ts'
import { systemClock } from '../system-clock.ts'

/** How a console logger writes. */
export interface ConsoleLoggerOptions {
  /** Entries below this level are dropped; `info` unless said otherwise. */
  readonly level?: LogLevel
  readonly clock?: Clock
  /** Takes each line with its line end; standard error unless said otherwise. */
  readonly write?: (line: string) => void
}

/** A logger of one line per entry: time, level, message, fields as `key=value`. Never throws. */
export function consoleLogger(options: ConsoleLoggerOptions = {}): Logger {
  const { level: threshold = 'info', clock = systemClock, write = writeToStandardError } = options
  return {
    log(level, message, fields) {
      if (!isLogged(level, threshold)) return
      try {
        write(`${new Date(clock.now()).toISOString()} ${logLine(level, message, fields)}\n`)
      } catch {
        // There is nowhere left to say that logging failed, and a job must not fail for it.
      }
    },
  }
}

function writeToStandardError(line: string): void {
  const { stderr } = process
  // Without a listener, a reader of standard error that goes away would end the process.
  if (stderr.listenerCount('error') === 0) stderr.on('error', () => {})
  stderr.write(line)
}
