// Record path (bench/micro/aggregates.ts). Quantiles of a field: exact while there are few different values, then with a bounded relative error (DDSketch, Masson, Rim and
// Lee, VLDB 2019: each value counts as the representative of its logarithmic bucket). Rounding values one by one keeps all laws of
// aggregates exact: order and parts make no difference, and what was added can be taken back.

import { preview } from '../base/errors.ts'
import { isLess } from '../base/number-order.ts'
import type { AggregateFunction } from '../model/functions.ts'
import { argumentInvalid, callText, numberReader, requireCount } from './field-values.ts'

const EXACT_VALUES_MAX_DEFAULT = 1000
const EXACT_VALUES_MAX_LIMIT = 1_000_000
const RELATIVE_ERROR_DEFAULT = 0.01
const RELATIVE_ERROR_MIN = 0.001
const RELATIVE_ERROR_MAX = 0.5
const FRACTIONS_MAX = 100
/** Numbers nearer to 0 count as 0 in buckets: below it doubles lose their relative precision. */
const MAGNITUDE_MIN = 1e-300

/** How exact quantiles are. */
export interface QuantilesOptions {
  /** Up to so many different values the quantiles are exact. 1,000 unless said otherwise; at most 1,000,000. */
  readonly exactValuesMax?: number
  /** Beyond them: how far a quantile may be from the exact one, as a share of that. 0.01 unless said otherwise; from 0.001 to 0.5. */
  readonly relativeError?: number
}

/** What quantiles remember. */
export interface CountedNumbers {
  /** How often each number came: the numbers themselves, or the representatives of their buckets. */
  times: Map<number, number>
  isExact: boolean
  /** The numbers in order; undefined when it has to be made anew. */
  sorted: number[] | undefined
}

/**
 * For each fraction (0 to 1) the least value of a field (or of what the function returns) such that this share of the records is at or below
 * it: 0 gives the least, 0.5 the median, 1 the greatest. Exact up to `exactValuesMax` different values, then at most `relativeError` away
 * also when values are taken back (magnitudes below 1e-300 count as 0; the number of buckets is bounded by the range of doubles, at 0.01 by 140,000 and usually some
 * hundreds). NaN is greater than every other number. Takes records back. A result costs O(different values or buckets), O(n log n) after
 * a new one. FIELD_NOT_NUMBER for what is no number, OPTION_INVALID for a wrong fraction or option.
 * @example
 * ```ts
 * import { environment, quantiles } from 'millrace'
 * const env = environment()
 * const calls = env.fromElements({ path: '/', ms: 5 }, { path: '/', ms: 900 }, { path: '/', ms: 7 })
 * calls.keyBy('path').countWindow(3).aggregate(quantiles('ms', [0.5, 0.99])).print()
 * await env.execute()
 * ```
 */
export function quantiles<F extends string>(
  field: F,
  fractions: readonly number[],
  options?: QuantilesOptions,
): AggregateFunction<Readonly<Record<F, number>>, unknown, readonly number[]>
export function quantiles<T>(
  selector: (record: T) => number,
  fractions: readonly number[],
  options?: QuantilesOptions,
): AggregateFunction<T, unknown, readonly number[]>
export function quantiles(
  selector: unknown,
  fractions: readonly number[],
  options: QuantilesOptions = {},
): AggregateFunction<never, unknown, readonly number[]> {
  const read = numberReader('quantiles', selector)
  const call = callText('quantiles', selector)
  const wanted = checkedFractions(call, fractions)
  const { exactValuesMax = EXACT_VALUES_MAX_DEFAULT, relativeError = RELATIVE_ERROR_DEFAULT } = options
  requireCount(call, 'exactValuesMax', exactValuesMax, { min: 0, max: EXACT_VALUES_MAX_LIMIT })
  const round = rounding(call, relativeError)
  const weigh = (numbers: CountedNumbers, value: number, times: number): void => {
    if (times === 0) return
    change(numbers, numbers.isExact ? value : round(value), times)
    if (numbers.isExact && numbers.times.size > exactValuesMax) roundAll(numbers, round)
  }
  const join = (a: CountedNumbers, b: CountedNumbers, sign: 1 | -1): CountedNumbers => {
    if (a.isExact && !b.isExact) roundAll(a, round)
    // The representative of a bucket is in it: rounding it again changes nothing.
    for (const [value, times] of b.times) weigh(a, value, sign * times)
    return a
  }
  const aggregate: AggregateFunction<unknown, CountedNumbers, readonly number[]> = {
    create: () => ({ times: new Map(), isExact: true, sorted: undefined }),
    add: (numbers, record) => {
      weigh(numbers, read(record), 1)
      return numbers
    },
    merge: (a, b) => join(a, b, 1),
    result: numbers => quantilesOf(numbers, wanted),
    retract: (numbers, record) => {
      weigh(numbers, read(record), -1)
      return numbers
    },
    subtract: (numbers, merged) => join(numbers, merged, -1),
    needsRecords: true,
  }
  return Object.freeze(aggregate as AggregateFunction<never, unknown, readonly number[]>)
}

