// Makes a long stream of few events in memory: further laps repeat the first one with later times and ids, as if the generator had gone on.
import type { NexmarkEvent } from './events.ts'
import type { EventList } from './streams.ts'

const EVENTS_PER_PERSON = 50
const AUCTIONS_PER_PERSON = 3

/** The events of one lap, again and again. Their number is a multiple of 50. */
export class Laps implements EventList {
  readonly length: number
  private readonly events: readonly NexmarkEvent[]
  private readonly lapMs: number

  constructor(events: readonly NexmarkEvent[], laps: number, eventsPerSecond: number) {
    if (events.length % EVENTS_PER_PERSON !== 0)
      throw new Error(`${events.length} events are no whole number of epochs`)
    this.events = events
    this.length = events.length * laps
    this.lapMs = (events.length * 1000) / eventsPerSecond
  }

  at(index: number): NexmarkEvent {
    const { events } = this
    if (index < events.length) return events[index]
    const lap = Math.floor(index / events.length)
    const people = (lap * events.length) / EVENTS_PER_PERSON
    return moved(events[index - lap * events.length], people, lap * this.lapMs)
  }
}

function moved(event: NexmarkEvent, people: number, laterMs: number): NexmarkEvent {
  const auctions = people * AUCTIONS_PER_PERSON
  if (event.kind === 'bid')
    return {
      kind: event.kind,
      auction: event.auction + auctions,
      bidder: event.bidder + people,
      price: event.price,
      channel: event.channel,
      url: event.url,
      dateTime: event.dateTime + laterMs,
      extra: event.extra,
    }
  const { id, dateTime } = event
  if (event.kind === 'person') return { ...event, id: id + people, dateTime: dateTime + laterMs }
  const expires = event.expires + laterMs
  return { ...event, id: id + auctions, seller: event.seller + people, dateTime: dateTime + laterMs, expires }
}
