// What is told of groups of bids: how many bids, bidders and auctions, of all prices and by rank of price. An accumulator keeps one number for each
// bidder and auction, so that a checkpoint, which writes an accumulator as a whole, has little to write.
import type { AggregateFunction } from 'millrace'
import { dayText, minuteText } from '../date-texts.ts'
import type { Bid } from '../events.ts'

/** A price is of rank 1 below 10,000, of rank 2 below 1,000,000, else of rank 3. */
export type Rank = 1 | 2 | 3

/** The rank of a bid's price. */
export function rankOf({ price }: Bid): Rank {
  if (price < 10_000) return 1
  return price < 1_000_000 ? 2 : 3
}

/** How many there are: all, then those of each rank. */
type Counts = [number, number, number, number]

/** Ids that bids may have in common, with the ranks in which each was seen: bit 0 for any, bit n for rank n. */
interface SeenIds {
  readonly ranks: Map<number, number>
  readonly counts: Counts
}

/** What is kept of a group. */
export interface BidGroup {
  channel: string
  lastMs: number
  readonly bids: Counts
  readonly bidders: SeenIds
  readonly auctions: SeenIds
}

/** What is told of a group: its day is that of its bids. */
export interface BidStatistics {
  readonly day: string
  readonly bids: number
  readonly bidsOfRank1: number
  readonly bidsOfRank2: number
  readonly bidsOfRank3: number
  readonly bidders: number
  readonly biddersOfRank1: number
  readonly biddersOfRank2: number
  readonly biddersOfRank3: number
  readonly auctions: number
  readonly auctionsOfRank1: number
  readonly auctionsOfRank2: number
  readonly auctionsOfRank3: number
}

/** The statistics of a channel, with the last minute in which there was a bid. */
export interface ChannelStatistics extends BidStatistics {
  readonly channel: string
  readonly minute: string
}

function see({ ranks, counts }: SeenIds, id: number, bits: number): void {
  const before = ranks.get(id) ?? 0
  const fresh = bits & ~before
  if (fresh === 0) return
  ranks.set(id, before | bits)
  for (let i = 0; i < counts.length; i++) counts[i] += (fresh >> i) & 1
}

function joinIds(into: SeenIds, from: SeenIds): void {
  for (const [id, bits] of from.ranks) see(into, id, bits)
}

function newIds(): SeenIds {
  return { ranks: new Map(), counts: [0, 0, 0, 0] }
}

/** An aggregate of bids that tells what `tell` makes of the group. */
function grouping<R>(tell: (group: BidGroup) => R): AggregateFunction<Bid, BidGroup, R> {
  return {
    create: () => ({ channel: '', lastMs: -Infinity, bids: [0, 0, 0, 0], bidders: newIds(), auctions: newIds() }),
    add: (group, bid) => {
      const rank = rankOf(bid)
      const bits = 1 | (1 << rank)
      group.channel = bid.channel
      group.lastMs = Math.max(group.lastMs, bid.dateTime)
      group.bids[0]++
      group.bids[rank]++
      see(group.bidders, bid.bidder, bits)
      see(group.auctions, bid.auction, bits)
      return group
    },
    merge: (a, b) => {
      a.lastMs = Math.max(a.lastMs, b.lastMs)
      for (let i = 0; i < a.bids.length; i++) a.bids[i] += b.bids[i]
      joinIds(a.bidders, b.bidders)
      joinIds(a.auctions, b.auctions)
      return a
    },
    result: tell,
    needsRecords: true,
  }
}

function statisticsOf({ lastMs, bids, bidders, auctions }: BidGroup): BidStatistics {
  return {
    day: dayText(lastMs),
    bids: bids[0],
    bidsOfRank1: bids[1],
    bidsOfRank2: bids[2],
    bidsOfRank3: bids[3],
    bidders: bidders.counts[0],
    biddersOfRank1: bidders.counts[1],
    biddersOfRank2: bidders.counts[2],
    biddersOfRank3: bidders.counts[3],
    auctions: auctions.counts[0],
    auctionsOfRank1: auctions.counts[1],
    auctionsOfRank2: auctions.counts[2],
    auctionsOfRank3: auctions.counts[3],
  }
}

/** For bids of one day. */
export const bidStatistics: AggregateFunction<Bid, BidGroup, BidStatistics> = grouping(statisticsOf)

/** For bids of one channel and day. */
export const channelStatistics: AggregateFunction<Bid, BidGroup, ChannelStatistics> = grouping(group => {
  const { channel, lastMs } = group
  return Object.assign(statisticsOf(group), { channel, minute: minuteText(lastMs) })
})
