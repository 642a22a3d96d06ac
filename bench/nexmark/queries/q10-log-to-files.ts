// q10: all bids to files, with the day and the minute that the reference partitions them by as columns. Files appear with the checkpoint that holds
// them; there are no folders for partitions, and no _SUCCESS files.
import { dayText, minuteText } from '../date-texts.ts'
import type { NexmarkQuery } from '../query.ts'
import { bidsIn } from '../streams.ts'

export const q10: NexmarkQuery = {
  id: 'q10',
  title: 'log to files',
  build: events =>
    bidsIn(events).map(({ auction, bidder, price, dateTime, extra }) => ({
      auction,
      bidder,
      price,
      dateTime,
      extra,
      day: dayText(dateTime),
      minute: minuteText(dateTime),
    })),
  checkEventsPerSecond: 20,
  writesFiles: true,
}
