// Record path (bench/micro/aggregates.ts). Aggregates of the different values of a field, exactly: their number, the values themselves; and the list of all values.
// Each has a bound on what it keeps, and fails beyond it.
import { StreamError } from '../base/errors.ts'
import type { AggregateFunction } from '../model/functions.ts'
import { callText, requireCount, valueReader } from './field-values.ts'
import { identityOf, isAbsent } from './value-identity.ts'

const VALUES_MAX_DEFAULT = 100_000
/** Half of what a Map holds in V8. */
const VALUES_MAX_LIMIT = 1 << 23

/** The bound of an aggregate that keeps values. */
export interface KeptValuesOptions {
  /** Values kept per key (and window); more are AGGREGATE_OVERFLOW. 100,000 unless said otherwise; at most 8,388,608. */
  readonly valuesMax?: number
}

interface CountedValue {
  readonly value: unknown
  /** Below zero where a value is taken back before it comes. */
  times: number
}

/** What the aggregates of different values remember. */
export interface DistinctValues {
  /** By identity, in the order in which the values came; none has a count of 0. */
  readonly counted: Map<unknown, CountedValue>
  /** How many have a count below zero. */
  missing: number
}

/**
 * The number of different values of a field (or of what the function returns), exactly; null and undefined are left out. Values compare
 * as keys do; AGGREGATE_OVERFLOW above `valuesMax`, KEY_INVALID for what cannot be a key. Takes records back.
 * @example
 * ```ts
 * import { distinctCount, environment } from 'millrace'
 * const env = environment()
 * const visits = env.fromElements({ page: '/', user: 'ann' }, { page: '/', user: 'bob' }, { page: '/', user: 'ann' })
 * visits.keyBy('page').aggregate(distinctCount('user')).print()
 * await env.execute()
 * ```
 */
export function distinctCount<F extends string>(
  field: F,
  options?: KeptValuesOptions,
): AggregateFunction<Readonly<Record<F, unknown>>, unknown, number>
export function distinctCount<T>(
  selector: (record: T) => unknown,
  options?: KeptValuesOptions,
): AggregateFunction<T, unknown, number>
export function distinctCount(
  selector: unknown,
  options: KeptValuesOptions = {},
): AggregateFunction<never, unknown, number> {
  return distinct('distinctCount', selector, options, ({ counted, missing }) => counted.size - missing)
}

/**
 * The different values of what the function returns, as a set; compared, bounded and left out as by `distinctCount`. A
 * result is a set of its own: it costs O(values). Takes records back.
 * @example
 * ```ts
 * import { collectSet, environment } from 'millrace'
 * const env = environment()
 * const visits = env.fromElements({ page: '/', user: 'ann' }, { page: '/', user: 'bob' }, { page: '/', user: 'ann' })
 * visits.keyBy('page').countWindow(3).aggregate(collectSet(visit => visit.user)).print()
 * await env.execute()
 * ```
 */
export function collectSet<T, V>(
  selector: (record: T) => V,
  options: KeptValuesOptions = {},
): AggregateFunction<T, unknown, ReadonlySet<NonNullable<V>>> {
  return distinct('collectSet', selector, options, valuesOf<NonNullable<V>>)
}

/**
 * What the function returns of each record, in the order of the records. AGGREGATE_OVERFLOW above `valuesMax`; a result
 * is a list of its own: it costs O(values).
 * @example
 * ```ts
 * import { collectList, environment } from 'millrace'
 * const env = environment()
 * const visits = env.fromElements({ page: '/', user: 'ann' }, { page: '/', user: 'bob' })
 * visits.keyBy('page').countWindow(2).aggregate(collectList(visit => visit.user)).print()
 * await env.execute()
 * ```
 */
export function collectList<T, V>(
  selector: (record: T) => V,
  options: KeptValuesOptions = {},
): AggregateFunction<T, unknown, readonly V[]> {
  const read = valueReader('collectList', selector)
  const { valuesMax = VALUES_MAX_DEFAULT } = options
  requireValuesMax('collectList()', valuesMax)
  const add = (values: V[], value: V): V[] => {
    if (values.length >= valuesMax) throw overflow('collectList()', valuesMax)
    values.push(value)
    return values
  }
  const aggregate: AggregateFunction<T, V[], readonly V[]> = {
    create: () => [],
    add: (values, record) => add(values, read(record) as V),
    merge: (a, b) => b.reduce(add, a),
    result: values => values.slice(),
  }
  return Object.freeze(aggregate as AggregateFunction<T, unknown, readonly V[]>)
}

function distinct<R>(
  name: string,
  selector: unknown,
  options: KeptValuesOptions,
  result: (values: DistinctValues) => R,
): AggregateFunction<never, unknown, R> {
  const call = callText(name, selector)
  const read = valueReader(name, selector)
  const { valuesMax = VALUES_MAX_DEFAULT } = options
  requireValuesMax(call, valuesMax)
  const change = (values: DistinctValues, record: unknown, times: 1 | -1): DistinctValues => {
    const value = read(record)
    if (isAbsent(value)) return values
    weigh(values, identityOf(call, value), value, times)
    if (values.counted.size > valuesMax) throw overflow(call, valuesMax)
    return values
  }
  const join = (a: DistinctValues, b: DistinctValues, sign: 1 | -1): DistinctValues => {
    for (const [identity, { value, times }] of b.counted) weigh(a, identity, value, sign * times)
    if (a.counted.size > valuesMax) throw overflow(call, valuesMax)
    return a
  }
  const aggregate: AggregateFunction<unknown, DistinctValues, R> = {
    create: () => ({ counted: new Map(), missing: 0 }),
    add: (values, record) => change(values, record, 1),
    merge: (a, b) => join(a, b, 1),
    result,
    retract: (values, record) => change(values, record, -1),
    subtract: (values, merged) => join(values, merged, -1),
  }
  return Object.freeze(aggregate as AggregateFunction<never, unknown, R>)
}

function weigh(values: DistinctValues, identity: unknown, value: unknown, times: number): void {
  const { counted } = values
  const known = counted.get(identity)
  if (known === undefined) {
    counted.set(identity, { value, times })
    if (times < 0) values.missing++
    return
  }
  const before = known.times
  known.times = before + times
  if (before < 0) values.missing--
  if (known.times < 0) values.missing++
  if (known.times === 0) counted.delete(identity)
}

function valuesOf<V>({ counted }: DistinctValues): ReadonlySet<V> {
  const values = new Set<V>()
  for (const { value, times } of counted.values()) if (times > 0) values.add(value as V)
  return values
}

function requireValuesMax(call: string, valuesMax: unknown): void {
  requireCount(call, 'valuesMax', valuesMax, { min: 1, max: VALUES_MAX_LIMIT })
}

function overflow(call: string, valuesMax: number): StreamError {
  return new StreamError(
    'AGGREGATE_OVERFLOW',
    `${call}: more than ${valuesMax} values of one key; raise valuesMax, use smaller windows, or approximateDistinctCount() to count them`,
  )
}
