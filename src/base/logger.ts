// The port for structured log lines. Nothing pure prints; the platform decides where lines go.

/** Severity of a log line. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Takes structured log lines; must not throw. */
export interface Logger {
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void
}

/** Drops every line; for tests and for callers that want silence. */
export const silentLogger: Logger = { log: () => {} }
