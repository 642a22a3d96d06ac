// Errors between threads: what is cloned loses its class, so code, message and stack travel as data.
import { ERROR_CODES, type ErrorCode } from '../../../base/error-codes.ts'
import { errorText, StreamError } from '../../../base/errors.ts'
import type { SentError } from './thread-messages.ts'

/** The error as data. */
export function sendError(error: unknown): SentError {
  if (!(error instanceof Error)) return { code: undefined, message: errorText(error), stack: undefined }
  return { code: error instanceof StreamError ? error.code : undefined, message: error.message, stack: error.stack }
}

/** The error again, with the stack of its thread. */
export function receiveError({ code, message, stack }: SentError): Error {
  const isKnown = code !== undefined && Object.hasOwn(ERROR_CODES, code)
  const error = isKnown ? new StreamError(code as ErrorCode, message.replace(`${code}: `, '')) : new Error(message)
  if (stack !== undefined) error.stack = stack
  return error
}
