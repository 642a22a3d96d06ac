// q23: bids with the person who made them and each auction that this person sells, whenever the three come.

import type { NexmarkQuery } from '../query.ts'
import { auctionsIn, bidsIn, personsIn } from '../streams.ts'

const FOR_EVER = { allowUnboundedState: true } as const

export const q23: NexmarkQuery = {
  id: 'q23',
  title: 'bids of sellers',
  build(events) {
    const people = personsIn(events).map(({ id, name, city, state }) => ({ id, name, city, state }))
    const items = auctionsIn(events).map(({ id, itemName, category, seller }) => ({ id, itemName, category, seller }))
    const sellers = people
      .keyBy('id')
      .intervalJoin(items.keyBy('seller'))
      .between(-Infinity, Infinity, FOR_EVER)
      .map(({ id, name, city, state }, { id: item, itemName, category }) => ({
        id,
        seller: { name, city, state, item, itemName, category },
      }))
    return bidsIn(events)
      .map(({ auction, bidder, price, dateTime }) => ({ auction, bidder, price, dateTime }))
      .keyBy('bidder')
      .intervalJoin(sellers.keyBy('id'))
      .between(-Infinity, Infinity, FOR_EVER)
      .map((bid, { seller }) => ({ ...bid, ...seller }))
  },
}
