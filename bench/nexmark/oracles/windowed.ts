// Oracles of the windows: q5, q7, q11, q12. Windows are enumerated from the first to the last that holds a bid.
import type { Bid, NexmarkEvent } from '../events.ts'

function bidsOf(events: readonly NexmarkEvent[]): readonly Bid[] {
  return events.filter(event => event.kind === 'bid')
}

/** All windows with at least one bid: its start, and its bids. */
function windowsOf(bids: readonly Bid[], sizeMs: number, slideMs: number): ReadonlyMap<number, readonly Bid[]> {
  const windows = new Map<number, Bid[]>()
  for (const bid of bids) {
    for (let start = bid.dateTime - (bid.dateTime % slideMs); start > bid.dateTime - sizeMs; start -= slideMs) {
      const own = windows.get(start)
      if (own === undefined) windows.set(start, [bid])
      else own.push(bid)
    }
  }
  return windows
}

export function hotItems(events: readonly NexmarkEvent[]): readonly unknown[] {
  const rows: unknown[] = []
  for (const [start, bids] of windowsOf(bidsOf(events), 10_000, 2000)) {
    const counts = new Map<number, number>()
    for (const { auction } of bids) counts.set(auction, (counts.get(auction) ?? 0) + 1)
    const most = [...counts.values()].reduce((a, b) => Math.max(a, b), 0)
    for (const [auction, count] of counts) {
      if (count === most) rows.push({ auction, bids: count, windowEnd: start + 10_000 })
    }
  }
  return rows
}

export function highestBids(events: readonly NexmarkEvent[]): readonly unknown[] {
  const rows: unknown[] = []
  for (const bids of windowsOf(bidsOf(events), 10_000, 10_000).values()) {
    const most = bids.reduce((greatest, { price }) => Math.max(greatest, price), 0)
    for (const { auction, bidder, price, dateTime, extra } of bids) {
      if (price === most) rows.push({ auction, bidder, price, dateTime, extra })
    }
  }
  return rows
}

export function sessions(events: readonly NexmarkEvent[]): readonly unknown[] {
  const timesOf = new Map<number, number[]>()
  for (const { bidder, dateTime } of bidsOf(events)) {
    const times = timesOf.get(bidder) ?? []
    times.push(dateTime)
    timesOf.set(bidder, times)
  }
  const rows: unknown[] = []
  for (const [bidder, times] of timesOf) {
    times.sort((a, b) => a - b)
    let first = 0
    for (let i = 1; i <= times.length; i++) {
      // Exactly a gap apart is still one session.
      if (i < times.length && times[i] - times[i - 1] <= 10_000) continue
      rows.push({ bidder, bids: i - first, windowStart: times[first], windowEnd: times[i - 1] + 10_000 })
      first = i
    }
  }
  return rows
}

export function bidsOfUsers(events: readonly NexmarkEvent[]): readonly unknown[] {
  const counts = new Map<number, number>()
  for (const { bidder } of bidsOf(events)) counts.set(bidder, (counts.get(bidder) ?? 0) + 1)
  return [...counts].map(([bidder, bids]) => ({ bidder, bids }))
}
