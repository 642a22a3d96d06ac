// A first-in-first-out queue over a ring of a power-of-two size: no shifting of elements, amortised O(1) at both ends used.

/** A queue that grows as needed; `shift` and `push` cost O(1) amortised. */
export class Deque<T> {
  private ring: (T | undefined)[] = new Array(16).fill(undefined)
  private head = 0
  private count = 0

  get length(): number {
    return this.count
  }

  push(item: T): void {
    if (this.count === this.ring.length) this.grow()
    this.ring[(this.head + this.count) & (this.ring.length - 1)] = item
    this.count++
  }

  peek(): T | undefined {
    return this.count === 0 ? undefined : this.ring[this.head]
  }

  shift(): T | undefined {
    if (this.count === 0) return undefined
    const item = this.ring[this.head]
    this.ring[this.head] = undefined
    this.head = (this.head + 1) & (this.ring.length - 1)
    this.count--
    return item
  }

  /** The item at a position from the front. */
  at(index: number): T | undefined {
    return index < this.count ? this.ring[(this.head + index) & (this.ring.length - 1)] : undefined
  }

  /** Takes an item out of the middle. Costs O(n). */
  removeAt(index: number): void {
    const mask = this.ring.length - 1
    for (let at = index; at + 1 < this.count; at++) {
      this.ring[(this.head + at) & mask] = this.ring[(this.head + at + 1) & mask]
    }
    this.ring[(this.head + --this.count) & mask] = undefined
  }

  clear(): void {
    this.ring = new Array(16).fill(undefined)
    this.head = 0
    this.count = 0
  }

  private grow(): void {
    const size = this.ring.length
    const next: (T | undefined)[] = new Array(size * 2).fill(undefined)
    for (let i = 0; i < size; i++) next[i] = this.ring[(this.head + i) & (size - 1)]
    this.ring = next
    this.head = 0
  }
}
