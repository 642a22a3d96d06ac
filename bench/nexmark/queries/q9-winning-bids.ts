// q9: the winning bid of each auction, replaced whenever a better one comes.
import type { Auction, Bid } from '../events.ts'
import { latestBy, type NexmarkQuery } from '../query.ts'
import { auctionsIn, bidsIn } from '../streams.ts'
import { type WinningBid, winningBids } from './winning-bids.ts'

/** A row has all the columns of both. */
function rowOf({ auction, bid }: WinningBid<Auction, Bid>) {
  return {
    id: auction.id,
    itemName: auction.itemName,
    description: auction.description,
    initialBid: auction.initialBid,
    reserve: auction.reserve,
    dateTime: auction.dateTime,
    expires: auction.expires,
    seller: auction.seller,
    category: auction.category,
    extra: auction.extra,
    bidder: bid.bidder,
    price: bid.price,
    bidTime: bid.dateTime,
    bidExtra: bid.extra,
  }
}

export const q9: NexmarkQuery<ReturnType<typeof rowOf>> = {
  id: 'q9',
  title: 'winning bids',
  build: events => winningBids(auctionsIn(events), bidsIn(events)).map(rowOf),
  settle: latestBy(row => row.id),
}
