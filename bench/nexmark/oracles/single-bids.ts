// Oracles of the queries that look at one bid at a time: q0, q1, q2, q10, q14, q21, q22. Plain loops that share no code with the queries.
import type { Bid, NexmarkEvent } from '../events.ts'

function bidsOf(events: readonly NexmarkEvent[]): readonly Bid[] {
  return events.filter(event => event.kind === 'bid')
}

function plain({ auction, bidder, price, dateTime, extra }: Bid) {
  return { auction, bidder, price, dateTime, extra }
}

export function passThrough(events: readonly NexmarkEvent[]): readonly unknown[] {
  return bidsOf(events).map(plain)
}

export function converted(events: readonly NexmarkEvent[]): readonly unknown[] {
  return bidsOf(events).map(bid => ({ ...plain(bid), price: bid.price * 0.908 }))
}

export function selected(events: readonly NexmarkEvent[]): readonly unknown[] {
  const rows: unknown[] = []
  for (const { auction, price } of bidsOf(events)) if (auction % 123 === 0) rows.push({ auction, price })
  return rows
}

export function logged(events: readonly NexmarkEvent[]): readonly unknown[] {
  return bidsOf(events).map(bid => {
    const [day, time] = new Date(bid.dateTime).toISOString().split('T') as [string, string]
    return { ...plain(bid), day, minute: time.slice(0, 5) }
  })
}

export function calculated(events: readonly NexmarkEvent[]): readonly unknown[] {
  const rows: unknown[] = []
  for (const bid of bidsOf(events)) {
    const price = 0.908 * bid.price
    if (!(price > 1_000_000 && price < 50_000_000)) continue
    const hour = new Date(bid.dateTime).getUTCHours()
    let bidTimeType = 'otherTime'
    if (hour >= 8 && hour <= 18) bidTimeType = 'dayTime'
    if (hour <= 6 || hour >= 20) bidTimeType = 'nightTime'
    rows.push({ ...plain(bid), price, bidTimeType, lettersC: bid.extra.split('c').length - 1 })
  }
  return rows
}

export function channelIds(events: readonly NexmarkEvent[]): readonly unknown[] {
  const names = ['Apple', 'Google', 'Facebook', 'Baidu']
  const rows: unknown[] = []
  for (const { auction, bidder, price, channel, url } of bidsOf(events)) {
    const known = names.indexOf(channel)
    const fromUrl = new URL(url).searchParams.get('channel_id')
    const channelId = known >= 0 ? String(known) : fromUrl
    if (channelId !== null) rows.push({ auction, bidder, price, channel, channelId })
  }
  return rows
}

export function directories(events: readonly NexmarkEvent[]): readonly unknown[] {
  return bidsOf(events).map(({ auction, bidder, price, channel, url }) => {
    const [, dir1, dir2, dir3] = new URL(url).pathname.split('/')
    return { auction, bidder, price, channel, dir1, dir2, dir3 }
  })
}
