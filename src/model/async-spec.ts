// What a step of asynchronous calls does, as data with the user's functions inside, and what such a function is given beside its record.
import type { CancelSignal } from './cancel-signal.ts'

/**
 * When results go on: `ordered` as their records came; `unordered` as soon as they are there, but never across a watermark. Both keep
 * watermarks right: none passes a record that came before it.
 */
export type AsyncOrder = 'ordered' | 'unordered'

/** What an asynchronous function gets beside its record. */
export interface AsyncContext {
  /** Which call for this record it is, from 1. */
  readonly attempt: number
  /**
   * Aborted when nobody waits for the call any more: its time is over, or the job was cancelled or failed. It is not the host's own
   * AbortSignal; to abort a `fetch`, listen to it and abort an AbortController.
   */
  readonly signal: CancelSignal
}

/** When a call is made again for the same record. */
export interface AsyncRetrySpec {
  /** Calls for one record at most, the first included. */
  readonly attempts: number
  /** The wait before the second call; each further one is `backoffFactor` times longer, up to `delayMsMax`. */
  readonly delayMs: number
  readonly backoffFactor: number
  readonly delayMsMax: number
  /** Whether a call that threw or rejected with this is worth another one. */
  readonly onError: (error: unknown) => boolean
  /** Whether a result is worth another call; the last result goes on as it is. */
  readonly onResult: (result: never) => boolean
}

/** A step of asynchronous calls. */
export interface AsyncSpec {
  /** `one`: a result is a record; `many`: it is an iterable of records. */
  readonly results: 'one' | 'many'
  readonly function: (record: never, ctx: AsyncContext) => unknown
  readonly order: AsyncOrder
  /** Records that are called for or wait for their turn to go on, per subtask; at that many no more are taken. */
  readonly capacity: number
  /** The time that one record may take, all attempts and waits together; Infinity for no limit. */
  readonly timeoutMs: number
  /** Gives the result of a record whose time is over; undefined: the job fails. */
  readonly onTimeout: ((record: never) => unknown) | undefined
  readonly retry: AsyncRetrySpec | undefined
}

/** A step of asynchronous calls in words: `async ordered, capacity 100, timeout 60000 ms`. */
export function asyncText({ order, capacity, timeoutMs, retry }: AsyncSpec): string {
  const timeout = timeoutMs === Infinity ? 'no timeout' : `timeout ${timeoutMs} ms`
  const attempts = retry === undefined ? '' : `, ${retry.attempts} attempts`
  return `async ${order}, capacity ${capacity}, ${timeout}${attempts}`
}
