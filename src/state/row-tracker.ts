// Record path (bench/micro/keyed-columns.ts). As change-tracker.ts, for state that lies in rows of numbers: knows which rows changed since the
// snapshot before, and encodes a row that is touched before its turn as it was at the barrier.
import { assert } from '../base/assert.ts'

/** The cells of a row that hold its marks: the epoch in which it was last touched, and the newest snapshot that it was written to. */
export const TOUCHED = 0
export const WRITTEN = 1

/** Epochs count from here; 0 is a row that no snapshot knows. */
const FIRST_EPOCH = 2
/** Older than every epoch, and not 0: the row is in a snapshot. */
const RESTORED = 1

interface Unsettled {
  readonly id: number
  readonly rows: Int32Array
}

interface Running {
  readonly epoch: number
  readonly isFull: boolean
  /** The rows to go through; all up to `end` for a full snapshot. */
  readonly rows: Int32Array | undefined
  readonly end: number
  next: number
}

/** Tracks rows that are numbered from 0 and never go away. Touching costs a comparison unless the row is new to the epoch. */
export class RowTracker {
  /** Compare with the mark of the row before calling `touch`. Stays 0, which no row differs from, until changes are tracked at all. */
  epoch = 0
  /** Mark m of row r is at r * stride + offset + m. Whoever owns the rows replaces it when they move. */
  marks: Uint32Array
  private readonly stride: number
  private readonly offset: number
  private touched: Int32Array = new Int32Array(1024)
  private touchedCount = 0
  private unsettled: Unsettled[] = []
  private running: Running | undefined
  private readonly write: (row: number) => void

  constructor(
    marks: Uint32Array,
    place: { readonly stride: number; readonly offset: number },
    write: (row: number) => void,
  ) {
    this.marks = marks
    this.stride = place.stride
    this.offset = place.offset
    this.write = write
  }

  /** Tracks changes from here on: once, before there is any row. */
  enable(): void {
    this.epoch = FIRST_EPOCH
  }

  /** Rows that changed since the newest snapshot began. */
  get changedCount(): number {
    return this.touchedCount
  }

  /** True when some snapshot holds the row. */
  isKnown(row: number): boolean {
    return this.marks[row * this.stride + this.offset + WRITTEN] !== 0
  }

  /** Before a row is changed, and when it was made. */
  touch(row: number): void {
    const at = row * this.stride + this.offset
    const touchedIn = this.marks[at + TOUCHED] as number
    if (touchedIn === this.epoch) return
    // One that was made after the barrier has not been touched before.
    if (this.running !== undefined && touchedIn !== 0) this.writeOnce(row, this.running)
    this.note(row, at)
  }

  /** All rows so far are as a snapshot holds them: the end of a restore. */
  forgetChanges(): void {
    for (let i = 0; i < this.touchedCount; i++) {
      const at = (this.touched[i] as number) * this.stride + this.offset
      this.marks[at + TOUCHED] = RESTORED
      this.marks[at + WRITTEN] = RESTORED
    }
    this.touchedCount = 0
  }

  /** At the barrier, where there are so many rows. */
  begin(id: number, isFull: boolean, size: number): void {
    assert(this.running === undefined, 'a snapshot begins while another is encoded')
    // A snapshot that may still be aborted is nothing to build on: what it holds is in this one as well.
    for (const { rows } of this.unsettled) this.touchAgain(rows)
    const rows = this.touched.slice(0, this.touchedCount)
    this.touchedCount = 0
    this.unsettled.push({ id, rows })
    this.running = {
      epoch: this.epoch,
      isFull,
      rows: isFull ? undefined : rows,
      end: isFull ? size : rows.length,
      next: 0,
    }
    this.epoch++
  }

  /** Writes some more rows; true when the snapshot holds all. */
  advance(count: number): boolean {
    const { running } = this
    if (running === undefined) return true
    const end = Math.min(running.end, running.next + count)
    for (; running.next < end; running.next++) this.writeOnce(running.rows?.[running.next] ?? running.next, running)
    if (running.next < running.end) return false
    this.running = undefined
    return true
  }

  /** A snapshot, and those before it, are settled. What an aborted one held is changed again. */
  settle(id: number, outcome: 'completed' | 'aborted'): void {
    const newest = this.unsettled.at(-1)
    this.unsettled = this.unsettled.filter(snapshot => snapshot.id > id)
    // A snapshot that began later holds what the aborted ones held.
    if (outcome === 'completed' || newest === undefined || newest.id > id) return
    this.running = undefined
    this.touchAgain(newest.rows)
  }

  private touchAgain(rows: Int32Array): void {
    for (const row of rows) {
      const at = row * this.stride + this.offset
      if (this.marks[at + TOUCHED] !== this.epoch) this.note(row, at)
    }
  }

  private note(row: number, at: number): void {
    this.marks[at + TOUCHED] = this.epoch
    if (this.touchedCount === this.touched.length) {
      const more = new Int32Array(this.touched.length * 2)
      more.set(this.touched)
      this.touched = more
    }
    this.touched[this.touchedCount++] = row
  }

  private writeOnce(row: number, { epoch, isFull }: Running): void {
    const at = row * this.stride + this.offset
    const touchedIn = this.marks[at + TOUCHED] as number
    if (this.marks[at + WRITTEN] === epoch || touchedIn > epoch) return
    if (!isFull && touchedIn !== epoch) return
    this.write(row)
    this.marks[at + WRITTEN] = epoch
  }
}
