// What a frame of records holds: the same columns as a batch between two tasks.

/** Records as columns of equal length; a column that the edge does not have is undefined. */
export interface RecordColumns {
  readonly values: unknown[]
  /** Epoch ms, or -Infinity for none. */
  readonly timestamps: number[] | undefined
  readonly keys: unknown[] | undefined
  /** True where the record takes back one that was sent before. */
  readonly retractions: boolean[] | undefined
}

// The bits of the first byte of a frame.
export const HAS_TIMESTAMPS = 1
export const HAS_KEYS = 2
export const HAS_RETRACTIONS = 4

/** The first byte, the number of records, and where the text areas begin: four bytes each of the latter. */
export const HEADER_BYTES = 9
