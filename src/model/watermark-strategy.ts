// The contract of timestamps and watermarks; implementations of the usual strategies are in time/.

/** Makes watermarks from the timestamps seen so far. watermark(t): no record with a timestamp <= t follows. */
export interface WatermarkGenerator {
  onRecord(timestampMs: number): void
  /** The watermark now; never goes back. -Infinity while none is known. */
  current(): number
}

/** How a stream gets its timestamps and watermarks. */
export interface WatermarkStrategy<T> {
  /** In words, for plans: `bounded out of orderness 5000 ms`. */
  readonly description: string
  /** The record's event time in epoch ms; without it the timestamps of the source stay. */
  readonly timestamp?: (record: T, previousTimestampMs: number | undefined) => number
  /** Makes the generator of one subtask. */
  readonly generator: () => WatermarkGenerator
  /** Without records for this long (processing time, ms) the subtask is idle and holds no watermark back. */
  readonly idleTimeoutMs?: number
}
