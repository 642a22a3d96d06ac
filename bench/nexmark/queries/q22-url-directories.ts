// q22: the three directories in the address of each bid.

import type { NexmarkQuery } from '../query.ts'
import { bidsIn } from '../streams.ts'

export const q22: NexmarkQuery = {
  id: 'q22',
  title: 'get URL directories',
  build: events =>
    bidsIn(events).map(({ auction, bidder, price, channel, url }) => {
      const parts = url.split('/')
      return { auction, bidder, price, channel, dir1: parts[3], dir2: parts[4], dir3: parts[5] }
    }),
}
