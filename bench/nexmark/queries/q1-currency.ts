// q1: the price of each bid in another currency.

import type { NexmarkQuery } from '../query.ts'
import { bidsIn } from '../streams.ts'

const EUROS_PER_DOLLAR = 0.908

export const q1: NexmarkQuery = {
  id: 'q1',
  title: 'currency conversion',
  build: events =>
    bidsIn(events).map(({ auction, bidder, price, dateTime, extra }) => ({
      auction,
      bidder,
      price: price * EUROS_PER_DOLLAR,
      dateTime,
      extra,
    })),
}
