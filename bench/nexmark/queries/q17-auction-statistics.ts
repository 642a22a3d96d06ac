// q17: for each auction and day the bids by rank, and the least, greatest, mean and total price.
import { type AggregateFunction, avg, composite, count, max, min, type ResultOfParts, sum } from 'millrace'
import { dayText } from '../date-texts.ts'
import type { Bid } from '../events.ts'
import { latestBy, type NexmarkQuery } from '../query.ts'
import { bidsIn } from '../streams.ts'
import { type Rank, rankOf } from './bid-statistics.ts'

function countOfRank(rank: Rank): AggregateFunction<Bid, unknown, number> {
  return count((bid: Bid) => (rankOf(bid) === rank ? true : undefined))
}

// A rolling result does not know its key. All bids of a key have the same auction and day, so any of them tells.
const day: AggregateFunction<Bid, { timeMs: number }, string> = {
  create: () => ({ timeMs: 0 }),
  add: (kept, bid) => {
    kept.timeMs = bid.dateTime
    return kept
  },
  merge: (_earlier, later) => later,
  result: kept => dayText(kept.timeMs),
  needsRecords: true,
}

const parts = {
  auction: max('auction'),
  day,
  bids: count(),
  bidsOfRank1: countOfRank(1),
  bidsOfRank2: countOfRank(2),
  bidsOfRank3: countOfRank(3),
  least: min('price'),
  greatest: max('price'),
  average: avg('price'),
  total: sum('price'),
}

export const q17: NexmarkQuery<ResultOfParts<typeof parts>> = {
  id: 'q17',
  title: 'auction statistics',
  build: events =>
    bidsIn(events)
      .keyBy(bid => [bid.auction, dayText(bid.dateTime)])
      .aggregate(composite(parts)),
  settle: latestBy(row => [row.auction, row.day]),
  checkEventsPerSecond: 1,
}
