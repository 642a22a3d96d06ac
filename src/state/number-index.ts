// Record path (bench/micro/keyed-columns.ts). Finds the row of a key that is a number: open addressing over typed arrays, which holds four
// times as many keys in a cache as a Map does.

import { assert } from '../base/assert.ts'

/** Slots per row at least: probes stay short. */
const SLOTS_PER_ROW = 2

const double = new Float64Array(1)
const words = new Uint32Array(double.buffer)

/** Slots of the table before that move with each key that is added: all have moved long before the next growth. */
const MOVES_PER_ADD = 8

/**
 * Rows by number. The numbers themselves stay where the rows are; NaN, which equals nothing, cannot be found. It grows little by little: while
 * keys move to a table twice as large, those that have not moved are found in the one before.
 */
export class NumberIndex {
  /** Row + 1; 0 where there is none. */
  private slots = new Int32Array(64)
  private mask = 63
  /** The hash has 32 bits; the slot is its highest ones. */
  private shift = 26
  private size = 0
  private before: Int32Array | undefined
  /** Slots of the table before that have moved. */
  private moved = 0

  /** The row of the key, -1 where there is none. The key of row r is `keys[r * stride]`. */
  find(key: number, keys: Float64Array, stride: number): number {
    const { slots, mask } = this
    for (let at = hashOf(key) >>> this.shift; ; at = (at + 1) & mask) {
      const row = (slots[at] as number) - 1
      if (row < 0) return this.before === undefined ? -1 : this.findBefore(this.before, key, keys, stride)
      if (keys[row * stride] === key) return row
    }
  }

  /** Adds a key that is not there; its row must lie in `keys` already. */
  add(key: number, row: number, keys: Float64Array, stride: number): void {
    if (this.before !== undefined) this.move(this.before, MOVES_PER_ADD, keys, stride)
    if (++this.size * SLOTS_PER_ROW > this.slots.length) this.grow()
    this.place(key, row)
  }

  private findBefore(before: Int32Array, key: number, keys: Float64Array, stride: number): number {
    const mask = before.length - 1
    for (let at = hashOf(key) >>> (this.shift + 1); ; at = (at + 1) & mask) {
      const row = (before[at] as number) - 1
      if (row < 0 || keys[row * stride] === key) return row
    }
  }

  private place(key: number, row: number): void {
    const { slots, mask } = this
    let at = hashOf(key) >>> this.shift
    while (slots[at] !== 0) at = (at + 1) & mask
    slots[at] = row + 1
  }

  private grow(): void {
    assert(this.before === undefined, 'an index grows before its keys have moved')
    this.before = this.slots
    this.moved = 0
    this.slots = new Int32Array(this.before.length * 2)
    this.mask = this.slots.length - 1
    this.shift--
  }

  // A key that has moved stays where it was as well, so that those behind it are found; it is looked for in the new table first.
  private move(before: Int32Array, count: number, keys: Float64Array, stride: number): void {
    const end = Math.min(before.length, this.moved + count)
    for (; this.moved < end; this.moved++) {
      const row = (before[this.moved] as number) - 1
      if (row >= 0) this.place(keys[row * stride] as number, row)
    }
    if (this.moved === before.length) this.before = undefined
  }
}

// Fibonacci hashing (Knuth, TAOCP 6.4): the high bits of a product with the golden ratio. Neighbours, and multiples of anything, fall far apart:
// keys that count from somewhere hardly ever meet, where a second probe would cost a cache miss.
function hashOf(key: number): number {
  const whole = key | 0
  if (whole === key) return Math.imul(whole, 0x9e3779b1)
  double[0] = key
  return Math.imul((words[0] as number) ^ Math.imul(words[1] as number, 0x85ebca6b), 0x9e3779b1)
}
