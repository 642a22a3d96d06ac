// The options of joins and deduplication, as users give them.
import type { TimeDomain } from '../../model/functions.ts'
import type { OutputTag } from '../../model/output-tag.ts'

/** Says that a step may keep state without bound. */
export interface UnboundedStateOptions {
  /** True: state that no bound of time lets go of is meant. Without it such a step is STATE_UNBOUNDED. */
  readonly allowUnboundedState?: boolean
}

/** What all temporal joins have in common: `A` is the stream, `B` the table. */
export interface TemporalJoinSettings<A, B> extends UnboundedStateOptions {
  /** `event-time` (the default): the version that was valid at the record's time. `processing-time`: the one that arrived last. */
  readonly time?: TimeDomain
  /** A version is valid for records at most this many milliseconds later; until the next version unless said otherwise. */
  readonly retentionMs?: number
  /** True for records of the table that say that there is no version from their time on. */
  deleted?(version: B): boolean
  /** True: the table is read before the stream, until it has ended or is idle. */
  readonly bootstrap?: boolean
  /** With bootstrap: until the table's watermark has reached this time (epoch ms). Infinity: to its end, though it may look endless. */
  readonly bootstrapUntilMs?: number
  /** Takes records whose time the watermark had passed; without it they are counted. Event time only. */
  readonly sideOutputLateData?: OutputTag<A>
  /** Takes versions that came when a newer one was in force; without it they are counted. Event time only. */
  readonly sideOutputLateVersions?: OutputTag<B>
}

/** Records without a valid version are left out. */
export interface InnerTemporalJoin<A, B, O> extends TemporalJoinSettings<A, B> {
  readonly type?: 'inner'
  /** Makes the result of a record and the version valid for it. */
  join(record: A, version: B): O
}

/** Records without a valid version are joined with undefined. */
export interface LeftTemporalJoin<A, B, O> extends TemporalJoinSettings<A, B> {
  readonly type: 'left'
  /** Makes the result of a record and the version valid for it, if there is one. */
  join(record: A, version: B | undefined): O
}

/** How a stream is joined with the versions of a table. */
export type TemporalJoinOptions<A, B, O> = InnerTemporalJoin<A, B, O> | LeftTemporalJoin<A, B, O>

/** Which records are duplicates, and what becomes of them. */
export interface DeduplicateOptions<T> extends UnboundedStateOptions {
  /** Records of a key whose times are at most this many milliseconds from the first one's are its duplicates. */
  readonly withinMs?: number
  /** By which time: `event-time` unless said otherwise. */
  readonly time?: TimeDomain
  /** `first` (the default) emits the first record to arrive, at once; `last` the last in time, when no duplicate can come any more. */
  readonly keep?: 'first' | 'last'
  /** Takes the duplicates; without it they are counted. */
  readonly sideOutputDuplicates?: OutputTag<T>
  /** Takes records whose time the watermark had passed; without it they are counted. Event time only. */
  readonly sideOutputLateData?: OutputTag<T>
}
