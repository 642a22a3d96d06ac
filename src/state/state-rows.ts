// Declared keyed state as rows of a snapshot: for each key its slots, and the times of its timers. Slots are told apart by the names of their
// states, so that a job may declare them in another order, or others beside them.
import type { ByteReader } from '../base/byte-reader.ts'
import type { ByteWriter } from '../base/byte-writer.ts'
import { StreamError } from '../base/errors.ts'
import type { StateDescriptors } from '../model/state.ts'
import { readValue, writeValue } from '../serde/value-codec.ts'
import type { EntryRows } from './keyed-part.ts'
import type { StateEntry } from './keyed-state.ts'
import type { KeyedTable } from './keyed-table.ts'
import { OrderedElements } from './ordered-elements.ts'
import type { PartSchema, StateSchema } from './state-part.ts'

/** Stands behind the last slot. */
const NO_SLOT = -1

/** The timers of one time domain. */
export interface EntryTimers {
  timesOf(entry: StateEntry): readonly number[]
  register(entry: StateEntry, timeMs: number): boolean
}

/** Where the entries of an operator are. */
export interface StateRowsInit {
  readonly descriptors: StateDescriptors
  readonly table: () => KeyedTable<StateEntry>
  /** Of event time and of processing time. */
  readonly timers: readonly [EntryTimers, EntryTimers]
}

/** The schemas of declared states, in the order of their slots. */
export function stateSchemas(descriptors: StateDescriptors): readonly StateSchema[] {
  return Object.entries(descriptors).map(([name, { kind }]) => ({ name, kind, codec: 'tagged', version: 0 }))
}

/** The rows of declared state and timers. */
export function stateRows({ descriptors, table, timers }: StateRowsInit): EntryRows<StateEntry> {
  const states = stateSchemas(descriptors)
  return {
    schema: { layout: 'slots', states },
    all: () => table().entries(),
    writeIdentity: (entry, out) => writeValue(out, entry.key),
    writePayload(entry, out) {
      if (entry.isEmpty()) return false
      writeSlots(entry.slots, out)
      for (const queue of timers) writeValue(out, queue.timesOf(entry))
      return true
    },
    restorer(schema) {
      const slots = slotsOf(schema, states)
      return {
        row(_keyGroup, identity, payload) {
          const entry = table().ensure(readValue(identity))
          readSlots(entry, payload, schema, slots)
          for (const queue of timers) {
            for (const timeMs of readValue(payload) as readonly number[]) {
              if (queue.register(entry, timeMs)) entry.timers++
            }
          }
        },
      }
    },
  }
}

/** Appends the slots that hold something. */
export function writeSlots(slots: readonly unknown[], out: ByteWriter): void {
  for (let slot = 0; slot < slots.length; slot++) {
    const stored = slots[slot]
    if (stored === undefined) continue
    writeValue(out, slot)
    writeValue(out, stored instanceof OrderedElements ? stored.toRows() : stored)
  }
  writeValue(out, NO_SLOT)
}

/** Fills the slots of an entry; `slots` says where the states of the schema are now, by position. */
export function readSlots(
  entry: StateEntry,
  payload: ByteReader,
  schema: PartSchema,
  slots: readonly (number | undefined)[],
): void {
  for (let position = readValue(payload) as number; position !== NO_SLOT; position = readValue(payload) as number) {
    const stored = readValue(payload)
    const slot = slots[position]
    if (slot === undefined) continue
    entry.slots[slot] = schema.states[position]?.kind === 'ordered-list' ? OrderedElements.ofRows(stored) : stored
  }
}

/** Where each state of a schema is among those declared now; undefined for one that is not declared any more. Throws STATE_INCOMPATIBLE. */
export function slotsOf(schema: PartSchema, states: readonly StateSchema[]): readonly (number | undefined)[] {
  return schema.states.map(({ name, kind }) => {
    const slot = states.findIndex(state => state.name === name)
    if (slot < 0) return undefined
    if (states[slot]?.kind === kind) return slot
    throw new StreamError(
      'STATE_INCOMPATIBLE',
      `state "${name}" is a ${kind} in the snapshot, and the job declares it as ${states[slot]?.kind}; give the new state another name`,
    )
  })
}
