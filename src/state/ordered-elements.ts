// Record path (bench/micro/ordered-elements.ts). Elements in the order of their times, as two columns with a moving front: what comes in
// order is appended, what is too old leaves at the front.

/** Elements that left at the front stay in the columns until they are so many, and half of them. */
const GONE_MIN = 32

/** Elements ordered by time; equal times in the order added. */
export class OrderedElements<V> {
  private times: number[] = []
  private elements: (V | undefined)[] = []
  /** The position of the first element; what is before it has left. */
  private front = 0

  /** The elements of `toRows`, which a snapshot held. */
  static ofRows<V>(rows: unknown): OrderedElements<V> {
    const { times, elements } = rows as { readonly times: number[]; readonly elements: V[] }
    const ordered = new OrderedElements<V>()
    ordered.times = times
    ordered.elements = elements
    return ordered
  }

  /** As plain data. */
  toRows(): { readonly times: readonly number[]; readonly elements: readonly (V | undefined)[] } {
    return { times: this.times.slice(this.front), elements: this.elements.slice(this.front) }
  }

  get size(): number {
    return this.times.length - this.front
  }

  /** The time of the first element; Infinity when there is none. */
  firstTimeMs(): number {
    return this.size === 0 ? Infinity : (this.times[this.front] as number)
  }

  add(timeMs: number, element: V): void {
    const { times, elements } = this
    if (this.size === 0 || timeMs >= (times[times.length - 1] as number)) {
      times.push(timeMs)
      elements.push(element)
      return
    }
    const at = this.after(timeMs)
    times.splice(at, 0, timeMs)
    elements.splice(at, 0, element)
  }

  shift(): V | undefined {
    if (this.size === 0) return undefined
    const element = this.elements[this.front]
    this.elements[this.front++] = undefined
    if (this.front >= GONE_MIN && this.front * 2 >= this.times.length) this.compact()
    return element
  }

  /** The last element at or before the time. */
  floor(timeMs: number): V | undefined {
    const at = this.after(timeMs) - 1
    return at < this.front ? undefined : this.elements[at]
  }

  /** The time of the last element at or before the time; -Infinity when there is none. */
  floorTimeMs(timeMs: number): number {
    const at = this.after(timeMs) - 1
    return at < this.front ? -Infinity : (this.times[at] as number)
  }

  forEach(visit: (element: V, timeMs: number) => void, fromMs: number, toMs: number): void {
    const { times, elements } = this
    for (let at = this.from(fromMs); at < times.length && (times[at] as number) <= toMs; at++)
      visit(elements[at] as V, times[at] as number)
  }

  remove(fromMs: number, toMs: number): void {
    const from = this.from(fromMs)
    const count = this.after(toMs) - from
    if (count <= 0) return
    this.times.splice(from, count)
    this.elements.splice(from, count)
  }

  /** The position of the first element at or after the time. */
  private from(timeMs: number): number {
    const { times } = this
    let low = this.front
    let high = times.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((times[middle] as number) < timeMs) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The position of the first element after the time. */
  private after(timeMs: number): number {
    const { times } = this
    let low = this.front
    let high = times.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((times[middle] as number) <= timeMs) low = middle + 1
      else high = middle
    }
    return low
  }

  private compact(): void {
    this.times = this.times.slice(this.front)
    this.elements = this.elements.slice(this.front)
    this.front = 0
  }
}
