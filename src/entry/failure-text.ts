// What a person is told of a failure on standard error: one paragraph with the code, what, where and what to do, and no stack trace.
import { StreamError } from '../base/errors.ts'
import { locationInStack, locationText } from '../base/source-location.ts'
import { jobError } from './job-module.ts'

const LIBRARY_ROOT = new URL('../', import.meta.url).href
/** Failures whose cause may be in a function of the user, so that its place is worth a line. */
const OF_USER_CODE: readonly string[] = [
  'USER_FUNCTION_FAILED',
  'SOURCE_FAILED',
  'SINK_FAILED',
] satisfies readonly StreamError['code'][]

/**
 * The message of a failure, and the line of the user's code that threw where the message does not name it. `libraryRoot` is the URL of
 * the copy of millrace that ran the job. An error without a code is told as JOB_MODULE_FAILED of `where`.
 */
export function failureText(error: unknown, where: string, libraryRoot = LIBRARY_ROOT): string {
  const failure = isCoded(error) ? error : jobError(where, error)
  // A mistake of the engine is reported to its makers, who need all of it.
  if (failure.code === 'INTERNAL_ERROR') return `${failure.message}\n${stackOf(failure.cause ?? failure)}`
  const place = OF_USER_CODE.includes(failure.code) ? throwPlace(failure, libraryRoot) : ''
  return place === '' || failure.message.includes(place) ? failure.message : `${failure.message}\n  thrown at ${place}`
}

/** A StreamError of the job's own copy of millrace is not an instance of ours, but it has a code. */
export function isCoded(error: unknown): error is StreamError {
  if (error instanceof StreamError) return true
  return (
    error instanceof Error && error.name === 'StreamError' && typeof (error as { code?: unknown }).code === 'string'
  )
}

/** Where the innermost cause was thrown, if that was in the user's code and not in the library or another package. */
function throwPlace(failure: Error, libraryRoot: string): string {
  let cause: unknown = failure
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause
  if (cause === failure || !(cause instanceof Error)) return ''
  const libraryPath = locationText({ file: libraryRoot, line: 0, column: 0 }).replace(/:0$/, '')
  for (const line of (cause.stack ?? '').split('\n')) {
    // The message may be several lines; none of them is a frame.
    if (!/^\s+at /.test(line)) continue
    // What the user's code called in turn is further up, so the first frame of the library ends the search.
    if (line.includes(libraryRoot) || line.includes(libraryPath)) return ''
    if (/[\\/]node_modules[\\/]|\(?node:/.test(line)) continue
    const location = locationInStack(line, libraryRoot)
    if (location !== undefined) return locationText(location)
  }
  return ''
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
