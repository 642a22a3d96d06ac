// What lets the engine keep an aggregation as columns: an accumulator that is the first record of its key with one field replaced.

/** Where an AggregateFunction says so. Its other methods mean the same; they serve where columns do not fit. */
export const REPLACED_FIELD: unique symbol = Symbol('replaced field')

/** A number field, and how it follows from its value so far and that of the next record. */
export interface ReplacedField {
  readonly field: string
  readonly combine: (soFar: number, next: number) => number
  /** The number of a record; throws FIELD_NOT_NUMBER. */
  readonly numberOf: (record: unknown) => number
}

/** The field that an aggregation replaces, if it is of that kind. */
export function replacedField(aggregate: object): ReplacedField | undefined {
  return (aggregate as { readonly [REPLACED_FIELD]?: ReplacedField })[REPLACED_FIELD]
}
