// q13: bids joined with a side input of 10,000 rows, which is read before the bids. (In the reference: a lookup join with a file.)

import type { NexmarkQuery } from '../query.ts'
import { bidsIn } from '../streams.ts'

const SIDE_ROWS = 10_000

export const q13: NexmarkQuery = {
  id: 'q13',
  title: 'bounded side input join',
  build(events, env) {
    const side = env.generate((key: number) => ({ key, value: String(key) }), { count: SIDE_ROWS }).name('side input')
    return bidsIn(events)
      .keyBy(bid => bid.auction % SIDE_ROWS)
      .temporalJoin(side.keyBy('key'), {
        time: 'processing-time',
        bootstrap: true,
        join: ({ auction, bidder, price, dateTime }, row) => ({ auction, bidder, price, dateTime, value: row.value }),
      })
  },
}
