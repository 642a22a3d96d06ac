// Errors between threads: what is cloned loses its class, so name, code, message, stack and cause travel as data.
import { ERROR_CODES, type ErrorCode } from '../../../base/error-codes.ts'
import { errorText, StreamError } from '../../../base/errors.ts'
import type { SentError } from './thread-messages.ts'

/** Causes of causes that are kept. */
const CAUSES_MAX = 5

/** The error as data. */
export function sendError(error: unknown, causesLeft = CAUSES_MAX): SentError {
  if (!(error instanceof Error)) return { code: undefined, name: 'Error', message: errorText(error), stack: undefined }
  const { name, message, stack, cause } = error
  const code = error instanceof StreamError ? error.code : undefined
  const sent = { code, name, message, stack }
  return cause === undefined || causesLeft === 0 ? sent : { ...sent, cause: sendError(cause, causesLeft - 1) }
}

/** The error again, with the stack of its thread. */
export function receiveError({ code, name, message, stack, cause }: SentError): Error {
  const options = cause === undefined ? undefined : { cause: receiveError(cause) }
  const isKnown = code !== undefined && Object.hasOwn(ERROR_CODES, code)
  const error = isKnown
    ? new StreamError(code as ErrorCode, message.replace(`${code}: `, ''), options)
    : new Error(message, options)
  if (!isKnown) error.name = name
  if (stack !== undefined) error.stack = stack
  return error
}
