// Record path (bench/micro/aggregates.ts). The first records of a key by a number: topN. Of equal ones the earlier stays before the later.

import { preview } from '../base/errors.ts'
import { isLess } from '../base/number-order.ts'
import type { NumberFieldOf } from '../model/field.ts'
import type { AggregateFunction } from '../model/functions.ts'
import { argumentInvalid, callText, numberReader, requireCount } from './field-values.ts'

/** Records that topN keeps at most. */
export const TOP_RECORDS_MAX = 10_000

/** By what topN orders. */
export interface TopNOptions<T> {
  /** A field that is a number, or a function that gives one. */
  readonly by: NumberFieldOf<T> | ((record: T) => number)
  /** `descending` (the greatest first) unless said otherwise. */
  readonly order?: 'descending' | 'ascending'
}

/** What topN remembers: the records, first one first, and their numbers. */
export interface TopRecords<T> {
  readonly records: T[]
  readonly values: number[]
}

/**
 * The first `n` records (1 to 10,000) by a number, of equal ones the earlier first; NaN is greater than every other number. A result
 * is a list of its own: it costs O(n). FIELD_NOT_NUMBER for what is no number; OPTION_INVALID for a wrong `n` or order. It cannot take
 * records back: what would move up is not kept.
 * @example
 * ```ts
 * import { environment, topN } from 'millrace'
 * const env = environment()
 * const sales = env.fromElements({ city: 'Cork', euros: 5 }, { city: 'Cork', euros: 9 }, { city: 'Cork', euros: 7 })
 * sales.keyBy('city').countWindow(3).aggregate(topN(2, { by: 'euros' })).print()
 * await env.execute()
 * ```
 */
export function topN<T>(n: number, options: TopNOptions<T>): AggregateFunction<T, unknown, readonly T[]> {
  requireCount('topN()', 'the number of records', n, { min: 1, max: TOP_RECORDS_MAX })
  const { by, order = 'descending' } = options ?? {}
  if (order !== 'descending' && order !== 'ascending') {
    throw argumentInvalid(callText('topN', by), `the order is ${preview(order)}; give 'descending' or 'ascending'`)
  }
  const read = numberReader('topN', by)
  const isBefore = order === 'ascending' ? isLess : (a: number, b: number): boolean => isLess(b, a)
  const insert = (top: TopRecords<T>, record: T, value: number): boolean => {
    const at = placeOf(top.values, value, isBefore)
    if (at === n) return false
    if (top.records.length === n) {
      top.records.pop()
      top.values.pop()
    }
    top.records.splice(at, 0, record)
    top.values.splice(at, 0, value)
    return true
  }
  const aggregate: AggregateFunction<T, TopRecords<T>, readonly T[]> = {
    create: () => ({ records: [], values: [] }),
    add: (top, record) => {
      insert(top, record, read(record))
      return top
    },
    merge: (a, b) => {
      // The first one that finds no place ends it: those after it are no better.
      for (let i = 0; i < b.records.length; i++) if (!insert(a, b.records[i] as T, b.values[i] as number)) break
      return a
    },
    result: top => top.records.slice(),
  }
  return Object.freeze(aggregate as AggregateFunction<T, unknown, readonly T[]>)
}

// Behind all that are before it or equal to it.
function placeOf(values: readonly number[], value: number, isBefore: (a: number, b: number) => boolean): number {
  let low = 0
  let high = values.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (isBefore(value, values[middle] as number)) high = middle
    else low = middle + 1
  }
  return low
}
