// The state that a function over windows declared: one entry per key and window, which its cell keeps, and one per key, in a part of its own.
import type { ByteReader } from '../../base/byte-reader.ts'
import type { ByteWriter } from '../../base/byte-writer.ts'
import type { StateDescriptors } from '../../model/state.ts'
import type { WindowSpec } from '../../model/window-spec.ts'
import { KeyedState, StateEntry } from '../../state/keyed-state.ts'
import { SLOTS_LAYOUT, SlotForm } from '../../state/slot-form.ts'
import type { StatePart, StateSchema } from '../../state/state-part.ts'
import type { WindowCell } from '../../window/window-cell.ts'
import type { OperatorContext } from '../operator.ts'

/** The name of the part that holds the state of keys. */
export const KEY_STATE_PART = 'key-state'

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
  private readonly key: KeyedState | undefined
  private readonly form: SlotForm
  private readonly nowMs: () => number

  constructor(spec: WindowSpec, { vertex, clock, isCheckpointed }: OperatorContext) {
    const user = spec.function.kind === 'process' ? spec.function.function : undefined
    const nowMs = (): number => clock.now()
    const stateOf = (descriptors: StateDescriptors | undefined, isTracked: boolean): KeyedState | undefined =>
      descriptors === undefined
        ? undefined
        : new KeyedState(descriptors, vertex.maxParallelism, { nowMs, isTracked, partName: KEY_STATE_PART })
    this.nowMs = nowMs
    this.form = new SlotForm(user?.state ?? {})
    this.states = this.form.schema.states
    // Entries of windows are tracked with their cells.
    this.window = stateOf(user?.state, false)
    this.key = stateOf(user?.globalState, isCheckpointed)
    this.parts = this.key === undefined ? [] : [this.key.part]
    this.windowHandles = this.window?.handles ?? NO_HANDLES
    this.keyHandles = this.key?.handles ?? NO_HANDLES
  }

  /** Makes the cell's key and window current. */
  enter(cell: WindowCell): void {
    this.key?.select(cell.key)
    if (this.window === undefined) return
    const history = cell.ensureHistory()
    history.userState ??= this.newEntry(cell)
    this.window.selectEntry(history.userState)
  }

  leave(): void {
    this.key?.release()
    this.window?.release()
  }

  newEntry(cell: WindowCell): StateEntry {
    return new StateEntry(cell.key, cell.keyGroup, this.states.length)
  }

  /** Appends what is kept for a window. Throws STATE_NOT_SERIALIZABLE, naming state and key. */
  write(entry: StateEntry, out: ByteWriter): void {
    this.form.write(entry, out, this.nowMs())
  }

  /** How to read what a snapshot with the given states holds for windows. Throws STATE_INCOMPATIBLE, naming every state that does not fit. */
  reader(states: readonly StateSchema[]): ReadEntry {
    const reader = this.form.reader({ layout: SLOTS_LAYOUT, states }, this.nowMs)
    return (entry, payload) => reader.read(entry, payload)
  }
}
