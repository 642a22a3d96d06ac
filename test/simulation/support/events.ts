// The input of simulated jobs: the same events in the same splits every time, so that checkers can work out what must come of them.
import type { StreamEnvironment } from '../../../src/api/datastream/environment.ts'
import type { DataStream } from '../../../src/api/datastream/streams.ts'
import { Prng } from '../../../src/base/prng.ts'
import type { ProcessFunction } from '../../../src/model/functions.ts'
import { type PacedRecord, pacedSource } from '../../../src/testing/simulation/paced-source.ts'
import { forBoundedOutOfOrderness, forMonotonousTimestamps } from '../../../src/time/watermark-strategies.ts'
import type { JobOutput } from './simulated-job.ts'

/** What simulated jobs read. */
export interface Event {
  readonly key: string
  /** Different for each event of a source. */
  readonly n: number
  /** Event time, ms. */
  readonly at: number
}

/** Events by split. */
export type Splits = readonly (readonly PacedRecord<Event>[])[]

/** How events are drawn. */
export interface EventOptions {
  readonly splits?: number
  /** Of each split. */
  readonly count?: number
  /** How far back an event may lie; one in twelve lies further. */
  readonly disorderMs?: number
  readonly salt?: number
  readonly keys?: number
}

const STEP_MS = 5

/** The events that the options stand for. */
export function eventsOf({ splits = 3, count = 60, disorderMs = 0, salt = 1, keys = 7 }: EventOptions = {}): Splits {
  const prng = new Prng(salt)
  const backMs = (): number => {
    if (disorderMs === 0) return 0
    return prng.below(prng.below(12) === 0 ? disorderMs * 6 : disorderMs)
  }
  return Array.from({ length: splits }, (_, split) =>
    Array.from({ length: count }, (_, index): PacedRecord<Event> => {
      const at = Math.max(0, index * STEP_MS - backMs())
      return { value: { key: `k${prng.below(keys)}`, n: split * count + index, at }, timestamp: at }
    }),
  )
}

/** Reads events; the order over several splits is open. */
export function readEvents(env: StreamEnvironment, options: EventOptions = {}): DataStream<Event> {
  return env.addSource(pacedSource(eventsOf(options)), { isBounded: true, hasTimestamps: true })
}

/** One split in order, with a watermark after each event. */
export function readInOrder(env: StreamEnvironment, options: EventOptions = {}): DataStream<Event> {
  return readEvents(env, { count: 150, ...options, splits: 1 })
    .setParallelism(1)
    .assignTimestampsAndWatermarks(forMonotonousTimestamps<Event>({ timestamp: event => event.at, emit: 'per-record' }))
    .setParallelism(1)
}

/** One split out of order, with a watermark after each event: what is late is late in every run. */
export function readOutOfOrder(env: StreamEnvironment, options: EventOptions = {}): DataStream<Event> {
  return readEvents(env, { count: 150, disorderMs: 30, ...options, splits: 1 })
    .setParallelism(1)
    .assignTimestampsAndWatermarks(
      forBoundedOutOfOrderness<Event>(20, { timestamp: event => event.at, emit: 'per-record' }),
    )
    .setParallelism(1)
}

/** Passes records on, and reports a watermark that goes back within an attempt of a subtask. */
export function watermarkProbe<T>(out: JobOutput): ProcessFunction<T, T> {
  const newest = new Map<number, number>()
  return {
    open: ({ subtaskIndex }) => {
      newest.set(subtaskIndex, -Infinity)
    },
    onRecord(record, ctx, collector) {
      const before = newest.get(ctx.subtaskIndex) ?? -Infinity
      const watermark = ctx.currentWatermark()
      if (watermark < before)
        out.report(`the watermark of subtask ${ctx.subtaskIndex} went back from ${before} to ${watermark}`)
      newest.set(ctx.subtaskIndex, watermark)
      collector.collect(record)
    },
  }
}
