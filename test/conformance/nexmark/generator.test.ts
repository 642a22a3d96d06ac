// The generator of Nexmark: proportions, ids and skews are those of the reference, and an event follows from the seed and its id alone.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { Auction, Bid, NexmarkEvent, Person } from '../../../bench/nexmark/events.ts'
import { generateEvents } from '../../../bench/nexmark/generator.ts'
import { Laps } from '../../../bench/nexmark/laps.ts'

const RATE = 10_000
const events = generateEvents({ events: 100_000, eventsPerSecond: RATE })
const persons = events.filter((event): event is Person => event.kind === 'person')
const auctions = events.filter((event): event is Auction => event.kind === 'auction')
const bids = events.filter((event): event is Bid => event.kind === 'bid')

function share<T>(list: readonly T[], holds: (element: T) => boolean): number {
  return list.filter(holds).length / list.length
}

function assertNear(actual: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not within ${tolerance} of ${expected}`)
}

/** What an event of the list may know: the ids that exist at its place. */
function assertIdsExist(event: NexmarkEvent, index: number): void {
  const epoch = Math.floor(index / 50)
  if (event.kind === 'auction') assert.ok(event.seller >= 1000 && event.seller <= 1000 + epoch + 10)
  if (event.kind !== 'bid') return
  assert.ok(event.auction >= 1000 && event.auction <= 1000 + 3 * epoch + 2 + 10)
  assert.ok(event.bidder >= 2000 && event.bidder <= 2000 + epoch + 10)
}

describe('the generator', () => {
  test('makes 1 person, 3 auctions and 46 bids of 50 events, in this order', () => {
    const kinds = events.slice(50, 100).map(({ kind }) => kind)
    const expected = ['person', ...Array(3).fill('auction'), ...Array(46).fill('bid')]
    assert.deepEqual(kinds, expected)
    assert.deepEqual([persons.length, auctions.length, bids.length], [2000, 6000, 92_000])
  })

  test('counts ids from 1000 and refers to ids that exist, or are among the next ten', () => {
    assert.deepEqual(
      persons.map(({ id }) => id),
      persons.map((_, index) => 1000 + index),
    )
    assert.deepEqual(
      auctions.map(({ id }) => id),
      auctions.map((_, index) => 1000 + index),
    )
    events.forEach(assertIdsExist)
  })

  test('prefers hot auctions, sellers, bidders and channels as often as the reference', () => {
    // The others hit a hot id now and then, about one time in a hundred.
    assertNear(
      share(bids, ({ auction }) => auction % 100 === 0),
      0.5 + 0.5 / 100,
      0.01,
    )
    assertNear(
      share(bids, ({ bidder }) => bidder % 100 === 1),
      0.75 + 0.25 / 100,
      0.01,
    )
    assertNear(
      share(auctions, ({ seller }) => seller % 100 === 0),
      0.75 + 0.25 / 100,
      0.02,
    )
    assertNear(
      share(bids, ({ channel }) => !channel.startsWith('channel-')),
      0.5,
      0.01,
    )
  })

  test('gives auctions a category of five and an end within two horizons of 100 auctions', () => {
    const horizonMs = Math.floor((5000 / 3 / RATE) * 1000)
    assert.deepEqual([...new Set(auctions.map(({ category }) => category))].sort(), [10, 11, 12, 13, 14])
    assert.ok(
      auctions.every(({ dateTime, expires }) => expires > dateTime && expires - dateTime <= 2 * (horizonMs + 1)),
    )
    assertNear(auctions.reduce((sum, { dateTime, expires }) => sum + expires - dateTime, 0) / 6000, horizonMs, 10)
  })

  test('spreads prices evenly over six powers of ten, and marks nine of ten channels in their address', () => {
    assertNear(
      share(bids, ({ price }) => price < 10_000),
      1 / 3,
      0.01,
    )
    assertNear(
      share(bids, ({ price }) => price >= 1_000_000),
      1 / 3,
      0.01,
    )
    const others = bids.filter(({ channel }) => channel.startsWith('channel-'))
    assertNear(
      share(others, ({ url }) => url.includes('&channel_id=')),
      0.9,
      0.02,
    )
  })

  test('pads events to about 100, 200 and 500 bytes', () => {
    const mean = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0) / numbers.length
    assertNear(mean(bids.map(({ extra }) => extra.length + 32)), 100, 3)
    assertNear(
      mean(
        auctions.map(({ itemName, description, extra }) => 56 + itemName.length + description.length + extra.length),
      ),
      500,
      15,
    )
  })

  test('spaces events by the rate', () => {
    assert.equal(events[0].dateTime, Date.UTC(2015, 6, 15))
    assert.equal(events[99_999].dateTime - events[0].dateTime, 9999)
  })

  test('makes the same events again, fewer or more of them, and others from another seed', () => {
    assert.deepEqual(generateEvents({ events: 500, eventsPerSecond: RATE }), events.slice(0, 500))
    const others = generateEvents({ events: 500, eventsPerSecond: RATE, seed: 2 })
    const prices = (list: readonly NexmarkEvent[]): number[] =>
      list.flatMap(event => (event.kind === 'bid' ? event.price : []))
    assert.notDeepEqual(prices(others), prices(events.slice(0, 500)))
  })

  test('mixes up groups of events, each with its time, and loses none', () => {
    const mixed = generateEvents({ events: 1000, eventsPerSecond: RATE, outOfOrderGroupSize: 100 })
    assert.notDeepEqual(mixed, events.slice(0, 1000))
    const inOrder = new Set(events.slice(0, 1000).map(event => JSON.stringify(event)))
    assert.deepEqual(new Set(mixed.map(event => JSON.stringify(event))), inOrder)
    for (let i = 0; i < 1000; i += 100) {
      const times = mixed.slice(i, i + 100).map(({ dateTime }) => dateTime)
      assert.ok(Math.min(...times) >= events[i].dateTime && Math.max(...times) <= events[i + 99].dateTime)
    }
  })
})

describe('laps', () => {
  test('go on with ids and times where the lap before ended', () => {
    const lap = generateEvents({ events: 1000, eventsPerSecond: RATE })
    const laps = new Laps(lap, 3, RATE)
    const all = Array.from({ length: laps.length }, (_, index) => laps.at(index))
    assert.equal(all[0], lap[0])
    const own = all.filter(event => event.kind === 'auction')
    assert.deepEqual(
      own.map(({ id }) => id),
      own.map((_, index) => 1000 + index),
    )
    const ofPeople = all.filter(event => event.kind === 'person')
    assert.deepEqual(
      ofPeople.map(({ id }) => id),
      ofPeople.map((_, index) => 1000 + index),
    )
    assert.deepEqual(
      all.map(({ dateTime }) => dateTime),
      all.map((_, index) => lap[0].dateTime + Math.floor((index * 1000) / RATE)),
    )
    // The bids of each lap are for the auctions of that lap (or the ten that follow).
    all.forEach(assertIdsExist)
    assert.throws(() => new Laps(lap.slice(0, 49), 2, RATE), /whole number of epochs/)
  })
})
