// Checks of what a caller hands in, made where the call is written: each failure names the call and its place in the user's code.
import type { ErrorCode } from '../../base/error-codes.ts'
import { preview, StreamError } from '../../base/errors.ts'
import { callerLocation, locationText } from '../../base/source-location.ts'
import type { WatermarkStrategy } from '../../model/watermark-strategy.ts'
import { watermarkOptionsMistake } from '../../time/watermark-strategies.ts'

/** An OPTION_INVALID for a call of the API: `timeWindow(0) (src/job.ts:12): the size ...`. */
export function optionInvalid(call: string, problem: string): StreamError {
  return misuse('OPTION_INVALID', call, problem)
}

/** Throws OPTION_INVALID unless the value is a function, USER_FUNCTION_ASYNC for one that is asynchronous by its form. */
export function requireFunction(call: string, value: unknown): void {
  requireCallback(call, value)
  const form = Object.prototype.toString.call(value)
  if (form === '[object AsyncFunction]' || form === '[object AsyncGeneratorFunction]') {
    const problem =
      'its function is async, but this step never waits; do asynchronous work with mapAsync(), or in a source or a sink'
    throw misuse('USER_FUNCTION_ASYNC', call, problem)
  }
}

/** Throws OPTION_INVALID unless the value is a function, asynchronous or not. */
export function requireCallback(call: string, value: unknown): void {
  if (typeof value !== 'function') throw optionInvalid(call, `expected a function, got ${preview(value)}`)
}

/** What the methods of a user's object may be. */
export interface MethodRules {
  readonly required: readonly string[]
  readonly optional?: readonly string[]
  /** True for objects that are not on the record path, such as sources and sinks. */
  readonly mayBeAsync?: boolean
}

/** Throws OPTION_INVALID unless the value is an object with the methods asked for. */
export function requireMethods(call: string, value: unknown, rules: MethodRules): void {
  const { required, optional = [], mayBeAsync = false } = rules
  if (typeof value !== 'object' || value === null) {
    throw optionInvalid(call, `expected an object with ${required.join(', ')}; got ${preview(value)}`)
  }
  const members = value as Readonly<Record<string, unknown>>
  for (const name of [...required, ...optional]) {
    if (members[name] === undefined && optional.includes(name)) continue
    if (mayBeAsync) requireCallback(`${call}: ${name}`, members[name])
    else requireFunction(`${call}: ${name}`, members[name])
  }
}

/** Throws OPTION_INVALID unless the value is a text with at least one character. */
export function requireText(call: string, what: string, value: unknown): void {
  if (typeof value === 'string' && value.length > 0) return
  throw optionInvalid(call, `${what} is ${preview(value)}; give a text that is not empty`)
}

/** Throws OPTION_INVALID unless the value is a whole number within the limits (both allowed). */
export function requireWhole(
  call: string,
  what: string,
  value: unknown,
  limits: { readonly min: number; readonly max?: number },
): void {
  const { min, max = Number.MAX_SAFE_INTEGER } = limits
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return
  const range = limits.max === undefined ? `from ${min}` : `from ${min} to ${max}`
  throw optionInvalid(call, `${what} is ${preview(value)}; give a whole number ${range}`)
}

/** Throws OPTION_INVALID unless the value is a watermark strategy whose options make sense. */
export function requireStrategy(call: string, value: unknown): void {
  requireMethods(call, value, { required: ['generator'], optional: ['timestamp'] })
  const mistake = watermarkOptionsMistake(value as WatermarkStrategy<never>)
  if (mistake !== undefined) throw optionInvalid(call, mistake)
}

/** An error of the given code for a call of the API, with its place in the user's code. */
export function misuse(code: ErrorCode, call: string, problem: string): StreamError {
  const place = locationText(callerLocation())
  return new StreamError(code, `${call}${place === '' ? '' : ` (${place})`}: ${problem}`)
}
