// A priority queue: smallest first by a comparison given at construction. Equal elements leave in no particular order,
// so callers that need a stable order compare by a sequence number too.

/** A binary min-heap; push and pop cost O(log n), peek O(1). */
export class BinaryHeap<T> {
  private readonly items: T[] = []
  private readonly compare: (a: T, b: T) => number

  constructor(compare: (a: T, b: T) => number) {
    this.compare = compare
  }

  get size(): number {
    return this.items.length
  }

  peek(): T | undefined {
    return this.items[0]
  }

  push(item: T): void {
    const items = this.items
    let index = items.length
    items.push(item)
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (this.compare(items[parent] as T, item) <= 0) break
      items[index] = items[parent] as T
      index = parent
    }
    items[index] = item
  }

  pop(): T | undefined {
    const items = this.items
    const top = items[0]
    const last = items.pop()
    if (items.length > 0 && last !== undefined) this.sink(last)
    return top
  }

  /** All elements in no particular order; the heap stays as it is. */
  values(): readonly T[] {
    return this.items
  }

  private sink(item: T): void {
    const items = this.items
    const half = items.length >> 1
    let index = 0
    while (index < half) {
      let child = 2 * index + 1
      if (child + 1 < items.length && this.compare(items[child + 1] as T, items[child] as T) < 0) child++
      if (this.compare(items[child] as T, item) >= 0) break
      items[index] = items[child] as T
      index = child
    }
    items[index] = item
  }
}
