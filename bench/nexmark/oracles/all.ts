// The oracles by the ids of the queries: what each must come to, from all its events at once.
import type { NexmarkEvent } from '../events.ts'
import { auctionStatistics, biddingStatistics, channelStatistics, lastBids, topBids } from './grouped.ts'
import { bidsOfSellers, expandedBids, localItems, newSellers, withSideInput } from './joined.ts'
import { calculated, channelIds, converted, directories, logged, passThrough, selected } from './single-bids.ts'
import { categoryAverages, sellerAverages, winners } from './sold.ts'
import { bidsOfUsers, highestBids, hotItems, sessions } from './windowed.ts'

/** Tells the rows of a query, in any order. */
export type Oracle = (events: readonly NexmarkEvent[]) => readonly unknown[]

/** An oracle for each query. */
export const ORACLES: Readonly<Record<string, Oracle>> = {
  q0: passThrough,
  q1: converted,
  q2: selected,
  q3: localItems,
  q4: categoryAverages,
  q5: hotItems,
  q6: sellerAverages,
  q7: highestBids,
  q8: newSellers,
  q9: winners,
  q10: logged,
  q11: sessions,
  q12: bidsOfUsers,
  q13: withSideInput,
  q14: calculated,
  q15: biddingStatistics,
  q16: channelStatistics,
  q17: auctionStatistics,
  q18: lastBids,
  q19: topBids,
  q20: expandedBids,
  q21: channelIds,
  q22: directories,
  q23: bidsOfSellers,
}
