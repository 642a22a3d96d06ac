// q6: at the end of each auction, the mean price of the last 10 that its seller sold. Flink's SQL cannot say it; this follows Beam.
import { type Collector, list, value } from 'millrace'
import type { Auction } from '../events.ts'
import type { NexmarkQuery } from '../query.ts'
import { auctionsIn, bidsIn } from '../streams.ts'
import { auctionState, isBetter, isInTime, type Price, priceOf } from './winning-bids.ts'

interface Sale {
  readonly auction: number
  readonly seller: number
  readonly price: number
  /** When the auction ended. */
  readonly soldAt: number
}

interface SellerAverage {
  readonly seller: number
  readonly auction: number
  readonly average: number
}

type SellerOffer = Pick<Auction, 'id' | 'dateTime' | 'expires' | 'seller'>

const LAST_SALES = 10

function offerOf({ id, dateTime, expires, seller }: Auction): SellerOffer {
  return { id, dateTime, expires, seller }
}

function inOrder(a: Sale, b: Sale): number {
  return a.soldAt - b.soldAt || a.auction - b.auction
}

export const q6: NexmarkQuery = {
  id: 'q6',
  title: 'average selling price by seller',
  build(events) {
    const auctions = auctionsIn(events).map(offerOf).keyBy('id')
    const bids = bidsIn(events).map(priceOf).keyBy('auction')
    const sales = auctions.connect(bids).coProcess({
      state: auctionState<SellerOffer, Price>(),
      onFirst(auction, { state, timers }) {
        state.auction.set(auction)
        for (const bid of state.early.get())
          if (isInTime(bid, auction) && isBetter(bid, state.best.get())) state.best.set(bid)
        state.early.clear()
        timers.registerEventTimeTimer(auction.expires)
      },
      onSecond(bid, { state }) {
        const auction = state.auction.get()
        if (auction === undefined) state.early.add(bid)
        else if (isInTime(bid, auction) && isBetter(bid, state.best.get())) state.best.set(bid)
      },
      onTimer(soldAt, { state }, out: Collector<Sale>) {
        const auction = state.auction.get() as SellerOffer
        const best = state.best.get()
        if (best !== undefined) out.collect({ auction: auction.id, seller: auction.seller, price: best.price, soldAt })
        state.best.clear()
      },
    })
    return sales.keyBy('seller').process({
      state: { waiting: list<Sale>(), prices: value<readonly number[]>(() => [], { isImmutable: true }) },
      // Sales come from many subtasks; a timer at their time finds all of that time, and earlier ones went before.
      onRecord(sale: Sale, { state, timers }) {
        state.waiting.add(sale)
        timers.registerEventTimeTimer(sale.soldAt)
      },
      onTimer(timeMs, { state }, out: Collector<SellerAverage>) {
        const waiting = state.waiting.get()
        for (const { seller, auction, price } of waiting.filter(sale => sale.soldAt <= timeMs).sort(inOrder)) {
          const prices = [...state.prices.get(), price].slice(-LAST_SALES)
          state.prices.set(prices)
          out.collect({ seller, auction, average: prices.reduce((sum, each) => sum + each, 0) / prices.length })
        }
        state.waiting.set(waiting.filter(sale => sale.soldAt > timeMs))
      },
    })
  },
}
