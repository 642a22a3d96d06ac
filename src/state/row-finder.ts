// Record path (bench/micro/keyed-columns.ts). How columns find the row of a key: by an index of their own, or by one that columns of the
// same keys share, as those of windows do that follow each other.
import type { KeyDirectory } from './key-directory.ts'
import { NumberIndex } from './number-index.ts'

/** A V8 Map ends at 2^24 entries; half of that leaves room for its growth. */
const TEXTS_MAX = 1 << 23

/** Rows by key. The keys that are numbers lie in cell 0 of their rows. */
export interface RowFinder {
  /** The row of the key, -1 where it has none. */
  find(key: number | string, cells: Float64Array, stride: number): number
  /** True when it has no room for a key that is not there. */
  isFull(key: number | string): boolean
  /** Adds a key that is not there. */
  add(key: number | string, row: number, cells: Float64Array, stride: number): void
}

/** An index that only grows. */
export class OwnFinder implements RowFinder {
  private readonly numbers = new NumberIndex()
  private readonly texts = new Map<string, number>()

  find(key: number | string, cells: Float64Array, stride: number): number {
    return typeof key === 'number' ? this.numbers.find(key, cells, stride) : (this.texts.get(key) ?? -1)
  }

  isFull(key: number | string): boolean {
    return typeof key === 'string' && this.texts.size >= TEXTS_MAX
  }

  add(key: number | string, row: number, cells: Float64Array, stride: number): void {
    if (typeof key === 'number') this.numbers.add(key, row, cells, stride)
    else this.texts.set(key, row)
  }
}

/** Rows by the slots of a directory: a new window has its keys in it already, mostly. */
export class SharedFinder implements RowFinder {
  private readonly directory: KeyDirectory
  /** Row + 1; 0 where there is none. */
  private rowOfSlot: Int32Array
  private readonly slots: number[] = []

  constructor(directory: KeyDirectory) {
    this.directory = directory
    this.rowOfSlot = new Int32Array(directory.slotsMax)
  }

  find(key: number | string): number {
    const slot = this.directory.slotOf(key)
    return slot < this.rowOfSlot.length && slot >= 0 ? (this.rowOfSlot[slot] as number) - 1 : -1
  }

  isFull(key: number | string): boolean {
    return this.directory.isFullFor(key)
  }

  add(key: number | string, row: number): void {
    const slot = this.directory.hold(key)
    if (slot >= this.rowOfSlot.length) {
      const more = new Int32Array(this.directory.slotsMax)
      more.set(this.rowOfSlot)
      this.rowOfSlot = more
    }
    this.rowOfSlot[slot] = row + 1
    this.slots.push(slot)
  }

  /** Nobody asks for a row any more: the directory may forget the keys. */
  release(): void {
    this.directory.release(this.slots)
  }
}
