// q20: the bids of one category with all that is known of their auction. Auctions of other categories go to the join too, so that it can let go of
// their bids, where the reference keeps them for ever.
import { type Collector, list, value } from 'millrace'
import type { Auction, Bid } from '../events.ts'
import type { NexmarkQuery } from '../query.ts'
import { auctionsIn, bidsIn } from '../streams.ts'

const CATEGORY = 10

function rowOf(bid: Bid, auction: Auction) {
  return {
    auction: bid.auction,
    bidder: bid.bidder,
    price: bid.price,
    channel: bid.channel,
    url: bid.url,
    bidTime: bid.dateTime,
    bidExtra: bid.extra,
    itemName: auction.itemName,
    description: auction.description,
    initialBid: auction.initialBid,
    reserve: auction.reserve,
    auctionTime: auction.dateTime,
    expires: auction.expires,
    seller: auction.seller,
    category: auction.category,
    auctionExtra: auction.extra,
  }
}

export const q20: NexmarkQuery = {
  id: 'q20',
  title: 'expand bid with auction',
  build: events =>
    auctionsIn(events)
      .keyBy('id')
      .connect(bidsIn(events).keyBy('auction'))
      .coProcess({
        state: {
          auction: value<Auction>(undefined, { isImmutable: true }),
          isOther: value(false),
          early: list<Bid>({ isImmutable: true }),
        },
        onFirst(auction, { state }, out: Collector<ReturnType<typeof rowOf>>) {
          if (auction.category === CATEGORY) {
            state.auction.set(auction)
            for (const bid of state.early.get()) out.collect(rowOf(bid, auction))
          } else state.isOther.set(true)
          state.early.clear()
        },
        onSecond(bid, { state }, out: Collector<ReturnType<typeof rowOf>>) {
          if (state.isOther.get()) return
          const auction = state.auction.get()
          if (auction === undefined) state.early.add(bid)
          else out.collect(rowOf(bid, auction))
        },
      }),
}