function checkedFractions(call: string, fractions: unknown): readonly number[] {
  if (!Array.isArray(fractions) || fractions.length === 0 || fractions.length > FRACTIONS_MAX) {
    throw argumentInvalid(call, `the fractions are ${preview(fractions)}; give a list of 1 to ${FRACTIONS_MAX} numbers`)
  }
  for (const fraction of fractions as readonly unknown[]) {
    if (typeof fraction === 'number' && fraction >= 0 && fraction <= 1) continue
    throw argumentInvalid(call, `a fraction is ${preview(fraction)}; give a number from 0 to 1, such as 0.99`)
  }
  return [...(fractions as readonly number[])]
}

// Bucket i holds the magnitudes above base^(i-1) up to base^i; its representative is at most `relativeError` away from each of them.
function rounding(call: string, relativeError: unknown): (value: number) => number {
  if (
    typeof relativeError !== 'number' ||
    !(relativeError >= RELATIVE_ERROR_MIN && relativeError <= RELATIVE_ERROR_MAX)
  ) {
    throw argumentInvalid(
      call,
      `relativeError is ${preview(relativeError)}; give a number from ${RELATIVE_ERROR_MIN} to ${RELATIVE_ERROR_MAX}`,
    )
  }
  const logBase = Math.log((1 + relativeError) / (1 - relativeError))
  const logOffset = Math.log(1 - relativeError)
  return value => {
    if (!Number.isFinite(value)) return value
    const magnitude = Math.abs(value)
    if (magnitude < MAGNITUDE_MIN) return 0
    const bucket = Math.ceil(Math.log(magnitude) / logBase)
    const representative = Math.min(Math.exp(bucket * logBase + logOffset), Number.MAX_VALUE)
    return value < 0 ? -representative : representative
  }
}

function change(numbers: CountedNumbers, value: number, times: number): void {
  const before = numbers.times.get(value)
  if (before === undefined) numbers.sorted = undefined
  const after = (before ?? 0) + times
  if (after !== 0) {
    numbers.times.set(value, after)
    return
  }
  numbers.times.delete(value)
  numbers.sorted = undefined
}

function roundAll(numbers: CountedNumbers, round: (value: number) => number): void {
  const exact = numbers.times
  numbers.times = new Map()
  numbers.isExact = false
  for (const [value, times] of exact) change(numbers, round(value), times)
}

function quantilesOf(numbers: CountedNumbers, fractions: readonly number[]): readonly number[] {
  const { times } = numbers
  numbers.sorted ??= [...times.keys()].sort((a, b) => (isLess(a, b) ? -1 : isLess(b, a) ? 1 : 0))
  const { sorted } = numbers
  let count = 0
  for (const each of times.values()) count += each
  const order = fractions.map((_, i) => i).sort((i, j) => (fractions[i] as number) - (fractions[j] as number))
  const found = new Array<number>(fractions.length).fill(NaN)
  let at = 0
  let below = 0
  for (const i of order) {
    const rank = Math.max(1, Math.ceil((fractions[i] as number) * count))
    while (at < sorted.length && below + (times.get(sorted[at] as number) as number) < rank) {
      below += times.get(sorted[at] as number) as number
      at++
    }
    if (at < sorted.length) found[i] = sorted[at] as number
  }
  return found
}
