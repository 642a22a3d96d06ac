// Record path (bench/micro/copy-record.ts). The built-in aggregations of one field, and reduce, as AggregateFunction objects with Flink's
// meaning: sum, min and max keep the other fields of the first record; minBy and maxBy give the first record that holds the extreme.
import { isLess } from '../base/number-order.ts'
import type { AggregateFunction } from '../model/functions.ts'
import { REPLACED_FIELD, type ReplacedField, type Replacement } from '../model/replaced-field.ts'
import { notNumberIn, numberOf, synchronous } from './field-values.ts'

/** What minBy and maxBy remember: a record of the stream, and its field's value. */
export interface FieldAccumulator<T> {
  /** The record that holds the extreme; undefined before the first. */
  record: T | undefined
  value: number
}

/** What sum, min and max remember: a copy of the first record with the field's value so far; `NOTHING` before the first. */
export type ReplacedRecord = Record<string, unknown>

const NOTHING: ReplacedRecord = Object.freeze({})

/** What reduce remembers. */
export interface ReduceAccumulator<T> {
  hasValue: boolean
  value: T | undefined
}

/**
 * Sums the field; the other fields are those of the first record. FIELD_NOT_NUMBER when it meets something else than a number. A record
 * can be taken back, and leaves the other fields as they are; a part cannot, for then they would be those of a record that has left.
 */
export function sumOf<T>(field: string): AggregateFunction<T, unknown, T> {
  const call = `sum(${field})`
  return Object.freeze({
    ...replacing<T>('sum', field, (total, value) => total + value),
    retract: (accumulator: unknown, record: T) => {
      const value = numberOf(record, field, call)
      const total = accumulator as ReplacedRecord
      if (total === NOTHING) return withField(copyOf(record as ReplacedRecord), field, 0 - value)
      return withField(total, field, (total[field] as number) - value)
    },
  })
}

/** The least value of the field; the other fields are those of the first record. FIELD_NOT_NUMBER as for `sumOf`. */
export function minOf<T>(field: string): AggregateFunction<T, unknown, T> {
  return replacing('min', field, (least, value) => (isLess(value, least) ? value : least))
}

/** The greatest value of the field; the other fields are those of the first record. FIELD_NOT_NUMBER as for `sumOf`. */
export function maxOf<T>(field: string): AggregateFunction<T, unknown, T> {
  return replacing('max', field, (greatest, value) => (isLess(greatest, value) ? value : greatest))
}

/** The first record with the least value of the field, whole. FIELD_NOT_NUMBER as for `sumOf`. */
export function minByOf<T>(field: string): AggregateFunction<T, unknown, T> {
  return choosing(`minBy(${field})`, field, isLess)
}

/** The first record with the greatest value of the field, whole. FIELD_NOT_NUMBER as for `sumOf`. */
export function maxByOf<T>(field: string): AggregateFunction<T, unknown, T> {
  return choosing(`maxBy(${field})`, field, (value, greatest) => isLess(greatest, value))
}

/** The aggregations of one field, by the name of their call. */
export const FIELD_AGGREGATES = { sum: sumOf, min: minOf, max: maxOf, minBy: minByOf, maxBy: maxByOf } as const

/** A call that aggregates one field. */
export type FieldAggregate = keyof typeof FIELD_AGGREGATES

/** Joins records pairwise by a user function, in the order of arrival; one record alone is its own result. */
export function reduceOf<T>(reduce: (earlier: T, later: T) => T): AggregateFunction<T, ReduceAccumulator<T>, T> {
  const add = (accumulator: ReduceAccumulator<T>, record: T): ReduceAccumulator<T> => {
    accumulator.value = accumulator.hasValue ? synchronous('reduce()', reduce(accumulator.value as T, record)) : record
    accumulator.hasValue = true
    return accumulator
  }
  return Object.freeze({
    create: () => ({ hasValue: false, value: undefined }),
    add,
    merge: (a: ReduceAccumulator<T>, b: ReduceAccumulator<T>) => (b.hasValue ? add(a, b.value as T) : a),
    result: (accumulator: ReduceAccumulator<T>) => accumulator.value as T,
    needsRecords: true,
  })
}

// The accumulator is a private copy of the first record in which the field is replaced: one object to reach per key. Keeping the first
// record beside the value costs a second cache miss, 18 against 27 million updates per CPU second at 10 thousand keys.
function replacing<T>(
  replacement: Replacement,
  field: string,
  combine: (a: number, b: number) => number,
): AggregateFunction<T, unknown, T> {
  const call = `${replacement}(${field})`
  const replaced: ReplacedField = { field, replacement, notNumber: record => notNumberIn(record, field, call) }
  const aggregate: AggregateFunction<T, ReplacedRecord, T> = {
    ...{ [REPLACED_FIELD]: replaced },
    create: () => NOTHING,
    add: (accumulator: ReplacedRecord, record: T) => {
      const value = numberOf(record, field, call)
      if (accumulator === NOTHING) return copyOf(record as ReplacedRecord)
      accumulator[field] = combine(accumulator[field] as number, value)
      return accumulator
    },
    merge: (a: ReplacedRecord, b: ReplacedRecord) => {
      if (b === NOTHING) return a
      // A copy: the second accumulator stays whole, and nobody else's.
      if (a === NOTHING) return copyOf(b)
      a[field] = combine(a[field] as number, b[field] as number)
      return a
    },
    result: (accumulator: ReplacedRecord) => copyOf(accumulator) as T,
    needsRecords: true,
  }
  return Object.freeze(aggregate)
}

function choosing<T>(
  call: string,
  field: string,
  isBetter: (value: number, best: number) => boolean,
): AggregateFunction<T, unknown, T> {
  const aggregate: AggregateFunction<T, FieldAccumulator<T>, T> = {
    create: emptyAccumulator<T>,
    add: (accumulator: FieldAccumulator<T>, record: T) => {
      const value = numberOf(record, field, call)
      if (accumulator.record === undefined || isBetter(value, accumulator.value)) begin(accumulator, record, value)
      return accumulator
    },
    merge: (a: FieldAccumulator<T>, b: FieldAccumulator<T>) => {
      if (b.record === undefined) return a
      if (a.record === undefined || isBetter(b.value, a.value)) begin(a, b.record, b.value)
      return a
    },
    // The record went in and comes out as it is: records are never changed, so it may be emitted again and again.
    result: (accumulator: FieldAccumulator<T>) => accumulator.record as T,
    needsRecords: true,
  }
  return Object.freeze(aggregate)
}

function emptyAccumulator<T>(): FieldAccumulator<T> {
  return { record: undefined, value: 0 }
}

function begin<T>(accumulator: FieldAccumulator<T>, record: T, value: number): void {
  accumulator.record = record
  accumulator.value = value
}

// A spread copies 99 million records of two fields per CPU second, Object.assign 24, for-in 33 (bench/micro/copy-record.ts).
function copyOf(record: ReplacedRecord): ReplacedRecord {
  return Object.getPrototypeOf(record) === Object.prototype ? { ...record } : unusualCopy(record)
}

function withField(record: ReplacedRecord, field: string, value: number): ReplacedRecord {
  record[field] = value
  return record
}

function unusualCopy(record: object): Record<string, unknown> {
  if (Array.isArray(record)) return record.slice() as unknown as Record<string, unknown>
  return Object.assign(Object.create(Object.getPrototypeOf(record) as object | null), record)
}
