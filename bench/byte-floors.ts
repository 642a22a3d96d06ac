// What the hardware allows in one thread of Node: each workload by hand on bytes and typed arrays, with no string and no object for a
// record. The second floor: it shows what room there is above the idiomatic one. Each call is one pass with fresh state over one split.
import {
  AD_COUNT,
  adId,
  CAMPAIGN_COUNT,
  CAMPAIGN_WINDOW_MS,
  EVENT_POOL,
  EVENTS_PER_MS,
  eventTimeWriter,
  FIRST_EVENT_MS,
} from './ad-events.ts'
import type { PassResult } from './floors.ts'
import { LINE_POOL, nextState, pick, WORDS_PER_LINE } from './workloads.ts'

const HASH_FACTOR = 16_777_619
const GOLDEN = 0x9e37_79b1
const SPACE = 0x20
const QUOTE = 0x22

/** The pool of lines as bytes; line i is from ends[i] to ends[i + 1], each with a space behind it. */
export interface ByteLines {
  readonly bytes: Uint8Array
  readonly ends: Int32Array
}

/** The lines one behind the other. */
export function toByteLines(lines: readonly string[]): ByteLines {
  const bytes = Buffer.from(lines.map(line => `${line} `).join(''), 'latin1')
  const ends = new Int32Array(lines.length + 1)
  let end = 0
  lines.forEach((line, i) => {
    end += line.length + 1
    ends[i + 1] = end
  })
  return { bytes: new Uint8Array(bytes), ends }
}

const WORDS_MAX = 16_384
const TABLE_BITS = 15

/**
 * Numbers words of 1 to 8 bytes from 0, in the order in which they are first seen. A word is given as its bytes packed into two
 * integers, which tell it exactly, since no byte of it is 0. Open addressing over a table that is never more than half full.
 */
class WordNumbers {
  /** Of each slot: the two halves of its word, and the word's number + 1; 0 for an empty slot. */
  private readonly table = new Int32Array(4 * 2 ** TABLE_BITS)
  private size = 0

  of(low: number, high: number): number {
    const { table } = this
    let slot = Math.imul(low ^ Math.imul(high, HASH_FACTOR), GOLDEN) >>> (32 - TABLE_BITS)
    for (;;) {
      const at = 4 * slot
      const number = table[at + 2] as number
      if (number === 0) return this.add(at, low, high)
      if (table[at] === low && table[at + 1] === high) return number - 1
      slot = (slot + 1) & (2 ** TABLE_BITS - 1)
    }
  }

  private add(at: number, low: number, high: number): number {
    this.table[at] = low
    this.table[at + 1] = high
    this.table[at + 2] = ++this.size
    return this.size - 1
  }
}

/** W1 on bytes. */
export function rollingByteFloor({ bytes, ends }: ByteLines, words: number): PassResult {
  const numbers = new WordNumbers()
  const counts = new Int32Array(WORDS_MAX)
  let sum = 0
  let rows = 0
  for (let i = 0; i < words / WORDS_PER_LINE; i++) {
    const line = i & (LINE_POOL - 1)
    const end = ends[line + 1] as number
    let low = 0
    let high = 0
    for (let at = ends[line] as number; at < end; at++) {
      const byte = bytes[at] as number
      if (byte !== SPACE) {
        high = (high << 8) | (low >>> 24)
        low = (low << 8) | byte
        continue
      }
      const word = numbers.of(low, high)
      const count = (counts[word] as number) + 1
      counts[word] = count
      sum += count
      rows++
      low = 0
      high = 0
    }
  }
  return { rows, sum }
}

/** W2 on bytes; the words of the open window are listed, so that a window is closed without a look at all words. */
export function windowByteFloor({ bytes, ends }: ByteLines, words: number): PassResult {
  const sizeMs = 5000
  const numbers = new WordNumbers()
  const counts = new Int32Array(WORDS_MAX)
  const open = new Int32Array(WORDS_MAX)
  let openCount = 0
  let windowEnd = sizeMs
  let sum = 0
  let rows = 0
  const close = (): void => {
    for (let i = 0; i < openCount; i++) {
      const word = open[i] as number
      sum += counts[word] as number
      counts[word] = 0
    }
    rows += openCount
    openCount = 0
  }
  for (let i = 0; i < words / WORDS_PER_LINE; i++) {
    if (i >= windowEnd) {
      close()
      windowEnd += sizeMs
    }
    const line = i & (LINE_POOL - 1)
    const end = ends[line + 1] as number
    let low = 0
    let high = 0
    for (let at = ends[line] as number; at < end; at++) {
      const byte = bytes[at] as number
      if (byte !== SPACE) {
        high = (high << 8) | (low >>> 24)
        low = (low << 8) | byte
        continue
      }
      const word = numbers.of(low, high)
      const count = (counts[word] as number) + 1
      counts[word] = count
      if (count === 1) open[openCount++] = word
      low = 0
      high = 0
    }
  }
  close()
  return { rows, sum }
}

