// q4: the mean winning price of each category. A better bid takes the place of the one before, so the mean is told the difference.
import { type Collector, value } from 'millrace'
import type { Auction } from '../events.ts'
import { latestBy, type NexmarkQuery } from '../query.ts'
import { auctionsIn, bidsIn } from '../streams.ts'
import { type Price, priceOf, type WinningBid, winningBids } from './winning-bids.ts'

interface CategoryAverage {
  readonly category: number
  readonly average: number
}

function offerOf({ id, dateTime, expires, category }: Auction) {
  return { id, dateTime, expires, category }
}

export const q4: NexmarkQuery<CategoryAverage> = {
  id: 'q4',
  title: 'average price for a category',
  build: events =>
    winningBids(auctionsIn(events).map(offerOf), bidsIn(events).map(priceOf))
      .filter(({ bid, priceBefore }) => bid.price !== priceBefore)
      .keyBy(({ auction }) => auction.category)
      .process({
        state: { auctions: value(0), total: value(0) },
        onRecord(
          { auction, bid, priceBefore }: WinningBid<ReturnType<typeof offerOf>, Price>,
          { state },
          out: Collector<CategoryAverage>,
        ) {
          const auctions = state.auctions.get() + (priceBefore === undefined ? 1 : 0)
          const total = state.total.get() + bid.price - (priceBefore ?? 0)
          state.auctions.set(auctions)
          state.total.set(total)
          out.collect({ category: auction.category, average: total / auctions })
        },
      }),
  settle: latestBy(row => row.category),
}
