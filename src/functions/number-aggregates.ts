// Record path (bench/micro/aggregates.ts). Aggregates that give a number: count, sum, avg, min and max. What can take a record back does so exactly as far as numbers
// allow: NaN and the infinities are counted apart, and what additions round off is kept (Neumaier's sum).
import { isLess } from '../base/number-order.ts'
import type { AggregateFunction } from '../model/functions.ts'
import { numberReader, type Reader, valueReader } from './field-values.ts'
import { isAbsent } from './value-identity.ts'

/** What sum and avg remember. Counts go below zero where a record is taken back before it comes. */
export interface NumberSum {
  /** The sum of the finite numbers, and what it lost by rounding. */
  total: number
  lost: number
  finite: number
  nans: number
  infinities: number
  negativeInfinities: number
}

/**
 * The number of records, or of those whose field (or what the function returns) is neither null nor undefined. A
 * field that records may lack takes a function. Takes records back.
 * @example
 * ```ts
 * import { count, environment } from 'millrace'
 * const env = environment()
 * const sales = env.fromElements({ city: 'Cork', note: 'gift' }, { city: 'Cork', note: undefined })
 * sales.keyBy('city').aggregate(count('note')).print()
 * await env.execute()
 * ```
 */
export function count(): AggregateFunction<unknown, unknown, number>
export function count<F extends string>(field: F): AggregateFunction<Readonly<Record<F, unknown>>, unknown, number>
export function count<T>(selector: (record: T) => unknown): AggregateFunction<T, unknown, number>
export function count(selector?: unknown): AggregateFunction<never, unknown, number> {
  const weigh = selector === undefined ? one : presence(valueReader('count', selector))
  const aggregate: AggregateFunction<unknown, number, number> = {
    create: zero,
    add: (total, record) => total + weigh(record),
    merge: (a, b) => a + b,
    result: total => total,
    retract: (total, record) => total - weigh(record),
    subtract: (total, merged) => total - merged,
  }
  return opaque(aggregate)
}

/**
 * The sum of a field (or of what the function returns) as a number; 0 without records. Takes records back. NaN when a number is NaN.
 * What is added throws FIELD_NOT_NUMBER when it is no number.
 * @example
 * ```ts
 * import { environment, sum } from 'millrace'
 * const env = environment()
 * const sales = env.fromElements({ city: 'Cork', euros: 5 }, { city: 'Cork', euros: 7 })
 * sales.keyBy('city').countWindow(2).aggregate(sum('euros')).print()
 * await env.execute()
 * ```
 */
export function sum<F extends string>(field: F): AggregateFunction<Readonly<Record<F, number>>, unknown, number>
export function sum<T>(selector: (record: T) => number): AggregateFunction<T, unknown, number>
export function sum(selector: unknown): AggregateFunction<never, unknown, number> {
  return opaque(summing(numberReader('sum', selector), sumOfNumbers))
}

/**
 * The mean of a field (or of what the function returns). Takes records back. NaN when a number is NaN, and FIELD_NOT_NUMBER as `sum`.
 * @example
 * ```ts
 * import { avg, environment } from 'millrace'
 * const env = environment()
 * const sales = env.fromElements({ city: 'Cork', euros: 5 }, { city: 'Cork', euros: 7 })
 * sales.keyBy('city').countWindow(2).aggregate(avg('euros')).print()
 * await env.execute()
 * ```
 */
export function avg<F extends string>(field: F): AggregateFunction<Readonly<Record<F, number>>, unknown, number>
export function avg<T>(selector: (record: T) => number): AggregateFunction<T, unknown, number>
export function avg(selector: unknown): AggregateFunction<never, unknown, number> {
  const mean = (numbers: NumberSum): number => sumOfNumbers(numbers) / countOf(numbers)
  return opaque({ ...summing(numberReader('avg', selector), mean), needsRecords: true })
}

/**
 * The least value of a field (or of what the function returns) as a number. NaN is greater than every other number. FIELD_NOT_NUMBER as
 * `sum`.
 * @example
 * ```ts
 * import { environment, min } from 'millrace'
 * const env = environment()
 * const sales = env.fromElements({ city: 'Cork', euros: 5 }, { city: 'Cork', euros: 7 })
 * sales.keyBy('city').countWindow(2).aggregate(min('euros')).print()
 * await env.execute()
 * ```
 */
