// How the memory of this process grows: samples after a collection of garbage, the least of each stretch of time against the least of another.

/** A reading, in bytes. */
export interface MemorySample {
  readonly atMs: number
  /** What the main thread holds: its heap, and memory outside of it, such as what threads share. */
  readonly heldBytes: number
  /** All of the process, threads included. */
  readonly residentBytes: number
}

/** Takes samples as long as it runs. */
export class MemoryMeter {
  readonly samples: MemorySample[] = []

  /** Takes one. `gc` comes with `node --expose-gc`. */
  sample(): void {
    globalThis.gc?.()
    const { heapUsed, external, rss } = process.memoryUsage()
    this.samples.push({ atMs: performance.now(), heldBytes: heapUsed + external, residentBytes: rss })
  }

  /** By how many percent the last eighth is above the second one, which ends with the first quarter. */
  growthPercent(what: 'heldBytes' | 'residentBytes'): number {
    const { samples } = this
    const eighth = Math.max(1, Math.floor(samples.length / 8))
    const early = median(samples.slice(eighth, 2 * eighth).map(sample => sample[what]))
    const late = median(samples.slice(-eighth).map(sample => sample[what]))
    return (late / early - 1) * 100
  }
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
}
