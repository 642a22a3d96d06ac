// Oracles of what auctions fetch: q4, q6, q9. The winner is found once all bids of an auction are in hand, not bid by bid.
import type { Auction, Bid, NexmarkEvent } from '../events.ts'

interface Sold {
  readonly auction: Auction
  readonly bid: Bid
}

/** Auctions with at least one bid in time, and the best one: the highest price, then the earliest, then the first to come. */
function soldAuctions(events: readonly NexmarkEvent[]): readonly Sold[] {
  const bids = new Map<number, Bid[]>()
  for (const event of events) {
    if (event.kind !== 'bid') continue
    const own = bids.get(event.auction) ?? []
    own.push(event)
    bids.set(event.auction, own)
  }
  const sold: Sold[] = []
  for (const auction of events) {
    if (auction.kind !== 'auction') continue
    const [bid] = (bids.get(auction.id) ?? [])
      .filter(({ dateTime }) => auction.dateTime <= dateTime && dateTime <= auction.expires)
      .sort((a, b) => b.price - a.price || a.dateTime - b.dateTime)
    if (bid !== undefined) sold.push({ auction, bid })
  }
  return sold
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length
}

export function categoryAverages(events: readonly NexmarkEvent[]): readonly unknown[] {
  const sold = soldAuctions(events)
  const categories = [...new Set(sold.map(({ auction }) => auction.category))]
  return categories.map(category => {
    const prices = sold.filter(({ auction }) => auction.category === category).map(({ bid }) => bid.price)
    return { category, average: mean(prices) }
  })
}

export function sellerAverages(events: readonly NexmarkEvent[]): readonly unknown[] {
  const closed = [...soldAuctions(events)].sort(
    (a, b) => a.auction.expires - b.auction.expires || a.auction.id - b.auction.id,
  )
  const pricesOf = new Map<number, number[]>()
  return closed.map(({ auction, bid }) => {
    const prices = pricesOf.get(auction.seller) ?? []
    prices.push(bid.price)
    pricesOf.set(auction.seller, prices)
    return { seller: auction.seller, auction: auction.id, average: mean(prices.slice(-10)) }
  })
}

export function winners(events: readonly NexmarkEvent[]): readonly unknown[] {
  return soldAuctions(events).map(({ auction, bid }) => {
    const { kind: _kind, ...columns } = auction
    return { ...columns, bidder: bid.bidder, price: bid.price, bidTime: bid.dateTime, bidExtra: bid.extra }
  })
}
