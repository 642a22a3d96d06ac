// The one error type that users meet. It carries a stable code and a message that says what was found, where, and what to do.
import type { ErrorCode } from './error-codes.ts'

/**
 * An error with a stable code; the message names the step, the value found, what was expected, and what to do next.
 * @example
 * ```ts
 * import { StreamError } from 'millrace'
 * try {
 *   throw new StreamError('OPTION_INVALID', 'parallelism is 0; give a whole number from 1')
 * } catch (error) {
 *   if (error instanceof StreamError) console.log(error.code)
 * }
 * ```
 */
export class StreamError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(`${code}: ${message}`, options)
    this.name = 'StreamError'
    this.code = code
  }
}

/** The text of whatever was thrown, on one line; an Error's message, else its string form. */
export function errorText(error: unknown): string {
  const text = error instanceof Error ? error.message.trim() || error.name : printable(error)
  return text.split('\n', 1)[0] as string
}

/** A short one-line picture of a value for an error message: JSON where possible, cut at `lengthMax` characters. */
export function preview(value: unknown, lengthMax = 120): string {
  const text = printable(value)
  return text.length > lengthMax ? `${cut(text, lengthMax)}... (${text.length} characters)` : text
}

function cut(text: string, lengthMax: number): string {
  // The two halves of a character beyond U+FFFF stay together.
  const isSplit = (text.codePointAt(lengthMax - 1) as number) > 0xffff
  return text.slice(0, isSplit ? lengthMax - 1 : lengthMax)
}

// JSON knows no bigint, and shows an error or a collection as if it were empty.
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Error) return `${value.name}: ${value.message}`
  const isList = value instanceof Map || value instanceof Set || value instanceof Uint8Array
  return isList ? [...value] : value
}

function printable(value: unknown): string {
  if (value === undefined) return 'undefined'
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number') return String(value)
  try {
    const text: string | undefined = JSON.stringify(value, (_, inner) => plain(inner))
    return text ?? String(value)
  } catch {
    return Object.prototype.toString.call(value)
  }
}
