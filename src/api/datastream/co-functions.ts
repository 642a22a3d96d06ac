// Record path. coMap and coFlatMap as functions of the two inputs of one step.
import { preview, StreamError } from '../../base/errors.ts'
import type { Collector } from '../../model/functions.ts'

/** A function over two inputs: what an unkeyed and a keyed step have in common. */
export interface TwoInputFunction<A, B, O> {
  onFirst(record: A, ctx: unknown, out: Collector<O>): void
  onSecond(record: B, ctx: unknown, out: Collector<O>): void
}

/** One record for each record, by one function for each input. */
export function coMapFunction<A, B, P, Q>(
  first: (record: A) => P,
  second: (record: B) => Q,
): TwoInputFunction<A, B, P | Q> {
  return {
    onFirst: (record, _, out) => out.collect(first(record)),
    onSecond: (record, _, out) => out.collect(second(record)),
  }
}

/** Any number of records for each record. Fails with USER_FUNCTION_RESULT when a function returns something else than an iterable object. */
export function coFlatMapFunction<A, B, P, Q>(
  first: (record: A) => Iterable<P>,
  second: (record: B) => Iterable<Q>,
): TwoInputFunction<A, B, P | Q> {
  return {
    onFirst: (record, _, out) => collectAll(first(record), out),
    onSecond: (record, _, out) => collectAll(second(record), out),
  }
}

function collectAll<O>(results: Iterable<O>, out: Collector<O>): void {
  if (Array.isArray(results)) {
    for (let i = 0; i < results.length; i++) out.collect(results[i] as O)
    return
  }
  // A text is iterable too, but its characters are hardly ever meant; flatMap refuses it as well.
  if (typeof results !== 'object' || results === null || !(Symbol.iterator in results)) failOnResult(results)
  for (const result of results) out.collect(result)
}

function failOnResult(results: unknown): never {
  if (results instanceof Promise) {
    throw new StreamError('USER_FUNCTION_ASYNC', 'its function returned a promise; return an array or another iterable')
  }
  const problem = `its function returned ${preview(results)}; return [] for no record and [x] for one`
  throw new StreamError('USER_FUNCTION_RESULT', problem)
}
