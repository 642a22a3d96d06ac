// Record path (bench/micro/change-tracker.ts). Removes expired values that nobody meets: it goes round through all keys, a few values with
// each record.
import { type DatedSlot, datedCount, hasExpired, withoutExpired } from './dated.ts'
import type { KeyEntry, KeyedTable } from './keyed-table.ts'
import type { SlotOwner } from './slot-form.ts'

/** Values looked at with each record, in the long run: a slot of many values is looked at as a whole, and paid for by the records after. */
const VALUES_PER_STEP = 2

/** Goes round through the keys of a table. */
export class ExpirySweep<Entry extends KeyEntry & SlotOwner> {
  private readonly table: KeyedTable<Entry>
  /** The positions of slots with a time-to-live. */
  private readonly slots: readonly number[]
  private readonly touch: (entry: Entry) => void
  private rest: Iterator<Entry> | undefined = undefined
  /** How many values may still be looked at; negative while there is something to make up for. */
  private credit = 0

  /** `touch` is called before an entry changes. */
  constructor(table: KeyedTable<Entry>, slots: readonly number[], touch: (entry: Entry) => void) {
    this.table = table
    this.slots = slots
    this.touch = touch
  }

  /** Looks at some values. No entry may be current: one that holds nothing any more is removed. */
  step(nowMs: number): void {
    this.credit += VALUES_PER_STEP
    while (this.credit > 0) {
      this.rest ??= this.table.entries()
      const next = this.rest.next()
      if (next.done === true) {
        this.rest = undefined
        this.credit = 0
        return
      }
      this.credit -= this.clean(next.value, nowMs)
    }
  }

  private clean(entry: Entry, nowMs: number): number {
    let looked = 1
    for (const slot of this.slots) {
      const stored = entry.slots[slot] as DatedSlot | undefined
      if (stored === undefined) continue
      looked += datedCount(stored)
      if (!hasExpired(stored, nowMs)) continue
      this.touch(entry)
      entry.slots[slot] = withoutExpired(stored, nowMs)
    }
    this.table.releaseIfEmpty(entry)
    return looked
  }
}
