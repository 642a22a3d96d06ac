// q15: for each day the bids, and how many different people bid for how many auctions, by rank of price.
import { dayText } from '../date-texts.ts'
import { latestBy, type NexmarkQuery } from '../query.ts'
import { bidsIn } from '../streams.ts'
import { type BidStatistics, bidStatistics } from './bid-statistics.ts'

export const q15: NexmarkQuery<BidStatistics> = {
  id: 'q15',
  title: 'bidding statistics',
  build: events =>
    bidsIn(events)
      .keyBy(bid => dayText(bid.dateTime))
      .aggregate(bidStatistics),
  settle: latestBy(row => row.day),
  checkEventsPerSecond: 1,
}
