// The input of W4, the core of the Yahoo streaming benchmark: events of advertisements as JSON in bytes, and the table of their
// campaigns. The bytes are made once; only the digits of the event time are written into them as they are emitted.
import { nextState, pick } from './workloads.ts'

/** Events of a pool, which a split goes through again and again. */
export const EVENT_POOL = 100_000
/** Events in a millisecond of event time, over all splits. */
export const EVENTS_PER_MS = 10
/** The event time of the first event, epoch ms. */
export const FIRST_EVENT_MS = 1_500_000_000_000
/** The length of the windows of W4 in ms. */
export const CAMPAIGN_WINDOW_MS = 10_000
/** The pool of the first split is made from this seed, that of each further one from the next. */
export const FIRST_EVENT_SEED = 7
/** How many ads there are. */
export const AD_COUNT = 1000
/** How many campaigns they belong to. */
export const CAMPAIGN_COUNT = 100

/** The digits of an event time in epoch ms. */
const TIME_DIGITS = 13
const AFTER_TIME = '","ip_address":"1.2.3.4"}'
const AD_TYPES = ['banner', 'modal', 'sponsored-search', 'mail', 'mobile']
const EVENT_TYPES = ['view', 'click', 'purchase']

/** The id of an ad, a UUID. */
export function adId(index: number): string {
  return uuid(1, index)
}

/** The id of a campaign, a UUID. */
export function campaignId(index: number): string {
  return uuid(2, index)
}

/** From the id of each ad to the id of its campaign. */
export function campaignsByAd(): ReadonlyMap<string, string> {
  const campaigns = new Map<string, string>()
  for (let index = 0; index < AD_COUNT; index++) campaigns.set(adId(index), campaignId(Math.floor(index / 10)))
  return campaigns
}

const pools = new Map<number, readonly Buffer[]>()

/** The pool of events of a split. It is made once, and whoever writes event times into it writes over those of others. */
export function makeAdEvents(splitIndex: number): readonly Buffer[] {
  const pool = pools.get(splitIndex) ?? randomEvents(splitIndex)
  pools.set(splitIndex, pool)
  return pool
}

function randomEvents(splitIndex: number): readonly Buffer[] {
  const events: Buffer[] = []
  let state = FIRST_EVENT_SEED + splitIndex
  const draw = (n: number): number => {
    state = nextState(state)
    return pick(state, n)
  }
  for (let i = 0; i < EVENT_POOL; i++) {
    const user = uuid(3, draw(100_000))
    const page = uuid(4, draw(100_000))
    const ad = adId(draw(AD_COUNT))
    const adType = AD_TYPES[draw(AD_TYPES.length)]
    const eventType = EVENT_TYPES[draw(EVENT_TYPES.length)]
    const before = `{"user_id":"${user}","page_id":"${page}","ad_id":"${ad}","ad_type":"${adType}","event_type":"${eventType}","event_time":"`
    events.push(Buffer.from(`${before}${FIRST_EVENT_MS}${AFTER_TIME}`))
  }
  return events
}

/** A writer of event times (epoch ms of 13 digits) into events. Event times come in order, so the digits of the last one are kept. */
export function eventTimeWriter(): (event: Uint8Array, timeMs: number) => void {
  const digits = new Uint8Array(TIME_DIGITS)
  let writtenMs = -1
  return (event, timeMs) => {
    if (timeMs !== writtenMs) {
      writtenMs = timeMs
      writeDigits(digits, timeMs)
    }
    const start = event.length - AFTER_TIME.length - TIME_DIGITS
    for (let i = 0; i < TIME_DIGITS; i++) event[start + i] = digits[i] as number
  }
}

/** Two halves, so that each is a small integer. */
function writeDigits(digits: Uint8Array, timeMs: number): void {
  let high = Math.floor(timeMs / 1e6) | 0
  let low = (timeMs - high * 1e6) | 0
  for (let i = TIME_DIGITS - 1; i >= 7; i--) {
    digits[i] = 48 + (low % 10)
    low = (low / 10) | 0
  }
  for (let i = 6; i >= 0; i--) {
    digits[i] = 48 + (high % 10)
    high = (high / 10) | 0
  }
}

function uuid(kind: number, n: number): string {
  const scattered = hex(Math.imul(n, 0x9e37_79b1) >>> 0, 8)
  return `${scattered}-${hex(kind, 4)}-4000-8000-${hex(n, 12)}`
}

function hex(n: number, digits: number): string {
  return n.toString(16).padStart(digits, '0')
}
