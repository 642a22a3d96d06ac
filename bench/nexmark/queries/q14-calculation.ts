// q14: bids in a range of prices, with the part of the day and the number of letters c in their text. (The reference counts in a UDF.)
import { hourOf } from '../date-texts.ts'
import type { NexmarkQuery } from '../query.ts'
import { bidsIn } from '../streams.ts'

const EUROS_PER_DOLLAR = 0.908
const PRICE_MIN = 1_000_000
const PRICE_MAX = 50_000_000
const LETTER_C = 99

function partOfDay(hour: number): string {
  if (hour >= 8 && hour <= 18) return 'dayTime'
  return hour <= 6 || hour >= 20 ? 'nightTime' : 'otherTime'
}

function lettersC(text: string): number {
  let count = 0
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) === LETTER_C) count++
  return count
}

export const q14: NexmarkQuery = {
  id: 'q14',
  title: 'calculation',
  build: events =>
    bidsIn(events)
      .filter(({ price }) => price * EUROS_PER_DOLLAR > PRICE_MIN && price * EUROS_PER_DOLLAR < PRICE_MAX)
      .map(({ auction, bidder, price, dateTime, extra }) => ({
        auction,
        bidder,
        price: price * EUROS_PER_DOLLAR,
        bidTimeType: partOfDay(hourOf(dateTime)),
        dateTime,
        extra,
        lettersC: lettersC(extra),
      })),
  checkEventsPerSecond: 1,
}
