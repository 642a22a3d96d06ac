// q16: as q15 for each channel and day, with the last minute in which there was a bid.
import { dayText } from '../date-texts.ts'
import { latestBy, type NexmarkQuery } from '../query.ts'
import { bidsIn } from '../streams.ts'
import { type ChannelStatistics, channelStatistics } from './bid-statistics.ts'

export const q16: NexmarkQuery<ChannelStatistics> = {
  id: 'q16',
  title: 'channel statistics',
  build: events =>
    bidsIn(events)
      .keyBy(bid => [bid.channel, dayText(bid.dateTime)])
      .aggregate(channelStatistics),
  settle: latestBy(row => [row.channel, row.day]),
  checkEventsPerSecond: 1,
}
