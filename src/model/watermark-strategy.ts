// The contract of timestamps and watermarks; implementations of the usual strategies are in time/.

/** Makes watermarks from the records seen so far. watermark(t): no record with a timestamp <= t follows. */
export interface WatermarkGenerator<T = unknown> {
  /** Sees each record before it goes on; its timestamp is cut to the future limit of the strategy. */
  onRecord(timestampMs: number, record: T): void
  /** The watermark now; what goes back is ignored. -Infinity while none is known. */
  current(): number
}

/**
 * When a generator is asked for its watermark: `per-batch` after each batch of its step; `per-record` after each record, and the
 * watermark goes on before the next record (punctuated watermarks); `everyMs` periodically, in processing time.
 */
export type WatermarkEmission = 'per-batch' | 'per-record' | { readonly everyMs: number }

/** Keeps the splits of a group together in event time: what is ahead is not read until the others catch up. */
export interface WatermarkAlignment {
  /** All splits of the job whose strategies name this group are aligned with each other. */
  readonly group: string
  /** How far (event time, ms) a split's watermark may be ahead of the group's smallest. */
  readonly maxDriftMs: number
}

/** How a stream gets its timestamps and watermarks. */
export interface WatermarkStrategy<T> {
  /** In words, for plans: `bounded out of orderness 5000 ms`. */
  readonly description: string
  /** The record's event time in epoch ms; without it the timestamps of the source stay. */
  readonly timestamp?: (record: T, previousTimestampMs: number | undefined) => number
  /** Makes the generator of one subtask or, where a source has the strategy, of one split. */
  readonly generator: () => WatermarkGenerator<T>
  /** When the generator is asked; `per-batch` unless said otherwise. */
  readonly emit?: WatermarkEmission
  /** Without records for this long (processing time, ms) the subtask or split is idle and holds no watermark back. */
  readonly idleTimeoutMs?: number
  /** Pauses splits that are ahead; only for strategies given to a source. */
  readonly alignment?: WatermarkAlignment
  /** How far ahead of processing time (ms) a timestamp may move the watermark; a day unless said otherwise. */
  readonly futureLimitMs?: number
}
