// The implementation of Aggregations: each call is an AggregateFunction under a name; what becomes of it, the stream says.
import { distinctCount, type KeptValuesOptions } from '../../functions/distinct-values.ts'
import { FIELD_AGGREGATES, type FieldAggregate, reduceOf } from '../../functions/field-aggregates.ts'
import { avg, count } from '../../functions/number-aggregates.ts'
import { type QuantilesOptions, quantiles } from '../../functions/quantiles.ts'
import { type TopNOptions, topN } from '../../functions/top-n.ts'
import type { AggregateFunction } from '../../model/functions.ts'
import { requireFunction, requireMethods, requireText } from './arguments.ts'
import { AGGREGATE_RULES } from './keyed-functions.ts'
import type { Aggregations, DataStream } from './streams.ts'

/** A stream with aggregations; it says how one becomes a step. */
export abstract class FieldAggregations<T> implements Aggregations<T> {
  /** The step that aggregates, by the name that it has in plans. */
  abstract aggregated<A, R>(name: string, aggregate: AggregateFunction<T, A, R>): DataStream<R>

  sum(field: string): DataStream<T> {
    return this.byField('sum', field)
  }

  min(field: string): DataStream<T> {
    return this.byField('min', field)
  }

  max(field: string): DataStream<T> {
    return this.byField('max', field)
  }

  minBy(field: string): DataStream<T> {
    return this.byField('minBy', field)
  }

  maxBy(field: string): DataStream<T> {
    return this.byField('maxBy', field)
  }

  count(): DataStream<number> {
    return this.aggregated('count', count())
  }

  avg(field: string): DataStream<number> {
    requireText('avg()', 'the field', field)
    return this.aggregated(`avg(${field})`, ofRecords<T, number>(avg(field)))
  }

  topN(n: number, options: TopNOptions<T>): DataStream<readonly T[]> {
    const by = typeof options?.by === 'string' ? ` by ${options.by}` : ''
    return this.aggregated(`topN(${n}${by})`, topN(n, options))
  }

  distinctCount(field: string, options?: KeptValuesOptions): DataStream<number> {
    requireText('distinctCount()', 'the field', field)
    return this.aggregated(`distinctCount(${field})`, ofRecords<T, number>(distinctCount(field, options)))
  }

  quantiles(field: string, fractions: readonly number[], options?: QuantilesOptions): DataStream<readonly number[]> {
    requireText('quantiles()', 'the field', field)
    const aggregate = ofRecords<T, readonly number[]>(quantiles(field, fractions, options))
    return this.aggregated(`quantiles(${field})`, aggregate)
  }

  reduce(fn: (earlier: T, later: T) => T): DataStream<T> {
    requireFunction('reduce()', fn)
    return this.aggregated('reduce', reduceOf(fn))
  }

  aggregate<A, R>(fn: AggregateFunction<T, A, R>): DataStream<R> {
    requireMethods('aggregate()', fn, AGGREGATE_RULES)
    return this.aggregated('aggregate', fn)
  }

  private byField(name: FieldAggregate, field: string): DataStream<T> {
    requireText(`${name}()`, 'the field', field)
    return this.aggregated(`${name}(${field})`, FIELD_AGGREGATES[name]<T>(field))
  }
}

/**
 * The class with the aggregations beside what it has. A keyed stream is a data stream already, and a class has one base: so the methods are
 * copied to a class between.
 */
export function withFieldAggregations<Base extends object>(base: Base): Base {
  const parent = base as unknown as new (...init: unknown[]) => object
  const extended = class extends parent {}
  for (const [name, method] of Object.entries(Object.getOwnPropertyDescriptors(FieldAggregations.prototype))) {
    if (name !== 'constructor') Object.defineProperty(extended.prototype, name, method)
  }
  return extended as unknown as Base
}

// The interface has checked that records have the field; the implementation knows its name as a text only.
function ofRecords<T, R>(aggregate: AggregateFunction<never, unknown, R>): AggregateFunction<T, unknown, R> {
  return aggregate as unknown as AggregateFunction<T, unknown, R>
}
