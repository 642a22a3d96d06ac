// Oracles of what is known of groups of bids in the end: q15 to q19. Each group is collected whole before anything is computed of it.
import type { Bid, NexmarkEvent } from '../events.ts'

function groupsOf(events: readonly NexmarkEvent[], nameOf: (bid: Bid) => string): readonly (readonly Bid[])[] {
  const groups = new Map<string, Bid[]>()
  for (const event of events) {
    if (event.kind !== 'bid') continue
    const name = nameOf(event)
    const own = groups.get(name)
    if (own === undefined) groups.set(name, [event])
    else own.push(event)
  }
  return [...groups.values()]
}

function dayOf(bid: Bid): string {
  return new Date(bid.dateTime).toISOString().slice(0, 10)
}

function statisticsOf(bids: readonly Bid[]) {
  const ranks = [
    bids.filter(({ price }) => price < 10_000),
    bids.filter(({ price }) => price >= 10_000 && price < 1_000_000),
    bids.filter(({ price }) => price >= 1_000_000),
  ] as const
  const different = (some: readonly Bid[], field: 'bidder' | 'auction'): number =>
    new Set(some.map(bid => bid[field])).size
  return {
    day: dayOf(bids[0]),
    bids: bids.length,
    bidsOfRank1: ranks[0].length,
    bidsOfRank2: ranks[1].length,
    bidsOfRank3: ranks[2].length,
    bidders: different(bids, 'bidder'),
    biddersOfRank1: different(ranks[0], 'bidder'),
    biddersOfRank2: different(ranks[1], 'bidder'),
    biddersOfRank3: different(ranks[2], 'bidder'),
    auctions: different(bids, 'auction'),
    auctionsOfRank1: different(ranks[0], 'auction'),
    auctionsOfRank2: different(ranks[1], 'auction'),
    auctionsOfRank3: different(ranks[2], 'auction'),
  }
}

export function biddingStatistics(events: readonly NexmarkEvent[]): readonly unknown[] {
  return groupsOf(events, dayOf).map(statisticsOf)
}

export function channelStatistics(events: readonly NexmarkEvent[]): readonly unknown[] {
  return groupsOf(events, bid => `${bid.channel} ${dayOf(bid)}`).map(bids => {
    const minutes = bids.map(({ dateTime }) => new Date(dateTime).toISOString().slice(11, 16)).sort()
    return { ...statisticsOf(bids), channel: bids[0].channel, minute: minutes.at(-1) }
  })
}

export function auctionStatistics(events: readonly NexmarkEvent[]): readonly unknown[] {
  return groupsOf(events, bid => `${bid.auction} ${dayOf(bid)}`).map(bids => {
    const prices = bids.map(({ price }) => price).sort((a, b) => a - b)
    const total = prices.reduce((sum, price) => sum + price, 0)
    const { day, bidsOfRank1, bidsOfRank2, bidsOfRank3 } = statisticsOf(bids)
    return {
      auction: bids[0].auction,
      day,
      bids: bids.length,
      bidsOfRank1,
      bidsOfRank2,
      bidsOfRank3,
      least: prices[0],
      greatest: prices.at(-1),
      average: total / bids.length,
      total,
    }
  })
}

export function lastBids(events: readonly NexmarkEvent[]): readonly unknown[] {
  return groupsOf(events, ({ bidder, auction }) => `${bidder} ${auction}`).map(bids => {
    const lastTime = Math.max(...bids.map(({ dateTime }) => dateTime))
    return bids.filter(({ dateTime }) => dateTime === lastTime).at(-1)
  })
}

export function topBids(events: readonly NexmarkEvent[]): readonly unknown[] {
  return groupsOf(events, ({ auction }) => String(auction)).map(bids =>
    [...bids].sort((a, b) => b.price - a.price).slice(0, 10),
  )
}
