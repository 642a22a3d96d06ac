// The Nexmark generator with the proportions, ids and skews of nexmark/nexmark (and of Beam before it), seeded by event id so that results
// can be checked. All events are made before anything is timed: making one costs more than most queries do.
import { EventRandom } from './event-random.ts'
import type { Auction, Bid, NexmarkEvent, Person } from './events.ts'

/** What decides the events. */
export interface GeneratorOptions {
  readonly events: number
  /** Events a second of event time. */
  readonly eventsPerSecond: number
  /** 1 unless given. */
  readonly seed?: number
  /** The time of the first event, epoch ms; 2015-07-15T00:00:00Z unless given. */
  readonly baseTimeMs?: number
  /** Events whose order is mixed up (the whole event moves, id and time); 1 unless given: none. */
  readonly outOfOrderGroupSize?: number
}

const BASE_TIME_MS = Date.UTC(2015, 6, 15)

// Of 50 events the first is a person, the next three are auctions, the rest are bids.
const EPOCH_EVENTS = 50
const EPOCH_AUCTIONS = 3

const FIRST_PERSON_ID = 1000
const FIRST_AUCTION_ID = 1000
const FIRST_CATEGORY_ID = 10
const CATEGORIES = 5

// Every 100th id is a hot one; the ratios say in how many cases it is not: 1 of 2 bids, 1 of 4 sellers and bidders.
const HOT_ID_EVERY = 100
const HOT_AUCTION_RATIO = 2
const HOT_SELLER_RATIO = 4
const HOT_BIDDER_RATIO = 4
const HOT_CHANNEL_RATIO = 2

const ACTIVE_PEOPLE = 1000
const AUCTIONS_IN_FLIGHT = 100
// Ids that do not exist yet are drawn too.
const ID_LEAD = 10
const AUCTION_HORIZON_EVENTS = Math.floor((AUCTIONS_IN_FLIGHT * EPOCH_EVENTS) / EPOCH_AUCTIONS)

const PERSON_BYTES = 200
const AUCTION_BYTES = 500
const BID_BYTES = 100
const BID_FIELD_BYTES = 32
/** Bids take their padding from a pool of so many texts: a text each would be most of the memory and say nothing. */
const PADDING_POOL = 1024

const CHANNELS = 10_000
const HOT_CHANNELS = ['Google', 'Facebook', 'Baidu', 'Apple']
const FIRST_NAMES = 'Peter,Paul,Luke,John,Saul,Vicky,Kate,Julie,Sarah,Deiter,Walter'.split(',')
const LAST_NAMES = 'Shultz,Abrams,Spencer,White,Bartels,Walton,Smith,Jones,Noris'.split(',')
const CITIES = 'Phoenix,Los Angeles,San Francisco,Boise,Portland,Bend,Redmond,Seattle,Kent,Cheyenne'.split(',')
const STATES = 'AZ,CA,ID,OR,WA,WY'.split(',')

interface Channel {
  readonly channel: string
  readonly url: string
}

/** Where an event is in its stream, which decides the ids that exist by then. */
interface Moment {
  readonly eventId: number
  readonly timeMs: number
  readonly lastPerson: number
  readonly lastAuction: number
}

/** The events in the order in which they arrive. */
export function generateEvents(options: GeneratorOptions): readonly NexmarkEvent[] {
  const maker = new EventMaker(options)
  return Array.from({ length: options.events }, (_, number) => maker.make(number))
}

class EventMaker {
  private readonly random: EventRandom
  private readonly baseTimeMs: number
  private readonly eventsPerSecond: number
  private readonly groupSize: number
  private readonly hotChannels: readonly Channel[]
  private readonly channels: readonly Channel[]
  private readonly paddings: readonly string[]

  constructor({ seed = 1, baseTimeMs = BASE_TIME_MS, eventsPerSecond, outOfOrderGroupSize = 1 }: GeneratorOptions) {
    const random = new EventRandom(seed)
    this.random = random
    this.baseTimeMs = baseTimeMs
    this.eventsPerSecond = eventsPerSecond
    this.groupSize = outOfOrderGroupSize
    random.begin(-1)
    this.hotChannels = HOT_CHANNELS.map(channel => ({ channel, url: urlOf(random) }))
    this.channels = Array.from({ length: CHANNELS }, (_, i) => channelOf(random, i))
    this.paddings = Array.from({ length: PADDING_POOL }, () => flat(random.padding(BID_FIELD_BYTES, BID_BYTES)))
  }

  make(number: number): NexmarkEvent {
    const { groupSize } = this
    const groupStart = number - (number % groupSize)
    const eventId = groupStart + ((number * 953) % groupSize)
    const moment = this.momentOf(eventId)
    this.random.begin(eventId)
    const place = eventId % EPOCH_EVENTS
    if (place === 0) return this.person(moment)
    return place <= EPOCH_AUCTIONS ? this.auction(moment) : this.bid(moment)
  }

