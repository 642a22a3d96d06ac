// q18: the last bid of each user for each auction; of equal times the one that came last.

import type { Bid } from '../events.ts'
import { latestBy, type NexmarkQuery } from '../query.ts'
import { bidsIn } from '../streams.ts'

export const q18: NexmarkQuery<Bid> = {
  id: 'q18',
  title: 'find last bid',
  build: events =>
    bidsIn(events)
      .keyBy(['bidder', 'auction'])
      .reduce((earlier, later) => (later.dateTime >= earlier.dateTime ? later : earlier)),
  settle: latestBy(({ bidder, auction }) => [bidder, auction]),
}
