// What declared state and timers keep for one key, and how it becomes a row of a snapshot: the key, then its slots, then its timers if it
// has some.
import type { ByteReader } from '../base/byte-reader.ts'
import type { ByteWriter } from '../base/byte-writer.ts'
import type { StateDescriptors } from '../model/state.ts'
import { readValue, writeValue } from '../serde/value-codec.ts'
import type { EntryRestorer, EntryRows } from './keyed-part.ts'
import { KeyEntry, type KeyedTable } from './keyed-table.ts'
import { SlotForm } from './slot-form.ts'
import type { PartSchema } from './state-part.ts'

/** What declared state and timers keep for one key. */
export class StateEntry extends KeyEntry {
  /** The stored form of each declared state, by position; undefined when there is none. */
  readonly slots: unknown[]
  /** How many timers refer to the key. */
  timers = 0

  constructor(key: unknown, keyGroup: number, slotCount: number) {
    super(key, keyGroup)
    this.slots = new Array(slotCount).fill(undefined)
  }

  isEmpty(): boolean {
    return this.timers === 0 && this.slots.every(slot => slot === undefined)
  }
}

/** The timers of entries, which snapshots hold behind their state. */
export interface EntryTimers {
  /** Appends the timers of an entry that has some. */
  write(entry: StateEntry, out: ByteWriter): void
  /** Registers what `write` wrote. */
  read(entry: StateEntry, payload: ByteReader): void
}

/** The rows of a table of such entries. */
export class StateRows implements EntryRows<StateEntry> {
  readonly schema: PartSchema
  private readonly form: SlotForm
  private readonly table: () => KeyedTable<StateEntry>
  private readonly nowMs: () => number
  private readonly timers: EntryTimers | undefined

  constructor(
    descriptors: StateDescriptors,
    table: () => KeyedTable<StateEntry>,
    nowMs: () => number,
    timers: EntryTimers | undefined,
  ) {
    this.form = new SlotForm(descriptors)
    this.schema = this.form.schema
    this.table = table
    this.nowMs = nowMs
    this.timers = timers
  }

  all(): Iterator<StateEntry> {
    return this.table().entries()
  }

  count(): number {
    return this.table().size
  }

  writeIdentity(entry: StateEntry, out: ByteWriter): void {
    writeValue(out, entry.key)
  }

  writePayload(entry: StateEntry, out: ByteWriter): boolean {
    const from = out.length
    const isAny = this.form.write(entry, out, this.nowMs())
    if (entry.timers > 0) this.timers?.write(entry, out)
    else if (!isAny) out.truncate(from)
    return isAny || entry.timers > 0
  }

  restorer(schema: PartSchema): EntryRestorer {
    const reader = this.form.reader(schema, this.nowMs)
    const table = this.table()
    return {
      isLossy: reader.isLossy,
      row: (_keyGroup, identity, payload) => {
        const entry = table.ensure(readValue(identity))
        reader.read(entry, payload)
        if (!payload.isAtEnd) this.timers?.read(entry, payload)
        // All that it had may have expired, or belong to states that are declared no more.
        table.releaseIfEmpty(entry)
      },
    }
  }
}
