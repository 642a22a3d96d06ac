// The watermark of several inputs is the smallest of those that are neither idle nor ended; it never goes back. An input has ended when
// its watermark is Infinity. While all others are idle the time stands still: an idle input may go on, and its records are not late.

/** How one input stands. An idle input is left out: it would hold the watermark back for ever (as Flink's WatermarkStatus does). */
interface InputTime {
  watermark: number
  isIdle: boolean
}

/** Merges the watermarks of a fixed number of inputs. Cost of an advance: O(inputs). */
export class WatermarkMerger {
  private readonly inputs: InputTime[]
  private merged = -Infinity

  constructor(inputCount: number) {
    this.inputs = Array.from({ length: inputCount }, () => ({ watermark: -Infinity, isIdle: false }))
  }

  get watermark(): number {
    return this.merged
  }

  /** True when every input that has not ended is idle, and there is one. */
  get isIdle(): boolean {
    return !this.inputs.every(hasEnded) && this.inputs.every(input => input.isIdle || hasEnded(input))
  }

  /** Takes an input's watermark, which also makes it active; returns the merged one. */
  advance(index: number, watermark: number): number {
    const input = this.inputs[index] as InputTime
    input.isIdle = false
    if (watermark > input.watermark) input.watermark = watermark
    return this.merge()
  }

  /** Marks an input idle or active again; returns the merged watermark, which may have advanced. */
  setIdle(index: number, isIdle: boolean): number {
    const input = this.inputs[index] as InputTime
    input.isIdle = isIdle
    return this.merge()
  }

  private merge(): number {
    let smallest = Infinity
    let isAnyIdle = false
    for (const input of this.inputs) {
      if (input.isIdle && !hasEnded(input)) isAnyIdle = true
      else if (input.watermark < smallest) smallest = input.watermark
    }
    const isEnd = smallest === Infinity
    if (smallest > this.merged && !(isEnd && isAnyIdle)) this.merged = smallest
    return this.merged
  }
}

function hasEnded(input: InputTime): boolean {
  return input.watermark === Infinity
}
