// q7: the highest bids of each 10 s.
import { type AggregateFunction, seconds, tumblingWindows } from 'millrace'
import type { Bid } from '../events.ts'
import type { NexmarkQuery } from '../query.ts'
import { bidsIn } from '../streams.ts'

/** All that have the greatest price. */
const highest: AggregateFunction<Bid, Bid[], readonly Bid[]> = {
  create: () => [],
  add: (best, bid) => {
    const most = best[0]?.price ?? -1
    if (bid.price > most) return [bid]
    if (bid.price === most) best.push(bid)
    return best
  },
  merge: (a, b) => b.reduce((best, bid) => highest.add(best, bid), a),
  result: best => [...best],
}

export const q7: NexmarkQuery = {
  id: 'q7',
  title: 'highest bid',
  build: events =>
    bidsIn(events)
      .windowAll(tumblingWindows(seconds(10)))
      .aggregate(highest)
      .flatMap(bids =>
        bids.map(({ auction, bidder, price, dateTime, extra }) => ({ auction, bidder, price, dateTime, extra })),
      ),
}
