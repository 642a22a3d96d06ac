// What each workload must give, for any number of records and splits, computed in another way than the engine and the floors do: by
// counting. Updates of a key that is met n times sum to 1 + 2 + ... + n, whatever the order, so order and threads do not matter.
import { adId, EVENT_POOL, EVENTS_PER_MS, makeAdEvents } from './ad-events.ts'
import type { PassResult } from './floors.ts'
import { LINE_POOL, makeLines, nextState, pick, SPLIT_SHIFT, VOCABULARY, WORDS_PER_LINE } from './workloads.ts'

/** How many records there are, over how many splits. */
export interface Extent {
  readonly records: number
  readonly splits: number
}

/** W1. */
export function rollingOracle({ records, splits }: Extent): PassResult {
  const words = wordNumbers()
  const linesPerSplit = records / WORDS_PER_LINE / splits
  const counts = new Float64Array(VOCABULARY)
  for (let q = 0; q < splits; q++) {
    for (let line = 0; line < LINE_POOL; line++) {
      // The lines of the pool before this one, seen from where the split begins.
      const before = (line - q * SPLIT_SHIFT) & (LINE_POOL - 1)
      const times = Math.floor(linesPerSplit / LINE_POOL) + (before < linesPerSplit % LINE_POOL ? 1 : 0)
      for (let w = 0; w < WORDS_PER_LINE; w++) (counts[words[line * WORDS_PER_LINE + w] as number] as number) += times
    }
  }
  return { rows: records, sum: sumOfUpdates(counts) }
}

/** W2: line i of a split has timestamp i * splits ms; each word of a window of 5 s is one result. */
export function windowOracle({ records, splits }: Extent): PassResult {
  const words = wordNumbers()
  const linesPerSplit = records / WORDS_PER_LINE / splits
  const lastWindow = new Int32Array(VOCABULARY).fill(-1)
  let rows = 0
  for (let i = 0; i < linesPerSplit; i++) {
    const window = Math.floor((i * splits) / 5000)
    for (let q = 0; q < splits; q++) {
      const first = ((i + q * SPLIT_SHIFT) & (LINE_POOL - 1)) * WORDS_PER_LINE
      for (let at = first; at < first + WORDS_PER_LINE; at++) {
        const word = words[at] as number
        if (lastWindow[word] !== window) rows++
        lastWindow[word] = window
      }
    }
  }
  return { rows, sum: records }
}

/** W3: keys are small integers, so an array by key does. */
export function keyedSumOracle(keys: number, { records, splits }: Extent): PassResult {
  const counts = new Float64Array(keys)
  for (let q = 0; q < splits; q++) {
    let state = q + 1
    for (let i = 0; i < records / splits; i++) {
      state = nextState(state)
      ;(counts[pick(state, keys)] as number)++
    }
  }
  return { rows: records, sum: sumOfUpdates(counts) }
}

/** W4: of event i of a split, campaign and kind are those of event i of its pool, and its window is the time of i. */
export function campaignOracle({ records, splits }: Extent): PassResult {
  const adNumbers = new Map(Array.from({ length: 1000 }, (_, index) => [adId(index), index]))
  const lastWindow = new Map<number, number>()
  const pools = Array.from({ length: splits }, (_, q) => campaignsOfViews(makeAdEvents(q), adNumbers))
  let rows = 0
  let sum = 0
  for (let i = 0; i < records / splits; i++) {
    const window = Math.floor((i * splits) / EVENTS_PER_MS / 10_000)
    for (const pool of pools) {
      const campaign = pool[i % EVENT_POOL] as number
      if (campaign < 0) continue
      sum++
      if (lastWindow.get(campaign) !== window) rows++
      lastWindow.set(campaign, window)
    }
  }
  return { rows, sum }
}

/** The campaign of each event, -1 where it is no view. */
function campaignsOfViews(events: readonly Buffer[], adNumbers: ReadonlyMap<string, number>): Int8Array {
  return Int8Array.from(events, bytes => {
    const [, ad, type] = /"ad_id":"([^"]+)".*"event_type":"(\w+)"/.exec(bytes.toString()) ?? []
    return type === 'view' ? Math.floor((adNumbers.get(ad as string) as number) / 10) : -1
  })
}

/** The number of each word in the pool of lines. */
function wordNumbers(): Uint16Array {
  return Uint16Array.from(makeLines().flatMap(line => line.split(' ').map(word => Number(word.slice('word'.length)))))
}

function sumOfUpdates(counts: Float64Array): number {
  return counts.reduce((sum, count) => sum + (count * (count + 1)) / 2, 0)
}
