// The options of mapAsync and flatMapAsync: what a caller may say, checked and completed where the call is written.
import { preview } from '../../base/errors.ts'
import type { AsyncContext, AsyncOrder, AsyncRetrySpec, AsyncSpec } from '../../model/async-spec.ts'
import { optionInvalid, requireCallback, requireFunction, requireWhole } from './arguments.ts'

const CAPACITY_DEFAULT = 100
const TIMEOUT_MS_DEFAULT = 60_000
const DELAY_MS_DEFAULT = 100
const DELAY_MS_MAX_DEFAULT = 10_000
const BACKOFF_FACTOR_DEFAULT = 2

/** When a call is made again for the same record, instead of failing the job. */
export interface AsyncRetry<R> {
  /** Calls for one record at most, the first included. */
  readonly attempts: number
  /** The wait before the second call, ms; 100 unless said otherwise. */
  readonly delayMs?: number
  /** Each further wait is so many times longer; 2 unless said otherwise, 1 for equal waits. */
  readonly backoffFactor?: number
  /** No wait is longer than this, ms; 10,000 unless said otherwise. */
  readonly delayMsMax?: number
  /** Whether what was thrown is worth another call; always unless given. */
  readonly onError?: (error: unknown) => boolean
  /** Whether a result is worth another call; never unless given. The result of the last call goes on as it is. */
  readonly onResult?: (result: R) => boolean
}

/** How the calls of mapAsync and flatMapAsync are made. `R` is what a call gives, `P` what `onTimeout` gives in its stead. */
export interface AsyncOptions<T, R, P> {
  /**
   * `ordered` (unless said otherwise): results go on in the order of their records. `unordered`: as soon as they are there, but no
   * result passes a watermark that came before or after its record.
   */
  readonly order?: AsyncOrder
  /** Records under way in one subtask at most, results that wait for their turn included; 100 unless said otherwise. */
  readonly capacity?: number
  /** The time that one record may take, ms, all its calls and waits together; 60,000 unless said otherwise, Infinity for no limit. */
  readonly timeoutMs?: number
  /** `fail` (unless said otherwise) for ASYNC_TIMEOUT, or a function that gives the result of a record whose time is over. */
  readonly onTimeout?: 'fail' | ((record: T) => P)
  /** No second call unless given. */
  readonly retry?: AsyncRetry<R>
}

const OPTIONS = ['order', 'capacity', 'timeoutMs', 'onTimeout', 'retry']
const RETRY_OPTIONS = ['attempts', 'delayMs', 'backoffFactor', 'delayMsMax', 'onError', 'onResult']

/** The step of a call of the API. Throws OPTION_INVALID for what is not allowed. */
export function asyncSpec<T, R, P>(
  call: string,
  results: AsyncSpec['results'],
  fn: (record: T, ctx: AsyncContext) => unknown,
  options: AsyncOptions<T, R, P>,
): AsyncSpec {
  requireCallback(call, fn)
  requireKnown(call, options, OPTIONS)
  const { order = 'ordered', capacity = CAPACITY_DEFAULT, timeoutMs = TIMEOUT_MS_DEFAULT, onTimeout = 'fail' } = options
  if (order !== 'ordered' && order !== 'unordered') {
    throw optionInvalid(call, `order is ${preview(order)}; give 'ordered' or 'unordered'`)
  }
  requireWhole(call, 'capacity', capacity, { min: 1 })
  requireMs(call, 'timeoutMs', timeoutMs, { min: Number.MIN_VALUE })
  if (onTimeout !== 'fail') {
    if (typeof onTimeout !== 'function') {
      throw optionInvalid(call, `onTimeout is ${preview(onTimeout)}; give 'fail' or a function of the record`)
    }
    requireFunction(`${call}: onTimeout`, onTimeout)
  }
  return Object.freeze({
    results,
    function: fn,
    order,
    capacity,
    timeoutMs,
    onTimeout: onTimeout === 'fail' ? undefined : onTimeout,
    retry: options.retry === undefined ? undefined : retrySpec(call, options.retry),
  })
}

function retrySpec<R>(call: string, retry: AsyncRetry<R>): AsyncRetrySpec {
  requireKnown(`${call}: retry`, retry, RETRY_OPTIONS)
  const { attempts, delayMs = DELAY_MS_DEFAULT, backoffFactor = BACKOFF_FACTOR_DEFAULT } = retry
  const { delayMsMax = DELAY_MS_MAX_DEFAULT, onError = () => true, onResult = () => false } = retry
  requireWhole(call, 'attempts of retry', attempts, { min: 1 })
  requireMs(call, 'delayMs of retry', delayMs, { min: 0 })
  requireMs(call, 'delayMsMax of retry', delayMsMax, { min: 0 })
  if (!(typeof backoffFactor === 'number' && Number.isFinite(backoffFactor) && backoffFactor >= 1)) {
    throw optionInvalid(call, `backoffFactor of retry is ${preview(backoffFactor)}; give a number from 1`)
  }
  requireFunction(`${call}: onError of retry`, onError)
  requireFunction(`${call}: onResult of retry`, onResult)
  return Object.freeze({ attempts, delayMs, backoffFactor, delayMsMax, onError, onResult })
}

function requireMs(call: string, what: string, value: unknown, { min }: { readonly min: number }): void {
  if (typeof value === 'number' && value >= min) return
  throw optionInvalid(call, `${what} is ${preview(value)}; give milliseconds ${min > 0 ? 'above 0' : 'from 0'}`)
}

function requireKnown(call: string, options: unknown, names: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw optionInvalid(call, `expected an object of options, got ${preview(options)}`)
  }
  const unknown = Object.keys(options).find(name => !names.includes(name))
  if (unknown === undefined) return
  throw optionInvalid(call, `there is no option ${unknown}; there are ${names.join(', ')}`)
}
