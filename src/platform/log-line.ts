// A log entry as one line of text, for loggers that write for people.
import { errorText, preview } from '../base/errors.ts'
import type { LogLevel } from '../base/logger.ts'

const SEVERITY: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 }

/** True when an entry of this level is to be written where only entries from `threshold` on are. */
export function isLogged(level: LogLevel, threshold: LogLevel): boolean {
  return SEVERITY[level] >= SEVERITY[threshold]
}

/** An entry without its time and line end: `WARN  message key=value other="with spaces"`. Never throws. */
export function logLine(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>> = {}): string {
  const parts = [level.toUpperCase().padEnd(5), oneLine(message)]
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) parts.push(`${name}=${fieldText(value)}`)
  }
  return parts.join(' ')
}

/** Fields are for a glance; what is longer is cut. */
const FIELD_LENGTH_MAX = 500

function fieldText(value: unknown): string {
  if (typeof value === 'string') return quoted(value)
  return value instanceof Error ? quoted(errorText(value)) : oneLine(preview(value, FIELD_LENGTH_MAX))
}

function quoted(text: string): string {
  const short = text.length > FIELD_LENGTH_MAX ? `${text.slice(0, FIELD_LENGTH_MAX)}...` : text
  return /^[^\s"=]+$/.test(short) ? short : JSON.stringify(short)
}

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ')
}
