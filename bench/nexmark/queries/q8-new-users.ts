// q8: people who opened an auction within the 10 s in which they registered.
import { seconds, tumblingWindows } from 'millrace'
import type { Auction } from '../events.ts'
import type { NexmarkQuery } from '../query.ts'
import { auctionsIn, personsIn } from '../streams.ts'

interface NewSeller {
  readonly id: number
  readonly name: string
  readonly windowStart: number
}

// A window keeps what it is given, so it is given only what tells.
function offerOf({ seller }: Auction): Pick<Auction, 'seller'> {
  return { seller }
}

export const q8: NexmarkQuery = {
  id: 'q8',
  title: 'monitor new users',
  build: events =>
    personsIn(events)
      .map(({ id, name }) => ({ id, name }))
      .keyBy('id')
      .coGroup([auctionsIn(events).map(offerOf).keyBy('seller')], {
        window: tumblingWindows(seconds(10)),
        coGroup([people, offers], { window }, out: { collect(row: NewSeller): void }) {
          if (offers.length === 0) return
          for (const { id, name } of people) out.collect({ id, name, windowStart: window.start })
        },
      }),
}
