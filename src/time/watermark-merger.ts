// The watermark of several inputs is the smallest of those that are neither idle nor ended; it never goes back.

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

  /** True when every input is idle. */
  get isIdle(): boolean {
    return this.inputs.length > 0 && this.inputs.every(input => input.isIdle)
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
    let isAnyActive = false
    for (const input of this.inputs) {
      if (input.isIdle) continue
      isAnyActive = true
      if (input.watermark < smallest) smallest = input.watermark
    }
    if (isAnyActive && smallest > this.merged) this.merged = smallest
    return this.merged
  }
}
