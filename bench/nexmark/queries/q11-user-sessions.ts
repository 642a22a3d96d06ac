// q11: the bids of each user in each session; 10 s without a bid end one.
import { count, seconds, sessionWindows } from 'millrace'
import type { NexmarkQuery } from '../query.ts'
import { bidsIn } from '../streams.ts'

export const q11: NexmarkQuery = {
  id: 'q11',
  title: 'user sessions',
  build: events =>
    bidsIn(events)
      .keyBy('bidder')
      .window(sessionWindows(seconds(10)))
      .aggregate(count(), (bids, { key, window }) => ({
        bidder: key,
        bids,
        windowStart: window.start,
        windowEnd: window.end,
      })),
}
