// What a person would write by hand for each workload, without an engine: split, Map, JSON.parse, a loop. The idiomatic floor of the
// comparison: each call is one pass with fresh state over one split.
import {
  CAMPAIGN_WINDOW_MS,
  campaignsByAd,
  EVENT_POOL,
  EVENTS_PER_MS,
  eventTimeWriter,
  FIRST_EVENT_MS,
} from './ad-events.ts'
import { LINE_POOL, nextState, pick, WORDS_PER_LINE } from './workloads.ts'

/** What a pass over a workload gave: results that left it, and the sum over them. */
export interface PassResult {
  readonly rows: number
  readonly sum: number
}

/** Rolling word count: every update is counted and added. */
export function rollingFloor(lines: readonly string[], words: number): PassResult {
  const counts = new Map<string, number>()
  let sum = 0
  let rows = 0
  for (let i = 0; i < words / WORDS_PER_LINE; i++) {
    for (const word of (lines[i & (LINE_POOL - 1)] as string).split(' ')) {
      const count = (counts.get(word) ?? 0) + 1
      counts.set(word, count)
      sum += count
      rows++
    }
  }
  return { rows, sum }
}

/** Word count in tumbling windows of 5 s; line i has timestamp i ms. */
export function windowFloor(lines: readonly string[], words: number): PassResult {
  const sizeMs = 5000
  let counts = new Map<string, number>()
  let end = sizeMs
  let sum = 0
  let rows = 0
  const close = (): void => {
    for (const count of counts.values()) {
      sum += count
      rows++
    }
    counts = new Map()
  }
  for (let i = 0; i < words / WORDS_PER_LINE; i++) {
    if (i >= end) {
      close()
      end += sizeMs
    }
    for (const word of (lines[i & (LINE_POOL - 1)] as string).split(' ')) counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  close()
  return { rows, sum }
}

/** Keyed sum of ones over integer keys; every update is counted and added. */
export function keyedSumFloor(keys: number, records: number): PassResult {
  const sums = new Map<number, number>()
  let state = 1
  let sum = 0
  for (let i = 0; i < records; i++) {
    state = nextState(state)
    const key = pick(state, keys)
    const total = (sums.get(key) ?? 0) + 1
    sums.set(key, total)
    sum += total
  }
  return { rows: records, sum }
}

/** Views of each campaign in windows of 10 s of event time, from JSON in bytes. */
export function campaignFloor(events: readonly Buffer[], count: number): PassResult {
  const campaigns = campaignsByAd()
  const writeTime = eventTimeWriter()
  let views = new Map<string, number>()
  let end = FIRST_EVENT_MS + CAMPAIGN_WINDOW_MS
  let sum = 0
  let rows = 0
  const close = (): void => {
    for (const seen of views.values()) {
      sum += seen
      rows++
    }
    views = new Map()
  }
  for (let i = 0; i < count; i++) {
    const bytes = events[i % EVENT_POOL] as Buffer
    writeTime(bytes, FIRST_EVENT_MS + Math.floor(i / EVENTS_PER_MS))
    const event = JSON.parse(bytes.toString('latin1')) as { ad_id: string; event_type: string; event_time: string }
    if (event.event_type !== 'view') continue
    if (Number(event.event_time) >= end) {
      close()
      end += CAMPAIGN_WINDOW_MS
    }
    const campaign = campaigns.get(event.ad_id)
    if (campaign !== undefined) views.set(campaign, (views.get(campaign) ?? 0) + 1)
  }
  close()
  return { rows, sum }
}
