// Record path (bench/micro/aggregates.ts). How built-in functions read a record: by the name of a field or by a function, and what they make of a value that does not
// fit.
import { preview, StreamError } from '../base/errors.ts'

/** Reads a value of a record. */
export type Reader<V> = (record: unknown) => V

/** Throws OPTION_INVALID for an argument of a built-in function. */
export function argumentInvalid(call: string, problem: string): StreamError {
  return new StreamError('OPTION_INVALID', `${call}: ${problem}`)
}

/** Throws OPTION_INVALID unless the value is a whole number within the limits (both allowed). */
export function requireCount(
  call: string,
  what: string,
  value: unknown,
  limits: { readonly min: number; readonly max: number },
): void {
  if (typeof value === 'number' && Number.isInteger(value) && value >= limits.min && value <= limits.max) return
  throw argumentInvalid(call, `${what} is ${preview(value)}; give a whole number from ${limits.min} to ${limits.max}`)
}

/** The call in words: `avg(euros)`, or `avg()` where a function selects. Throws OPTION_INVALID when it is neither field nor function. */
export function callText(name: string, selector: unknown): string {
  if (typeof selector === 'function') return `${name}()`
  if (typeof selector === 'string' && selector.length > 0) return `${name}(${selector})`
  throw argumentInvalid(`${name}()`, `the field is ${preview(selector)}; give the name of a field, or a function`)
}

/** Reads the field that a selector names, or what its function returns. Throws USER_FUNCTION_ASYNC when that is a promise. */
export function valueReader(name: string, selector: unknown): Reader<unknown> {
  const call = callText(name, selector)
  if (typeof selector === 'function') return record => synchronous(call, (selector as Reader<unknown>)(record))
  const field = selector as string
  return record => (record as Readonly<Record<string, unknown>> | null | undefined)?.[field]
}

/** As `valueReader`, for numbers. What it gives throws FIELD_NOT_NUMBER for anything else. */
export function numberReader(name: string, selector: unknown): Reader<number> {
  const call = callText(name, selector)
  if (typeof selector === 'string') return record => numberOf(record, selector, call)
  const read = valueReader(name, selector)
  return record => {
    const value = read(record)
    if (typeof value === 'number') return value
    throw notNumber(`${call}: its function gives ${preview(value)}`)
  }
}

/** The number in a field of a record. Throws FIELD_NOT_NUMBER, naming the call, for anything else. */
export function numberOf(record: unknown, field: string, call: string): number {
  // A record that is null or undefined has no field either: the error below says so.
  const value = (record as Readonly<Record<string, unknown>> | null | undefined)?.[field]
  if (typeof value === 'number') return value
  throw notNumberIn(record, field, call)
}

/** FIELD_NOT_NUMBER for the field of a record. */
export function notNumberIn(record: unknown, field: string, call: string): StreamError {
  const value = (record as Readonly<Record<string, unknown>> | null | undefined)?.[field]
  return notNumber(`${call}: field "${field}" is ${preview(value)}`)
}

/** What a user's function returned. Throws USER_FUNCTION_ASYNC when it is a promise. */
export function synchronous<T>(call: string, result: T): T {
  if (!(result instanceof Promise)) return result
  throw new StreamError('USER_FUNCTION_ASYNC', `${call}: its function returned a promise; return the value itself`)
}

function notNumber(found: string): StreamError {
  return new StreamError(
    'FIELD_NOT_NUMBER',
    `${found}, expected a number; convert it with map() before, or drop such records with filter()`,
  )
}