export function min<F extends string>(field: F): AggregateFunction<Readonly<Record<F, number>>, unknown, number>
export function min<T>(selector: (record: T) => number): AggregateFunction<T, unknown, number>
export function min(selector: unknown): AggregateFunction<never, unknown, number> {
  const least = (a: number, b: number): number => (isLess(b, a) ? b : a)
  // NaN is the greatest of all, so the least of nothing.
  return opaque(extreme(numberReader('min', selector), NaN, least))
}

/**
 * The greatest value of a field (or of what the function returns) as a number. NaN is greater than every other number. FIELD_NOT_NUMBER
 * as `sum`.
 * @example
 * ```ts
 * import { environment, max } from 'millrace'
 * const env = environment()
 * const sales = env.fromElements({ city: 'Cork', euros: 5 }, { city: 'Cork', euros: 7 })
 * sales.keyBy('city').countWindow(2).aggregate(max('euros')).print()
 * await env.execute()
 * ```
 */
export function max<F extends string>(field: F): AggregateFunction<Readonly<Record<F, number>>, unknown, number>
export function max<T>(selector: (record: T) => number): AggregateFunction<T, unknown, number>
export function max(selector: unknown): AggregateFunction<never, unknown, number> {
  const greatest = (a: number, b: number): number => (isLess(a, b) ? b : a)
  return opaque(extreme(numberReader('max', selector), -Infinity, greatest))
}

function summing(
  read: Reader<number>,
  result: (numbers: NumberSum) => number,
): AggregateFunction<unknown, NumberSum, number> {
  return {
    create: noNumbers,
    add: (numbers, record) => addNumber(numbers, read(record), 1),
    merge: (a, b) => addSum(a, b, 1),
    result,
    retract: (numbers, record) => addNumber(numbers, read(record), -1),
    subtract: (numbers, merged) => addSum(numbers, merged, -1),
  }
}

function extreme(
  read: Reader<number>,
  nothing: number,
  choose: (a: number, b: number) => number,
): AggregateFunction<unknown, number, number> {
  return {
    create: () => nothing,
    add: (best, record) => choose(best, read(record)),
    merge: choose,
    result: best => best,
    needsRecords: true,
  }
}

function noNumbers(): NumberSum {
  return { total: 0, lost: 0, finite: 0, nans: 0, infinities: 0, negativeInfinities: 0 }
}

function addNumber(numbers: NumberSum, value: number, times: 1 | -1): NumberSum {
  if (Number.isFinite(value)) {
    numbers.finite += times
    accumulate(numbers, times * value)
  } else if (value > 0) numbers.infinities += times
  else if (value < 0) numbers.negativeInfinities += times
  else numbers.nans += times
  return numbers
}

function addSum(a: NumberSum, b: NumberSum, times: 1 | -1): NumberSum {
  a.nans += times * b.nans
  a.infinities += times * b.infinities
  a.negativeInfinities += times * b.negativeInfinities
  a.finite += times * b.finite
  a.lost += times * b.lost
  accumulate(a, times * b.total)
  return a
}

// Without the lost part, [1e16, 1] with the first taken back would be 0: the 1 was rounded off when it was added.
function accumulate(numbers: NumberSum, term: number): void {
  const before = numbers.total
  const total = before + term
  numbers.lost += Math.abs(before) >= Math.abs(term) ? before - total + term : term - total + before
  numbers.total = total
}

function countOf({ finite, nans, infinities, negativeInfinities }: NumberSum): number {
  return finite + nans + infinities + negativeInfinities
}

function sumOfNumbers({ total, lost, nans, infinities, negativeInfinities }: NumberSum): number {
  if (nans > 0 || (infinities > 0 && negativeInfinities > 0)) return NaN
  if (infinities > 0) return Infinity
  if (negativeInfinities > 0) return -Infinity
  // Beyond the range of numbers nothing is known of what was lost.
  return Number.isFinite(total) ? total + lost : total
}

function zero(): number {
  return 0
}

function one(): number {
  return 1
}

function presence(read: Reader<unknown>): Reader<number> {
  return record => (isAbsent(read(record)) ? 0 : 1)
}

// Callers see the function's record and result; the accumulator is its own business.
function opaque<A>(aggregate: AggregateFunction<unknown, A, number>): AggregateFunction<unknown, unknown, number> {
  return Object.freeze(aggregate as AggregateFunction<unknown, unknown, number>)
}
