// The watermark of several inputs is the smallest of those that are neither idle nor ended; it never goes back. An input has ended when
// its watermark is Infinity. While all others are idle the time stands still: an idle input may go on, and its records are not late.

/** How one input stands. An idle input is left out: it would hold the watermark back for ever (as Flink's WatermarkStatus does). */
export interface InputTime {
  /** Epoch ms; Infinity when the input has ended. */
  readonly watermark: number
  readonly isIdle: boolean
}

type MutableInputTime = { -readonly [Field in keyof InputTime]: InputTime[Field] }

/** Merges the watermarks of inputs. Cost of an advance: O(inputs). */
export class WatermarkMerger {
  private readonly times: MutableInputTime[]
  private merged = -Infinity

  constructor(inputCount: number) {
    this.times = Array.from({ length: inputCount }, () => ({ watermark: -Infinity, isIdle: false }))
  }

  get watermark(): number {
    return this.merged
  }

  /** Adds an input that has told no time yet; returns its index. The merged watermark stays, so records behind it are late. */
  add(): number {
    return this.times.push({ watermark: -Infinity, isIdle: false }) - 1
  }

  /** How each input stands, by index. */
  get inputs(): readonly InputTime[] {
    return this.times
  }

  /** The input whose watermark is the smallest of those that count (the first of equal ones); -1 when all are idle or have ended. */
  get holder(): number {
    let holder = -1
    let smallest = Infinity
    for (const [index, input] of this.times.entries()) {
      if (input.isIdle || input.watermark === Infinity) continue
      if (holder >= 0 && input.watermark >= smallest) continue
      holder = index
      smallest = input.watermark
    }
    return holder
  }

  /** True when every input that has not ended is idle, and there is one. */
  get isIdle(): boolean {
    return !this.times.every(hasEnded) && this.times.every(input => input.isIdle || hasEnded(input))
  }

  /** Takes an input's watermark, which also makes it active; returns the merged one. */
  advance(index: number, watermark: number): number {
    const input = this.times[index] as MutableInputTime
    input.isIdle = false
    if (watermark > input.watermark) input.watermark = watermark
    return this.merge()
  }

  /** Marks an input idle or active again; returns the merged watermark, which may have advanced. */
  setIdle(index: number, isIdle: boolean): number {
    const input = this.times[index] as MutableInputTime
    input.isIdle = isIdle
    return this.merge()
  }

  private merge(): number {
    let smallest = Infinity
    let isAnyIdle = false
    for (const input of this.times) {
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
