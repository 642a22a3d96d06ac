// Record path (bench/micro/keyed-columns.ts). Small numbers for keys that come again and again, so that tables which follow each other need
// no hash table of their own. Keys that no table holds are forgotten when they outnumber those that are held.

/** Unused keys that are not worth a search. */
const UNUSED_MIN = 1024

/** A V8 Map ends at 2^24 entries; half of that leaves room for its growth. */
const KEYS_MAX = 1 << 23

/** Slots by key, held by tables. */
export class KeyDirectory {
  private readonly slots = new Map<number | string, number>()
  private readonly free: number[] = []
  /** How many tables hold a slot. */
  private holders = new Int32Array(UNUSED_MIN)
  private next = 0
  private heldCount = 0
  private readonly keysMax: number

  constructor(keysMax = KEYS_MAX) {
    this.keysMax = keysMax
  }

  /** Every slot is below it. */
  get slotsMax(): number {
    return this.holders.length
  }

  /** How many keys it knows. */
  get size(): number {
    return this.slots.size
  }

  /** The slot of a key, -1 where it has none. */
  slotOf(key: number | string): number {
    return this.slots.get(key) ?? -1
  }

  /** True when no key may be added, and it does not know this one. */
  isFullFor(key: number | string): boolean {
    if (this.slots.size < this.keysMax || this.slots.has(key)) return false
    this.forgetUnused()
    return this.slots.size >= this.keysMax
  }

  /** True while no table holds anything. */
  get isUnused(): boolean {
    return this.heldCount === 0
  }

  /** One more table holds the key; returns its slot. */
  hold(key: number | string): number {
    let slot = this.slots.get(key)
    if (slot === undefined) {
      slot = this.free.pop() ?? this.next++
      if (slot === this.holders.length) {
        const more = new Int32Array(slot * 2)
        more.set(this.holders)
        this.holders = more
      }
      this.slots.set(key, slot)
    }
    const holders = this.holders[slot] as number
    if (holders === 0) this.heldCount++
    this.holders[slot] = holders + 1
    return slot
  }

  /** A table is gone that held these slots. Keys that none holds are forgotten if they outnumber what was held while it was there. */
  release(slots: readonly number[]): void {
    const heldBefore = this.heldCount
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i] as number
      const holders = (this.holders[slot] as number) - 1
      this.holders[slot] = holders
      if (holders === 0) this.heldCount--
    }
    if (this.slots.size > 2 * heldBefore + UNUSED_MIN) this.forgetUnused()
  }

  private forgetUnused(): void {
    for (const [key, slot] of this.slots) {
      if (this.holders[slot] !== 0) continue
      this.slots.delete(key)
      this.free.push(slot)
    }
  }
}
