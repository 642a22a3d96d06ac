// q0: the bids as they are. What it costs is what moving a record costs.

import type { NexmarkQuery } from '../query.ts'
import { bidsIn } from '../streams.ts'

export const q0: NexmarkQuery = {
  id: 'q0',
  title: 'pass through',
  build: events =>
    bidsIn(events).map(({ auction, bidder, price, dateTime, extra }) => ({ auction, bidder, price, dateTime, extra })),
}
