// What lets the engine keep an aggregation as columns: an accumulator that is the first record of its key with one field replaced.

/** Where an AggregateFunction says so. Its other methods mean the same; they serve where columns do not fit. */
export const REPLACED_FIELD: unique symbol = Symbol('replaced field')

/** How the number follows from its value so far and that of the next record. NaN is greater than every other number. */
export type Replacement = 'sum' | 'min' | 'max'

/** A number field that is replaced. */
export interface ReplacedField {
  readonly field: string
  readonly replacement: Replacement
  /** The error for a record whose field is no number. */
  readonly notNumber: (record: unknown) => Error
}

/** The field that an aggregation replaces, if it is of that kind. */
export function replacedField(aggregate: object): ReplacedField | undefined {
  return (aggregate as { readonly [REPLACED_FIELD]?: ReplacedField })[REPLACED_FIELD]
}
