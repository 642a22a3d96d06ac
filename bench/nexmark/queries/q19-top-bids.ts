// q19: the ten highest bids of each auction, of equal prices the one that came first.
import type { Bid } from '../events.ts'
import { latestBy, type NexmarkQuery } from '../query.ts'
import { bidsIn } from '../streams.ts'

export const q19: NexmarkQuery<readonly Bid[]> = {
  id: 'q19',
  title: 'top 10 prices of an auction',
  build: events => bidsIn(events).keyBy('auction').topN(10, { by: 'price' }),
  settle: latestBy(bids => bids[0]?.auction),
}
