// Latencies as figures: exact percentiles over all records behind a warm-up.

/** In ms, over `count` records. */
export interface Latencies {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** The time in which code is compiled is left out. */
export const WARM_UP_MS = 3000

/** Sums up pairs of when a record was due and its latency, leaving out those due within WARM_UP_MS of the first. */
export function latencySummary(columns: readonly Float64Array[]): Latencies {
  const firstMs = columns.reduce(
    (first, pairs) => (pairs.length === 0 ? first : Math.min(first, pairs[0] as number)),
    Infinity,
  )
  const warm: number[] = []
  for (const pairs of columns) {
    for (let i = 0; i < pairs.length; i += 2) {
      if ((pairs[i] as number) >= firstMs + WARM_UP_MS) warm.push(pairs[i + 1] as number)
    }
  }
  const sorted = Float64Array.from(warm).sort()
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) }
}
