// The state that a function over windows declared: one entry per key and window, which its cell keeps, and one per key, in a part of its own.
import type { ByteReader } from '../../base/byte-reader.ts'
import type { ByteWriter } from '../../base/byte-writer.ts'
import { StreamError } from '../../base/errors.ts'
import type { StateDescriptors } from '../../model/state.ts'
import type { WindowSpec } from '../../model/window-spec.ts'
import { readValue, writeValue } from '../../serde/value-codec.ts'
import { KeyedPart } from '../../state/keyed-part.ts'
import { KeyedState, StateEntry } from '../../state/keyed-state.ts'
import { KeyedTable } from '../../state/keyed-table.ts'
import type { StatePart, StateSchema } from '../../state/state-part.ts'
import type { WindowCell } from '../../window/window-cell.ts'
import type { OperatorContext } from '../operator.ts'

const NO_HANDLES = Object.freeze({})

/** Fills an entry with what a snapshot holds of it. */
export type ReadEntry = (entry: StateEntry, payload: ByteReader) => void

/** The declared state of one windowing. */
export class WindowUserState {
  /** The handles for functions: of the current window, and of the current key. */
  readonly windowHandles: Readonly<Record<string, unknown>>
  readonly keyHandles: Readonly<Record<string, unknown>>
  /** The declared states of windows, as the rows of their cells have them. */
  readonly states: readonly StateSchema[]
  /** The parts beside the cells. */
  readonly parts: readonly StatePart[]
  private readonly window: KeyedState | undefined
  private readonly key: KeyState | undefined

  constructor(spec: WindowSpec, context: OperatorContext) {
    const user = spec.function.kind === 'process' ? spec.function.function : undefined
    this.window = user?.state === undefined ? undefined : new KeyedState(user.state, context.vertex.maxParallelism)
    this.states = schemasOf(user?.state ?? {})
    this.key = user?.globalState === undefined ? undefined : new KeyState(user.globalState, context)
    this.parts = this.key === undefined ? [] : [this.key.part]
    this.windowHandles = this.window?.handles ?? NO_HANDLES
    this.keyHandles = this.key?.handles ?? NO_HANDLES
  }

  /** Makes the cell's key and window current. */
  enter(cell: WindowCell): void {
    this.key?.enter(cell.key)
    if (this.window === undefined) return
    const history = cell.ensureHistory()
    history.userState ??= this.newEntry(cell)
    this.window.selectEntry(history.userState)
  }

  leave(): void {
    this.key?.leave()
    this.window?.release()
  }

  newEntry(cell: WindowCell): StateEntry {
    return new StateEntry(cell.key, cell.keyGroup, this.states.length)
  }

  /** Appends what is kept for a window. */
  write({ slots }: StateEntry, out: ByteWriter): void {
    writeSlots(slots, out)
  }

  /** How to read what a snapshot with the given states holds for windows. Throws STATE_INCOMPATIBLE. */
  reader(found: readonly StateSchema[]): ReadEntry {
    return slotReader(found, this.states)
  }
}

/** The state of keys, whatever their windows. */
class KeyState {
  readonly handles: Readonly<Record<string, unknown>>
  readonly part: KeyedPart<StateEntry>
  private readonly state: KeyedState
  private readonly table: KeyedTable<StateEntry>
  private entry: StateEntry | undefined = undefined

  constructor(descriptors: StateDescriptors, { vertex, isCheckpointed }: OperatorContext) {
    const { maxParallelism } = vertex
    const states = schemasOf(descriptors)
    this.state = new KeyedState(descriptors, maxParallelism)
    this.handles = this.state.handles
    this.part = new KeyedPart<StateEntry>('key-state', {
      schema: { layout: 'slots', states },
      all: () => this.table.entries(),
      writeIdentity: (entry, out) => writeValue(out, entry.key),
      writePayload(entry, out) {
        if (entry.isEmpty()) return false
        writeSlots(entry.slots, out)
        return true
      },
      restorer: schema => {
        const read = slotReader(schema.states, states)
        return { row: (_keyGroup, identity, payload) => read(this.table.ensure(readValue(identity)), payload) }
      },
    })
    const { changes } = this.part
    if (isCheckpointed) changes.enable()
    this.table = new KeyedTable(maxParallelism, (key, group) => new StateEntry(key, group, states.length), changes)
  }

  enter(key: unknown): void {
    this.entry = this.table.ensure(key)
    this.state.selectEntry(this.entry)
  }

  leave(): void {
    if (this.entry !== undefined) this.table.releaseIfEmpty(this.entry)
    this.entry = undefined
    this.state.release()
  }
}

function schemasOf(descriptors: StateDescriptors): readonly StateSchema[] {
  return Object.entries(descriptors).map(([name, { kind }]) => ({ name, kind, codec: 'tagged', version: 0 }))
}

function writeSlots(slots: readonly unknown[], out: ByteWriter): void {
  for (const slot of slots) writeValue(out, slot)
}

/** The states are found by their names; one that is declared no more is passed over. */
function slotReader(found: readonly StateSchema[], declared: readonly StateSchema[]): ReadEntry {
  const positions = found.map(({ name }) => declared.findIndex(state => state.name === name))
  for (const [at, { name, kind, codec, version }] of found.entries()) {
    const now = declared[positions[at] as number]
    if (now === undefined || (now.kind === kind && now.codec === codec && now.version === version)) continue
    throw new StreamError(
      'STATE_INCOMPATIBLE',
      `state "${name}" of windows is ${kind}, ${codec}, version ${version} in the snapshot and is declared ${now.kind}, ${now.codec}, version ${now.version}; declare it as it was, or give what is new another name`,
    )
  }
  return (entry, payload) => {
    for (const position of positions) {
      const slot = readValue(payload)
      if (position >= 0) entry.slots[position] = slot
    }
  }
}
