// The contract of incremental aggregations, of windows, of rolling results and of aggregating state alike.

/**
 * An incremental aggregation. `add` returns the accumulator and may change the one it is given; `result` must hand out a
 * value that later calls of `add` do not change.
 */
export interface AggregateFunction<T, A, R> {
  create(): A
  add(accumulator: A, record: T): A
  /** Joins two accumulators, of which the first holds the earlier records; may change and return the first, and leaves the second as it is. */
  merge(a: A, b: A): A
  result(accumulator: A): R
  /** Takes back a record that was added: needed where the stream has retractions. May change and return the accumulator. */
  retract?(accumulator: A, record: T): A
  /** Takes back an accumulator that was merged in: lets overlapping windows drop their oldest part. May change and return the first. */
  subtract?(accumulator: A, merged: A): A
  /** True when there is no result without records (a reduce, a greatest record): an empty pane then emits nothing. */
  readonly needsRecords?: boolean
}
