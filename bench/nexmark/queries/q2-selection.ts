// q2: the bids for every 123rd auction.

import type { NexmarkQuery } from '../query.ts'
import { bidsIn } from '../streams.ts'

export const q2: NexmarkQuery = {
  id: 'q2',
  title: 'selection',
  build: events =>
    bidsIn(events)
      .filter(bid => bid.auction % 123 === 0)
      .map(({ auction, price }) => ({ auction, price })),
}
