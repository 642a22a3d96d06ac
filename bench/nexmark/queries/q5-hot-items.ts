// q5: the auctions with the most bids in the last 10 s, every 2 s.
import { type AggregateFunction, count, seconds, tumblingWindows } from 'millrace'
import type { NexmarkQuery } from '../query.ts'
import { bidsIn } from '../streams.ts'

interface BidCount {
  readonly auction: number
  readonly bids: number
  readonly windowEnd: number
}

const WINDOW_MS = seconds(10)
const SLIDE_MS = seconds(2)

/** All that have the greatest count. */
const hottest: AggregateFunction<BidCount, BidCount[], BidCount[]> = {
  create: () => [],
  add: (best, row) => {
    const most = best[0]?.bids ?? 0
    if (row.bids > most) return [row]
    if (row.bids === most) best.push(row)
    return best
  },
  merge: (a, b) => b.reduce((best, row) => hottest.add(best, row), a),
  result: best => best.slice(),
}

export const q5: NexmarkQuery = {
  id: 'q5',
  title: 'hot items',
  build: events =>
    bidsIn(events)
      .keyBy('auction')
      .timeWindow(WINDOW_MS, SLIDE_MS)
      .aggregate(count(), (bids, { key, window }): BidCount => ({ auction: key, bids, windowEnd: window.end }))
      // A result has the last millisecond of its window as its time, so those of one window meet in one slide.
      .windowAll(tumblingWindows(SLIDE_MS))
      .aggregate(hottest)
      .flatMap(rows => rows.values()),
}
