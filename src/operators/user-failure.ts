// What happens when a user's function throws: the failure is wrapped with the step and its place, once, at the step that called it.

import type { ErrorCode } from '../base/error-codes.ts'
import { errorText, preview, StreamError } from '../base/errors.ts'
import type { Vertex } from '../model/graph.ts'
import { stepText } from '../model/step-text.ts'

/** A failure on its way to the task, which adds the number of the record and turns it into a StreamError. */
export class StepFailure extends Error {
  readonly code: ErrorCode
  /** What happened, without the step. */
  readonly what: string
  /** What to do about it. */
  readonly mend: string
  readonly vertex: Vertex
  /** Which record of the subtask it was about, from 1; undefined: the one that the task took last. */
  recordNumber: number | undefined = undefined

  constructor(vertex: Vertex, code: ErrorCode, what: string, mend: string, cause?: unknown) {
    super(`${code}: ${stepText(vertex)}: ${what}; ${mend}`, cause === undefined ? undefined : { cause })
    this.code = code
    this.what = what
    this.mend = mend
    this.vertex = vertex
  }
}

/** What the user gets to see of a failure: step and place, what happened, `where` in the input, and what to do. */
export function stepError(failure: StepFailure, where: string): StreamError {
  const text = `${stepText(failure.vertex)}: ${failure.what}${where}; ${failure.mend}`
  return new StreamError(failure.code, text, { cause: failure.cause })
}

/** Throws what a user function's error means: `doing` says what it was doing, such as `on record {"a":1}`. */
export function failStep(vertex: Vertex, doing: string, error: unknown): never {
  if (error instanceof StepFailure) throw error
  // Built-in functions (sum, keys) throw coded errors of their own: the code stays, the step is added.
  if (error instanceof StreamError)
    throw new StepFailure(
      vertex,
      error.code,
      error.message.replace(`${error.code}: `, ''),
      `it happened ${doing}`,
      error,
    )
  throw new StepFailure(
    vertex,
    'USER_FUNCTION_FAILED',
    `its function threw ${doing}: ${error instanceof Error ? `${error.name}: ` : ''}${errorText(error)}`,
    'mend the function, or drop such records before it with filter()',
    error,
  )
}

/** As `failStep`, for a function that was given a record. */
export function failOnRecord(vertex: Vertex, record: unknown, error: unknown): never {
  failStep(vertex, `on record ${preview(record)}`, error)
}

/** Throws a failure of a given code on a record. */
export function failWith(vertex: Vertex, code: ErrorCode, what: string, mend: string): never {
  throw new StepFailure(vertex, code, what, mend)
}

/** The failure of a step outside its records (opening, asking for splits): keeps a coded error's code and adds the step. */
export function atStep(
  vertex: Vertex,
  code: ErrorCode,
  error: unknown,
  where: string = 'the job did not start',
): StepFailure {
  if (error instanceof StepFailure) return error
  if (error instanceof StreamError)
    return new StepFailure(vertex, error.code, error.message.replace(`${error.code}: `, ''), where, error)
  return new StepFailure(vertex, code, errorText(error), where, error)
}