/** W3 in a table of open addressing, keys and sums in typed arrays. */
export function keyedSumTypedFloor(keys: number, records: number): PassResult {
  const shift = Math.clz32(keys) - 1
  const slotCount = 2 ** (32 - shift)
  const mask = slotCount - 1
  // Key and sum of a slot side by side: one miss of the cache for both. An empty slot has the sum 0.
  const table = new Int32Array(2 * slotCount)
  let state = 1
  let sum = 0
  for (let i = 0; i < records; i++) {
    state = nextState(state)
    const key = pick(state, keys)
    let slot = Math.imul(key, GOLDEN) >>> shift
    while (table[2 * slot + 1] !== 0 && table[2 * slot] !== key) slot = (slot + 1) & mask
    table[2 * slot] = key
    const total = (table[2 * slot + 1] as number) + 1
    table[2 * slot + 1] = total
    sum += total
  }
  return { rows: records, sum }
}

const AD_KEY = new Uint8Array(Buffer.from('ad_id'))
const TYPE_KEY = new Uint8Array(Buffer.from('event_type'))
const TIME_KEY = new Uint8Array(Buffer.from('event_time'))
const VIEW = new Uint8Array(Buffer.from('view'))

/** W4 on bytes: goes through the fields of an event in whatever order they are, and makes no string of any. */
export function campaignByteFloor(events: readonly Buffer[], count: number): PassResult {
  const ads = new AdTable()
  const writeTime = eventTimeWriter()
  const views = new Int32Array(CAMPAIGN_COUNT)
  let end = FIRST_EVENT_MS + CAMPAIGN_WINDOW_MS
  let sum = 0
  let rows = 0
  const close = (): void => {
    for (let campaign = 0; campaign < CAMPAIGN_COUNT; campaign++) {
      const seen = views[campaign] as number
      sum += seen
      if (seen > 0) rows++
    }
    views.fill(0)
  }
  for (let i = 0; i < count; i++) {
    const event = events[i % EVENT_POOL] as Buffer
    writeTime(event, FIRST_EVENT_MS + Math.floor(i / EVENTS_PER_MS))
    let isView = false
    let campaign = -1
    let timeMs = 0
    // Each field is "key":"value", and no value has a quote in it.
    for (let at = 1; at < event.length; at++) {
      const keyStart = at + 1
      const keyEnd = endOfText(event, keyStart)
      const valueStart = keyEnd + 3
      const valueEnd = endOfText(event, valueStart)
      if (isText(event, keyStart, keyEnd, TYPE_KEY)) isView = isText(event, valueStart, valueEnd, VIEW)
      else if (isText(event, keyStart, keyEnd, TIME_KEY)) timeMs = wholeNumber(event, valueStart, valueEnd)
      else if (isText(event, keyStart, keyEnd, AD_KEY)) campaign = ads.campaignOf(event, valueStart, valueEnd)
      at = valueEnd + 1
    }
    if (!isView || campaign < 0) continue
    if (timeMs >= end) {
      close()
      end += CAMPAIGN_WINDOW_MS
    }
    views[campaign] = (views[campaign] as number) + 1
  }
  close()
  return { rows, sum }
}

function endOfText(bytes: Uint8Array, start: number): number {
  let at = start
  while (bytes[at] !== QUOTE) at++
  return at
}

function isText(bytes: Uint8Array, start: number, end: number, text: Uint8Array): boolean {
  if (end - start !== text.length) return false
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text[i]) return false
  return true
}

function wholeNumber(bytes: Uint8Array, start: number, end: number): number {
  let number = 0
  for (let at = start; at < end; at++) number = number * 10 + (bytes[at] as number) - 48
  return number
}

/** From the bytes of an ad's id to the number of its campaign; open addressing by the first eight bytes of the id. */
class AdTable {
  private readonly slots = new Int16Array(4096).fill(-1)
  private readonly ids: readonly Uint8Array[] = Array.from({ length: AD_COUNT }, (_, ad) => Buffer.from(adId(ad)))

  constructor() {
    this.ids.forEach((id, ad) => {
      let slot = firstSlot(id, 0)
      while ((this.slots[slot] as number) >= 0) slot = (slot + 1) & 4095
      this.slots[slot] = ad
    })
  }

  campaignOf(bytes: Uint8Array, start: number, end: number): number {
    let slot = firstSlot(bytes, start)
    for (;;) {
      const ad = this.slots[slot] as number
      if (ad < 0) return -1
      if (isText(bytes, start, end, this.ids[ad] as Uint8Array)) return Math.floor(ad / 10)
      slot = (slot + 1) & 4095
    }
  }
}

function firstSlot(bytes: Uint8Array, start: number): number {
  let hash = 0
  for (let i = start; i < start + 8; i++) hash = Math.imul(hash ^ (bytes[i] as number), HASH_FACTOR)
  return (hash ^ (hash >>> 12)) & 4095
}
