// What some of the queries cost as a plain loop over the same events: no watermarks, no checkpoints, no engine. Rows are made and handed on, as
// the queries do; a floor tells how many.
import type { Auction, Bid, NexmarkEvent, Person } from './events.ts'

/** Makes the rows of a query and tells their number. */
export type Floor = (events: readonly NexmarkEvent[]) => number

/** Where rows go. It keeps the last one, so that no row is left unmade. */
class Rows {
  count = 0
  last: unknown

  add(row: unknown): void {
    this.count++
    this.last = row
  }
}

/** The floor of a query that looks at bids one by one. */
function perBid(visit: (bid: Bid, rows: Rows) => void): Floor {
  return events => {
    const rows = new Rows()
    for (let i = 0; i < events.length; i++) {
      const event = events[i]
      if (event.kind === 'bid') visit(event, rows)
    }
    return rows.count
  }
}

/** The floor of a query that visits all events. The visitor is made for each pass, with its state. */
function perEvent(makeVisit: (rows: Rows) => (event: NexmarkEvent) => void): Floor {
  return events => {
    const rows = new Rows()
    const visit = makeVisit(rows)
    for (let i = 0; i < events.length; i++) visit(events[i])
    return rows.count
  }
}

function lettersC(text: string): number {
  let count = 0
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) === 99) count++
  return count
}

const CHANNEL_IDS: ReadonlyMap<string, string> = new Map([
  ['apple', '0'],
  ['google', '1'],
  ['facebook', '2'],
  ['baidu', '3'],
])
const CHANNEL_ID = /(?:&|^)channel_id=([^&]*)/

/** Auctions of one category with sellers of three states; either may come first. */
const localItems: Floor = perEvent(rows => {
  const sellers = new Map<number, Person>()
  const waiting = new Map<number, Auction[]>()
  const emit = ({ name, city, state }: Person, { id }: Auction): void => rows.add({ name, city, state, id })
  return event => {
    if (event.kind === 'person' && (event.state === 'OR' || event.state === 'ID' || event.state === 'CA')) {
      sellers.set(event.id, event)
      for (const auction of waiting.get(event.id) ?? []) emit(event, auction)
    } else if (event.kind === 'auction' && event.category === 10) {
      const seller = sellers.get(event.seller)
      if (seller !== undefined) emit(seller, event)
      const own = waiting.get(event.seller)
      if (own === undefined) waiting.set(event.seller, [event])
      else own.push(event)
    }
  }
})

/** The bids of one category with their auction. */
const expandedBids: Floor = perEvent(rows => {
  const auctions = new Map<number, Auction>()
  const early = new Map<number, Bid[]>()
  const emit = (bid: Bid, { id: _id, dateTime, extra, ...auction }: Auction): void =>
    rows.add({ ...bid, ...auction, auctionTime: dateTime, auctionExtra: extra })
  return event => {
    if (event.kind === 'auction') {
      auctions.set(event.id, event)
      if (event.category === 10) for (const bid of early.get(event.id) ?? []) emit(bid, event)
      early.delete(event.id)
    } else if (event.kind === 'bid') {
      const auction = auctions.get(event.auction)
      if (auction?.category === 10) emit(event, auction)
      else if (auction === undefined) {
        const own = early.get(event.auction)
        if (own === undefined) early.set(event.auction, [event])
        else own.push(event)
      }
    }
  }
})

/** Statistics of the prices of each auction, told after each bid; there is one day. */
const auctionStatistics: Floor = perEvent(rows => {
  const statistics = new Map<
    number,
    { bids: number; ranks: number[]; least: number; greatest: number; total: number }
  >()
  return event => {
    if (event.kind !== 'bid') return
    const { auction, price } = event
    let own = statistics.get(auction)
    if (own === undefined) {
      own = { bids: 0, ranks: [0, 0, 0], least: price, greatest: price, total: 0 }
      statistics.set(auction, own)
    }
    own.bids++
    own.ranks[price < 10_000 ? 0 : price < 1_000_000 ? 1 : 2]++
    own.least = Math.min(own.least, price)
    own.greatest = Math.max(own.greatest, price)
    own.total += price
    const { bids, ranks, least, greatest, total } = own
    const [bidsOfRank1, bidsOfRank2, bidsOfRank3] = ranks
    const counts = { bids, bidsOfRank1, bidsOfRank2, bidsOfRank3 }
    rows.add({ auction, ...counts, least, greatest, average: total / bids, total })
  }
})

/** The last bid of each user for each auction, told after each bid. */
const lastBids: Floor = perEvent(rows => {
  const last = new Map<number, Bid>()
  return event => {
    if (event.kind !== 'bid') return
    const pair = event.bidder * 2 ** 26 + event.auction
    const before = last.get(pair)
    const newest = before === undefined || event.dateTime >= before.dateTime ? event : before
    last.set(pair, newest)
    rows.add(newest)
  }
})

/** The ten highest bids of each auction, told after each bid. */
const topBids: Floor = perEvent(rows => {
  const tops = new Map<number, Bid[]>()
  return event => {
    if (event.kind !== 'bid') return
    let top = tops.get(event.auction)
    if (top === undefined) {
      top = []
      tops.set(event.auction, top)
    }
    let place = top.length
    while (place > 0 && top[place - 1].price < event.price) place--
    if (place < 10) {
      top.splice(place, 0, event)
      if (top.length > 10) top.pop()
    }
    rows.add(top.slice())
  }
})

/** The floors that there are, by the ids of the queries. */
export const FLOORS: Readonly<Record<string, Floor>> = {
  q0: perBid(({ auction, bidder, price, dateTime, extra }, rows) =>
    rows.add({ auction, bidder, price, dateTime, extra }),
  ),
  q1: perBid(({ auction, bidder, price, dateTime, extra }, rows) =>
    rows.add({ auction, bidder, price: price * 0.908, dateTime, extra }),
  ),
  q2: perBid(({ auction, price }, rows) => {
    if (auction % 123 === 0) rows.add({ auction, price })
  }),
  q3: localItems,
  q13: perEvent(rows => {
    const side = new Map(Array.from({ length: 10_000 }, (_, key) => [key, String(key)]))
    return event => {
      if (event.kind !== 'bid') return
      const { auction, bidder, price, dateTime } = event
      rows.add({ auction, bidder, price, dateTime, value: side.get(auction % 10_000) })
    }
  }),
  q14: perBid(({ auction, bidder, price, dateTime, extra }, rows) => {
    const euros = price * 0.908
    if (!(euros > 1_000_000 && euros < 50_000_000)) return
    const hour = Math.floor((dateTime % 86_400_000) / 3_600_000)
    const night = hour <= 6 || hour >= 20 ? 'nightTime' : 'otherTime'
    const bidTimeType = hour >= 8 && hour <= 18 ? 'dayTime' : night
    rows.add({ auction, bidder, price: euros, bidTimeType, dateTime, extra, lettersC: lettersC(extra) })
  }),
  q17: auctionStatistics,
  q18: lastBids,
  q19: topBids,
  q20: expandedBids,
  q21: perBid(({ auction, bidder, price, channel, url }, rows) => {
    const channelId = CHANNEL_IDS.get(channel.toLowerCase()) ?? CHANNEL_ID.exec(url)?.[1]
    if (channelId !== undefined) rows.add({ auction, bidder, price, channel, channelId })
  }),
  q22: perBid(({ auction, bidder, price, channel, url }, rows) => {
    const parts = url.split('/')
    rows.add({ auction, bidder, price, channel, dir1: parts[3], dir2: parts[4], dir3: parts[5] })
  }),
}
