// Record path (bench/micro/change-tracker.ts). Knows which entries of keyed state changed since the snapshot before, and keeps what a
// running snapshot must hold: an entry that is touched before it was encoded is encoded then, as it was at the barrier.
import { assert } from '../base/assert.ts'

/** The marks of an entry. Snapshots are counted from 1 within a tracker; 0 stands for none. */
export interface Tracked {
  /** The epoch in which it was last touched: epoch n ends at the barrier of the n-th snapshot. */
  touchedIn: number
  /** The newest snapshot that it was written to; 0 while no snapshot holds it. */
  writtenIn: number
}

/** Writes an entry as it is now: its contents, or that it is gone. */
export type WriteEntry<Entry> = (entry: Entry) => void

interface Unsettled<Entry> {
  readonly id: number
  readonly entries: readonly Entry[]
}

/** Tracks the entries of one part. Touching costs a comparison unless the entry is new to the epoch. */
export class ChangeTracker<Entry extends Tracked> {
  /** Compare with `touchedIn` before calling `touch`. Stays 0, which no entry differs from, until changes are tracked at all. */
  epoch = 0
  private touched: Entry[] = []
  /** Snapshots that began and are not settled, oldest first. */
  private unsettled: Unsettled<Entry>[] = []
  private running: { readonly epoch: number; readonly isFull: boolean; readonly rest: Iterator<Entry> } | undefined
  private readonly write: WriteEntry<Entry>

  constructor(write: WriteEntry<Entry>) {
    this.write = write
  }

  /** Tracks changes from here on: once, before there is any entry. */
  enable(): void {
    this.epoch = 1
  }

  get isEnabled(): boolean {
    return this.epoch > 0
  }

  /** Entries that changed since the newest snapshot began. */
  get changedCount(): number {
    return this.touched.length
  }

  /** Before an entry is read for writing, changed or removed; and when it was made. */
  touch(entry: Entry): void {
    if (entry.touchedIn === this.epoch) return
    // One that was made after the barrier has not been touched before.
    if (this.running !== undefined && entry.touchedIn !== 0) this.writeOnce(entry, this.running)
    entry.touchedIn = this.epoch
    this.touched.push(entry)
  }

  /** The entry is as a snapshot holds it: one that was just made from it. */
  markRestored(entry: Entry): void {
    if (!this.isEnabled) return
    entry.touchedIn = RESTORED
    entry.writtenIn = RESTORED
  }

  /** All entries so far are as a snapshot holds them: the end of a restore. */
  forgetChanges(): void {
    for (const entry of this.touched) this.markRestored(entry)
    this.touched = []
  }

  /** At the barrier. `all` gives every entry; entries that it gives later than they were made do no harm. */
  begin(id: number, isFull: boolean, all: () => Iterator<Entry>): void {
    assert(this.running === undefined, 'a snapshot begins while another is encoded')
    // A snapshot that may still be aborted is nothing to build on: what it holds is in this one as well.
    for (const { entries } of this.unsettled) this.touchAgain(entries)
    const entries = this.touched
    this.touched = []
    this.unsettled.push({ id, entries })
    this.running = { epoch: this.epoch, isFull, rest: isFull ? all() : entries.values() }
    this.epoch++
  }

  /** Writes some more entries; true when the snapshot holds all. */
  advance(count: number): boolean {
    const { running } = this
    if (running === undefined) return true
    for (let left = count; left > 0; left--) {
      const next = running.rest.next()
      if (next.done === true) {
        this.running = undefined
        return true
      }
      this.writeOnce(next.value, running)
    }
    return false
  }

  /** A snapshot, and those before it, are settled. What an aborted one held is changed again. */
  settle(id: number, outcome: 'completed' | 'aborted'): void {
    if (outcome === 'completed') {
      this.unsettled = this.unsettled.filter(snapshot => snapshot.id > id)
      return
    }
    const newest = this.unsettled.at(-1)
    this.unsettled = this.unsettled.filter(snapshot => snapshot.id > id)
    // A snapshot that began later holds what the aborted ones held. To touch that again now would put it behind what changed since then: the
    // end of an entry whose key has come again would hide its new one.
    if (newest === undefined || newest.id > id) return
    this.running = undefined
    this.touchAgain(newest.entries)
  }

  private touchAgain(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.touchedIn === this.epoch) continue
      entry.touchedIn = this.epoch
      this.touched.push(entry)
    }
  }

  private writeOnce(entry: Entry, running: { readonly epoch: number; readonly isFull: boolean }): void {
    const { epoch, isFull } = running
    if (entry.writtenIn === epoch || entry.touchedIn > epoch) return
    if (!isFull && entry.touchedIn !== epoch) return
    this.write(entry)
    entry.writtenIn = epoch
  }
}

/** Older than every epoch, and not 0: the entry is in a snapshot. */
const RESTORED = -1
