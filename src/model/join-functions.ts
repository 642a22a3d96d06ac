// The contracts of functions that join the records of two streams pair by pair.
import type { Collector, OpenContext, TimeDomain } from './functions.ts'
import type { OutputTag } from './output-tag.ts'

/** Which records of an interval join come out without a partner: none, those of the left, of the right, or of both streams. */
export type JoinType = 'inner' | 'left' | 'right' | 'full'

/**
 * What a function of pairs can reach beside the pair. In processing time the timestamps are those of arrival. `ML` and `MR` are undefined
 * where the left or right side may be missing, else never.
 */
export interface IntervalJoinContext<ML = never, MR = never> {
  readonly leftTimestamp: number | ML
  readonly rightTimestamp: number | MR
  /** The later of the two, epoch ms; in event time that of what is emitted. */
  readonly timestamp: number
  /** The operator's watermark in epoch ms; -Infinity before the first one. */
  currentWatermark(): number
  /** Processing time in epoch ms. */
  currentProcessingTime(): number
  /** Emits to a side output, with the timestamp of the pair. */
  output<X>(tag: OutputTag<X>, record: NoInfer<X>): void
}

/** A function over the pairs of an interval join. In outer joins a side without partner comes with undefined instead of one. */
export interface IntervalJoinFunction<A, B, O, ML = never, MR = never> {
  open?(context: OpenContext): void
  onPair(left: A | ML, right: B | MR, ctx: IntervalJoinContext<ML, MR>, out: Collector<O>): void
  close?(): void
}

/** An interval join as data: which pairs match, by which time, and what becomes of the others. */
export interface IntervalJoinSpec {
  /** A pair matches when left + lowerMs <= right <= left + upperMs; -Infinity and Infinity for no bound. */
  readonly lowerMs: number
  readonly upperMs: number
  readonly isLowerExclusive: boolean
  readonly isUpperExclusive: boolean
  readonly timeDomain: TimeDomain
  readonly joinType: JoinType
  readonly lateLeftTag?: OutputTag<unknown>
  readonly lateRightTag?: OutputTag<unknown>
}

/** Whether a temporal join leaves out records for which no version is valid, or joins them with undefined. */
export type TemporalJoinType = 'inner' | 'left'

/** A temporal join as data: how versions of the table are found, and how long each is valid. */
export interface TemporalJoinSpec {
  readonly timeDomain: TimeDomain
  readonly joinType: TemporalJoinType
  readonly join: (record: unknown, version: unknown) => unknown
  /** True for a record of the table that says there is no version from its time on. */
  readonly isDeleted?: (version: unknown) => boolean
  /** A version is valid for records at most this much later; Infinity: until the next one. */
  readonly retentionMs: number
  readonly lateTag?: OutputTag<unknown>
  readonly lateVersionTag?: OutputTag<unknown>
}

/** A deduplication as data. */
export interface DeduplicationSpec {
  /** Records of a key at most this far from the first one are its duplicates; Infinity: all. */
  readonly withinMs: number
  readonly timeDomain: TimeDomain
  /** Which of a record and its duplicates comes out: the first to arrive, at once; or the last in time, when the time is over. */
  readonly keep: 'first' | 'last'
  readonly duplicatesTag?: OutputTag<unknown>
  readonly lateTag?: OutputTag<unknown>
}
