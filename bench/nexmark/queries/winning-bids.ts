// The best bid of each auction so far, for the queries that build on it. A bid counts from the auction's start to its end, both included.
import { type Collector, type DataStream, list, value } from 'millrace'
import type { Auction, Bid } from '../events.ts'

/** What must be known of an auction. */
export type Offer = Pick<Auction, 'id' | 'dateTime' | 'expires'>

/** What must be known of a bid. */
export type Price = Pick<Bid, 'auction' | 'price' | 'dateTime'>

/** A bid that is better than all before it. */
export interface WinningBid<A extends Offer, B extends Price> {
  readonly auction: A
  readonly bid: B
  /** The price that it beats or equals; undefined for the first bid. */
  readonly priceBefore: number | undefined
}

/** The columns of bids that tell who wins. */
export function priceOf({ auction, price, dateTime }: Bid): Price {
  return { auction, price, dateTime }
}

/** Whether the bid was made while the auction was open. */
export function isInTime(bid: Price, auction: Offer): boolean {
  return bid.dateTime >= auction.dateTime && bid.dateTime <= auction.expires
}

/** Whether a bid is to be preferred: the higher price, of equal prices the earlier one. */
export function isBetter(bid: Price, best: Price | undefined): boolean {
  if (best === undefined || bid.price > best.price) return true
  return bid.price === best.price && bid.dateTime < best.dateTime
}

/** State of what an auction has seen. Records never change, so to read them is no change for the next checkpoint to write. */
export function auctionState<A extends Offer, B extends Price>() {
  return {
    auction: value<A>(undefined, { isImmutable: true }),
    best: value<B>(undefined, { isImmutable: true }),
    /** Bids that came before their auction did. */
    early: list<B>({ isImmutable: true }),
  }
}

/** Emits each bid that becomes the best of its auction. Auctions are kept for ever, as the reference keeps them. */
export function winningBids<A extends Offer, B extends Price>(
  auctions: DataStream<A>,
  bids: DataStream<B>,
): DataStream<WinningBid<A, B>> {
  return auctions
    .keyBy(auction => auction.id)
    .connect(bids.keyBy(bid => bid.auction))
    .coProcess({
      state: auctionState<A, B>(),
      onFirst(auction, { state }, out: Collector<WinningBid<A, B>>) {
        state.auction.set(auction)
        let best: B | undefined
        for (const bid of state.early.get()) {
          if (!isInTime(bid, auction) || !isBetter(bid, best)) continue
          out.collect({ auction, bid, priceBefore: best?.price })
          best = bid
        }
        state.early.clear()
        if (best !== undefined) state.best.set(best)
      },
      onSecond(bid, { state }, out: Collector<WinningBid<A, B>>) {
        const auction = state.auction.get()
        if (auction === undefined) {
          state.early.add(bid)
          return
        }
        if (!isInTime(bid, auction)) return
        const best = state.best.get()
        if (!isBetter(bid, best)) return
        out.collect({ auction, bid, priceBefore: best?.price })
        state.best.set(bid)
      },
    })
}
