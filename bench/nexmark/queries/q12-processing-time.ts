// q12: the bids of each user in windows of 10 s of processing time. Which window a bid is in depends on the clock; the sums do not.
import { count, seconds, tumblingWindows } from 'millrace'
import type { NexmarkQuery } from '../query.ts'
import { bidsIn } from '../streams.ts'

interface UserCount {
  readonly bidder: number
  readonly bids: number
  readonly windowStart: number
}

function sums(rows: readonly UserCount[]): readonly unknown[] {
  const totals = new Map<number, number>()
  for (const { bidder, bids } of rows) totals.set(bidder, (totals.get(bidder) ?? 0) + bids)
  return [...totals].map(([bidder, bids]) => ({ bidder, bids }))
}

export const q12: NexmarkQuery<UserCount> = {
  id: 'q12',
  title: 'processing-time windows',
  build: events =>
    bidsIn(events)
      .keyBy('bidder')
      .window(tumblingWindows(seconds(10), { time: 'processing-time' }))
      .aggregate(count(), (bids, { key, window }) => ({ bidder: key, bids, windowStart: window.start })),
  settle: sums,
}
