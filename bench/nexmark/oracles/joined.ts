// Oracles of the joins: q3, q8, q13, q20, q23. Each has all events in hand and indexes one side of them.
import type { Auction, NexmarkEvent, Person } from '../events.ts'

function peopleById(events: readonly NexmarkEvent[]): ReadonlyMap<number, Person> {
  const people = new Map<number, Person>()
  for (const event of events) if (event.kind === 'person') people.set(event.id, event)
  return people
}

function auctionsBySeller(events: readonly NexmarkEvent[]): ReadonlyMap<number, readonly Auction[]> {
  const auctions = new Map<number, Auction[]>()
  for (const event of events) {
    if (event.kind !== 'auction') continue
    const own = auctions.get(event.seller)
    if (own === undefined) auctions.set(event.seller, [event])
    else own.push(event)
  }
  return auctions
}

export function localItems(events: readonly NexmarkEvent[]): readonly unknown[] {
  const people = peopleById(events)
  const rows: unknown[] = []
  for (const event of events) {
    if (event.kind !== 'auction' || event.category !== 10) continue
    const seller = people.get(event.seller)
    if (seller === undefined || !['OR', 'ID', 'CA'].includes(seller.state)) continue
    rows.push({ name: seller.name, city: seller.city, state: seller.state, id: event.id })
  }
  return rows
}

export function newSellers(events: readonly NexmarkEvent[]): readonly unknown[] {
  const auctions = auctionsBySeller(events)
  const rows: unknown[] = []
  for (const event of events) {
    if (event.kind !== 'person') continue
    const windowStart = event.dateTime - (event.dateTime % 10_000)
    const isSeller = auctions
      .get(event.id)
      ?.some(({ dateTime }) => dateTime >= windowStart && dateTime < windowStart + 10_000)
    if (isSeller === true) rows.push({ id: event.id, name: event.name, windowStart })
  }
  return rows
}

export function withSideInput(events: readonly NexmarkEvent[]): readonly unknown[] {
  const rows: unknown[] = []
  for (const event of events) {
    if (event.kind !== 'bid') continue
    const { auction, bidder, price, dateTime } = event
    rows.push({ auction, bidder, price, dateTime, value: `${auction % 10_000}` })
  }
  return rows
}

export function expandedBids(events: readonly NexmarkEvent[]): readonly unknown[] {
  const auctions = new Map<number, Auction>()
  for (const event of events) if (event.kind === 'auction' && event.category === 10) auctions.set(event.id, event)
  const rows: unknown[] = []
  for (const event of events) {
    if (event.kind !== 'bid') continue
    const auction = auctions.get(event.auction)
    if (auction === undefined) continue
    const { kind: _bid, dateTime: bidTime, extra: bidExtra, ...bid } = event
    const { kind: _auction, id: _id, dateTime: auctionTime, extra: auctionExtra, ...item } = auction
    rows.push({ ...bid, bidTime, bidExtra, ...item, auctionTime, auctionExtra })
  }
  return rows
}

export function bidsOfSellers(events: readonly NexmarkEvent[]): readonly unknown[] {
  const people = peopleById(events)
  const auctions = auctionsBySeller(events)
  const rows: unknown[] = []
  for (const event of events) {
    if (event.kind !== 'bid') continue
    const { auction, bidder, price, dateTime } = event
    const person = people.get(bidder)
    if (person === undefined) continue
    const { name, city, state } = person
    for (const { id: item, itemName, category } of auctions.get(bidder) ?? [])
      rows.push({ auction, bidder, price, dateTime, name, city, state, item, itemName, category })
  }
  return rows
}