  private momentOf(eventId: number): Moment {
    const epoch = Math.floor(eventId / EPOCH_EVENTS)
    // Of the auctions before: a person comes first in an epoch, so there the last one is of the epoch before.
    const auctionsInEpoch = Math.min(eventId % EPOCH_EVENTS, EPOCH_AUCTIONS)
    return {
      eventId,
      timeMs: this.timeOf(eventId),
      lastPerson: epoch,
      lastAuction: epoch * EPOCH_AUCTIONS + auctionsInEpoch - 1,
    }
  }

  private timeOf(eventId: number): number {
    return this.baseTimeMs + Math.floor((eventId * 1000) / this.eventsPerSecond)
  }

  private person({ lastPerson, timeMs }: Moment): Person {
    const { random } = this
    const name = `${random.pick(FIRST_NAMES)} ${random.pick(LAST_NAMES)}`
    const emailAddress = `${random.text(7)}@${random.text(5)}.com`
    const creditCard = [1, 2, 3, 4].map(() => String(random.below(10_000)).padStart(4, '0')).join(' ')
    const city = random.pick(CITIES)
    const state = random.pick(STATES)
    const bytes = 16 + name.length + emailAddress.length + creditCard.length + city.length + state.length
    return {
      kind: 'person',
      id: FIRST_PERSON_ID + lastPerson,
      name: flat(name),
      emailAddress: flat(emailAddress),
      creditCard: flat(creditCard),
      city,
      state,
      dateTime: timeMs,
      extra: random.padding(bytes, PERSON_BYTES),
    }
  }

  private auction(moment: Moment): Auction {
    const { random } = this
    const { eventId, lastPerson, lastAuction, timeMs } = moment
    const seller = random.isHot(HOT_SELLER_RATIO) ? hotId(lastPerson) : this.activePerson(lastPerson)
    const category = FIRST_CATEGORY_ID + random.below(CATEGORIES)
    const initialBid = random.price()
    const horizonMs = this.timeOf(eventId + AUCTION_HORIZON_EVENTS) - timeMs
    const expires = timeMs + 1 + random.below(Math.max(horizonMs * 2, 1))
    const itemName = random.text(20)
    const description = random.text(100)
    return {
      kind: 'auction',
      id: FIRST_AUCTION_ID + lastAuction,
      itemName,
      description,
      initialBid,
      reserve: initialBid + random.price(),
      dateTime: timeMs,
      expires,
      seller: FIRST_PERSON_ID + seller,
      category,
      extra: random.padding(56 + itemName.length + description.length, AUCTION_BYTES),
    }
  }

  private bid({ lastPerson, lastAuction, timeMs }: Moment): Bid {
    const { random } = this
    const auction = random.isHot(HOT_AUCTION_RATIO) ? hotId(lastAuction) : this.auctionInFlight(lastAuction)
    const bidder = random.isHot(HOT_BIDDER_RATIO) ? hotId(lastPerson) + 1 : this.activePerson(lastPerson)
    const price = random.price()
    const { channel, url } = random.pick(random.isHot(HOT_CHANNEL_RATIO) ? this.hotChannels : this.channels)
    return {
      kind: 'bid',
      auction: FIRST_AUCTION_ID + auction,
      // The reference adds the first id twice, so that bidders register long after they have bid.
      bidder: FIRST_PERSON_ID + FIRST_PERSON_ID + bidder,
      price,
      channel,
      url,
      dateTime: timeMs,
      extra: random.pick(this.paddings),
    }
  }

  private activePerson(lastPerson: number): number {
    const people = lastPerson + 1
    const active = Math.min(people, ACTIVE_PEOPLE)
    return people - active + this.random.below(active + ID_LEAD)
  }

  private auctionInFlight(lastAuction: number): number {
    const first = Math.max(lastAuction - AUCTIONS_IN_FLIGHT, 0)
    return first + this.random.below(lastAuction - first + 1 + ID_LEAD)
  }
}

function hotId(last: number): number {
  return Math.floor(last / HOT_ID_EVERY) * HOT_ID_EVERY
}

function urlOf(random: EventRandom): string {
  return `https://www.nexmark.com/${random.text(5, '_')}/${random.text(5, '_')}/${random.text(5, '_')}/item.htm?query=1`
}

function channelOf(random: EventRandom, number: number): Channel {
  const url = urlOf(random)
  const isMarked = random.below(10) > 0
  return { channel: `channel-${number}`, url: flat(isMarked ? `${url}&channel_id=${number}` : url) }
}

// Through bytes, so that the string is flat as one that came from the network.
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}
