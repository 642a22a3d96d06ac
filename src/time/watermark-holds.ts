// Record path. The times that must not be passed by an output watermark while something with that time is still to be emitted: output
// watermark = min(input watermark, minMs - 1). Whoever adds a hold removes it; a hold may be added any number of times.
import { assert } from '../base/assert.ts'
import { BinaryHeap } from '../base/binary-heap.ts'

/** Removed times that may stay in the heap beside as many as there are held. */
const GARBAGE_MIN = 16

/** A multiset of times with its minimum. `add` and `remove` cost O(log n) amortised, `minMs` O(1). */
export class WatermarkHolds {
  /** How often each time is held; 0 for a time that is only left in the heap. */
  private readonly counts = new Map<number, number>()
  private heap = new BinaryHeap<number>(byTime)
  private garbage = 0

  /** The earliest hold, epoch ms; Infinity when there is none. */
  get minMs(): number {
    return this.heap.peek() ?? Infinity
  }

  /** The number of different times held. */
  get size(): number {
    return this.counts.size - this.garbage
  }

  /** Times in memory, removed ones that were not cleared out included; for tests of the bound. */
  get heldInMemory(): number {
    return this.heap.size
  }

  /** Holds the watermark below a time (epoch ms). */
  add(timeMs: number): void {
    assert(!Number.isNaN(timeMs), 'a watermark is held at NaN')
    const count = this.counts.get(timeMs)
    if (count === undefined) this.heap.push(timeMs)
    else if (count === 0) this.garbage--
    this.counts.set(timeMs, (count ?? 0) + 1)
  }

  /** Takes one hold of a time away, which must be there. */
  remove(timeMs: number): void {
    const count = this.counts.get(timeMs) ?? 0
    assert(count > 0, `a watermark hold at ${timeMs} is removed that is not there`)
    this.counts.set(timeMs, count - 1)
    if (count > 1) return
    this.garbage++
    this.clearTop()
    if (this.garbage > GARBAGE_MIN && this.garbage > this.size) this.clearOut()
  }

  // The top is always a time that is held, so that the minimum is a look.
  private clearTop(): void {
    for (let top = this.heap.peek(); top !== undefined && this.counts.get(top) === 0; top = this.heap.peek()) {
      this.heap.pop()
      this.counts.delete(top)
      this.garbage--
    }
  }

  private clearOut(): void {
    this.heap = new BinaryHeap<number>(byTime)
    for (const [timeMs, count] of this.counts) {
      if (count === 0) this.counts.delete(timeMs)
      else this.heap.push(timeMs)
    }
    this.garbage = 0
  }
}

// Two infinities differ by NaN, so the comparison is not a subtraction.
function byTime(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0
}
