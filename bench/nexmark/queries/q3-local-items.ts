// q3: who sells what in three states: auctions of one category joined with their sellers, whenever the two come.

import type { NexmarkQuery } from '../query.ts'
import { auctionsIn, personsIn } from '../streams.ts'

const STATES: ReadonlySet<string> = new Set(['OR', 'ID', 'CA'])
const CATEGORY = 10

export const q3: NexmarkQuery = {
  id: 'q3',
  title: 'local item suggestion',
  build(events) {
    const offers = auctionsIn(events)
      .filter(auction => auction.category === CATEGORY)
      .map(({ id, seller }) => ({ id, seller }))
    const locals = personsIn(events)
      .filter(person => STATES.has(person.state))
      .map(({ id, name, city, state }) => ({ id, name, city, state }))
    return offers
      .keyBy('seller')
      .intervalJoin(locals.keyBy('id'))
      .between(-Infinity, Infinity, { allowUnboundedState: true })
      .map((auction, { name, city, state }) => ({ name, city, state, id: auction.id }))
  },
}
