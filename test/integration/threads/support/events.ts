// What the jobs of these tests read: events by their number, so that every thread and every run makes the same.
import { type DataStream, forBoundedOutOfOrderness, type StreamEnvironment } from '../../../../src/entry/index.ts'

/** An event; `at` is its event time. */
export interface Event {
  readonly id: number
  readonly key: string
  readonly at: number
  readonly n: number
}

/** A stream as a job builds it; what it emits does not depend on which subtask is faster. */
export interface ThreadedCase {
  readonly name: string
  build(env: StreamEnvironment): DataStream<unknown>
}

/** How far an event may be behind the newest one before it. */
const OUT_OF_ORDER_MS = 50
const COUNT = 600
const KEYS = 11
/** Each of four splits goes from the first to the last event time. */
const EVENTS_PER_ROUND = COUNT / 4

/** The event of a number; the salt tells streams apart. */
export function eventOf(index: number, salt = 0): Event {
  const mixed = (index * 7919 + salt * 104_729) % 1009
  return { id: index, key: `k${mixed % KEYS}`, at: (index % EVENTS_PER_ROUND) * 10 + (mixed % 40), n: mixed % 97 }
}

/** Events over all subtasks, without timestamps. */
export function events(env: StreamEnvironment, salt = 0): DataStream<Event> {
  return env.generate((index: number) => eventOf(index, salt), { count: COUNT })
}

/** Events over all subtasks with timestamps, none of them late. */
export function timedEvents(env: StreamEnvironment, salt = 0): DataStream<Event> {
  const strategy = forBoundedOutOfOrderness<Event>(OUT_OF_ORDER_MS, { timestamp: event => event.at })
  return events(env, salt).assignTimestampsAndWatermarks(strategy)
}

/** Events of one subtask, in the order of their times: those of a key come in one order wherever it is. */
export function orderedEvents(env: StreamEnvironment, salt = 0): DataStream<Event> {
  const count = EVENTS_PER_ROUND
  return env
    .generate((index: number) => ({ ...eventOf(index, salt), at: index * 10 }), { count, timestamp: ({ at }) => at })
    .setParallelism(1)
}
