// The streams that the queries read: all events with their event time, and those of one kind.
import { type DataStream, forBoundedOutOfOrderness, type StreamEnvironment, seconds } from 'millrace'
import type { Auction, Bid, NexmarkEvent, Person } from './events.ts'

/** How far the watermark stays behind the newest event, as in the reference's tables. */
const WATERMARK_LAG_MS = seconds(4)

/** A list of events that need not be in memory. */
export interface EventList {
  readonly length: number
  at(index: number): NexmarkEvent | undefined
}

/** The events as a source. One subtask reads them, so that they keep their order whatever the parallelism of the job. */
export function readEvents(env: StreamEnvironment, events: EventList): DataStream<NexmarkEvent> {
  const watermarks = forBoundedOutOfOrderness<NexmarkEvent>(WATERMARK_LAG_MS, { timestamp: event => event.dateTime })
  return env
    .generate((index: number) => events.at(index) as NexmarkEvent, { count: events.length, watermarks })
    .name('events')
    .setParallelism(1)
}

// The filters stay beside the source: records that went through several subtasks would lose their order, by which some queries tell
// which of two equal times came last.

/** The people who register. */
export function personsIn(events: DataStream<NexmarkEvent>): DataStream<Person> {
  return events
    .filter(event => event.kind === 'person')
    .name('persons')
    .setParallelism(1)
}

/** The auctions that open. */
export function auctionsIn(events: DataStream<NexmarkEvent>): DataStream<Auction> {
  return events
    .filter(event => event.kind === 'auction')
    .name('auctions')
    .setParallelism(1)
}

/** The bids. */
export function bidsIn(events: DataStream<NexmarkEvent>): DataStream<Bid> {
  return events
    .filter(event => event.kind === 'bid')
    .name('bids')
    .setParallelism(1)
}
