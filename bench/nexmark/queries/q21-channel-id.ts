// q21: the id of each bid's channel: of four by name, of the others from their address; bids without one are left out.

import type { NexmarkQuery } from '../query.ts'
import { bidsIn } from '../streams.ts'

const IDS: ReadonlyMap<string, string> = new Map([
  ['apple', '0'],
  ['google', '1'],
  ['facebook', '2'],
  ['baidu', '3'],
])
const CHANNEL_ID = /(?:&|^)channel_id=([^&]*)/

interface ChannelBid {
  readonly auction: number
  readonly bidder: number
  readonly price: number
  readonly channel: string
  readonly channelId: string | undefined
}

export const q21: NexmarkQuery = {
  id: 'q21',
  title: 'add channel id',
  build: events =>
    bidsIn(events)
      .map(
        ({ auction, bidder, price, channel, url }): ChannelBid => ({
          auction,
          bidder,
          price,
          channel,
          channelId: IDS.get(channel.toLowerCase()) ?? CHANNEL_ID.exec(url)?.[1],
        }),
      )
      .filter(bid => bid.channelId !== undefined),
}
