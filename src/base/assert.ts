// States what must be true if the engine is right. A failed assert is a bug of Millrace and stops the job;
// what a user can cause is a StreamError instead.
import { StreamError } from './errors.ts'

/** Throws INTERNAL_ERROR unless the condition holds; the message says what the engine believed. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition)
    throw new StreamError(
      'INTERNAL_ERROR',
      `${message}; this is a bug in Millrace, please report it with the job's graph`,
    )
}

/** Marks a branch that the types rule out: throws INTERNAL_ERROR with the value found. */
export function unreachable(value: never, where: string): never {
  throw new StreamError('INTERNAL_ERROR', `${where}: unexpected value ${String(value)}; this is a bug in Millrace`)
}
