// Record path. The handles of declared keyed state over a heap table: they act on the entry of the current key, which the
// operator sets before each record and timer.
import { StreamError } from '../base/errors.ts'
import type {
  ListState,
  MapKey,
  MapState,
  StateDescriptor,
  StateDescriptors,
  ValueDescriptor,
  ValueState,
} from '../model/state.ts'
import { KeyEntry, KeyedTable } from './keyed-table.ts'
import { HeapOrderedListState } from './ordered-list-state.ts'

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

/** The keyed state of one operator in one subtask. */
export class KeyedState {
  readonly table: KeyedTable<StateEntry>
  /** The handles by declared name, to be handed to functions; using them outside a record or timer is STATE_UNDECLARED. */
  readonly handles: Readonly<Record<string, unknown>>
  private readonly names: readonly string[]
  private key: unknown = undefined
  private entry: StateEntry | undefined = undefined
  private hasKey = false

  constructor(descriptors: StateDescriptors, maxParallelism: number) {
    const names = Object.keys(descriptors)
    this.names = names
    this.table = new KeyedTable(maxParallelism, (key, keyGroup) => new StateEntry(key, keyGroup, names.length))
    const handles: [string, unknown][] = names.map((name, slot) => [
      name,
      this.handleOf(descriptors[name] as StateDescriptor, slot),
    ])
    this.handles = Object.freeze(Object.fromEntries(handles))
  }

  get currentKey(): unknown {
    return this.key
  }

  /** Makes the key current; its entry is made only when something is stored. Throws KEY_INVALID. */
  select(key: unknown): void {
    this.key = key
    this.entry = this.table.find(key)
    this.hasKey = true
  }

  /** Makes the key of an entry current. */
  selectEntry(entry: StateEntry): void {
    this.key = entry.key
    this.entry = entry
    this.hasKey = true
  }

  /** Ends the current key's turn and lets go of its entry if nothing is left in it. */
  release(): void {
    if (this.entry !== undefined) this.table.releaseIfEmpty(this.entry)
    this.entry = undefined
    this.hasKey = false
  }

  /** The stored value of a slot of the current key; undefined when nothing is stored. */
  read(slot: number): unknown {
    if (!this.hasKey) throw outsideKey()
    return this.entry === undefined ? undefined : this.entry.slots[slot]
  }

  /** Stores a value in a slot of the current key; undefined stores nothing, as `clear` does. */
  write(slot: number, stored: unknown): void {
    this.currentEntry().slots[slot] = stored
  }

  /** Forgets the stored value of a slot of the current key. */
  clear(slot: number): void {
    if (!this.hasKey) throw outsideKey()
    if (this.entry !== undefined) this.entry.slots[slot] = undefined
  }

  /** The entry of the current key, made when there is none. */
  currentEntry(): StateEntry {
    if (!this.hasKey) throw outsideKey()
    if (this.entry === undefined) this.entry = this.table.ensure(this.key)
    return this.entry
  }

  /**
   * Calls the function for each key that has something stored under the declared name, with that key current and the handle of the name.
   * Costs O(keys). Throws STATE_UNDECLARED for another name.
   */
  visit(name: string, visitor: (key: unknown, handle: unknown) => void): void {
    const slot = this.names.indexOf(name)
    if (slot < 0) {
      throw new StreamError(
        'STATE_UNDECLARED',
        `state "${name}" is not declared; declare it under state of the function`,
      )
    }
    for (const entry of this.table.entries()) {
      if (entry.slots[slot] === undefined) continue
      this.selectEntry(entry)
      try {
        visitor(entry.key, this.handles[name])
      } finally {
        this.release()
      }
    }
  }

  private handleOf(descriptor: StateDescriptor, slot: number): unknown {
    switch (descriptor.kind) {
      case 'value':
        return new HeapValueState(this, slot, descriptor)
      case 'list':
        return new HeapListState(this, slot)
      case 'map':
        return new HeapMapState(this, slot)
      case 'ordered-list':
        return new HeapOrderedListState(this, slot)
    }
  }
}

function outsideKey(): StreamError {
  return new StreamError(
    'STATE_UNDECLARED',
    'keyed state was used outside onRecord and onTimer, where there is no current key; use it inside them',
  )
}

class HeapValueState implements ValueState<unknown> {
  private readonly state: KeyedState
  private readonly slot: number
  private readonly descriptor: ValueDescriptor<unknown>

  constructor(state: KeyedState, slot: number, descriptor: ValueDescriptor<unknown>) {
    this.state = state
    this.slot = slot
    this.descriptor = descriptor
  }

  get(): unknown {
    const stored = this.state.read(this.slot)
    if (stored !== undefined) return stored
    const initial = this.descriptor.initial()
    // An object that is handed out may be changed in place, so it must be the stored one.
    if (typeof initial === 'object' && initial !== null && !Object.isFrozen(initial))
      this.state.write(this.slot, initial)
    return initial
  }

  set(value: unknown): void {
    this.state.write(this.slot, value)
  }

  clear(): void {
    this.state.clear(this.slot)
  }
}

const EMPTY: readonly unknown[] = Object.freeze([])

class HeapListState implements ListState<unknown> {
  private readonly state: KeyedState
  private readonly slot: number

  constructor(state: KeyedState, slot: number) {
    this.state = state
    this.slot = slot
  }

  get(): readonly unknown[] {
    return (this.state.read(this.slot) as unknown[] | undefined) ?? EMPTY
  }

  add(element: unknown): void {
    const elements = this.state.read(this.slot) as unknown[] | undefined
    if (elements === undefined) this.state.write(this.slot, [element])
    else elements.push(element)
  }

  set(elements: readonly unknown[]): void {
    if (elements.length === 0) this.clear()
    else this.state.write(this.slot, [...elements])
  }

  clear(): void {
    this.state.clear(this.slot)
  }
}

class HeapMapState implements MapState<MapKey, unknown> {
  private readonly state: KeyedState
  private readonly slot: number

  constructor(state: KeyedState, slot: number) {
    this.state = state
    this.slot = slot
  }

  get size(): number {
    return this.stored()?.size ?? 0
  }

  get(key: MapKey): unknown {
    return this.stored()?.get(key)
  }

  set(key: MapKey, value: unknown): void {
    const entries = this.stored()
    if (entries === undefined) this.state.write(this.slot, new Map([[key, value]]))
    else entries.set(key, value)
  }

  has(key: MapKey): boolean {
    return this.stored()?.has(key) ?? false
  }

  delete(key: MapKey): boolean {
    const entries = this.stored()
    const isDeleted = entries?.delete(key) ?? false
    if (isDeleted && entries?.size === 0) this.clear()
    return isDeleted
  }

  keys(): IterableIterator<MapKey> {
    return (this.stored() ?? new Map<MapKey, unknown>()).keys()
  }

  entries(): IterableIterator<[MapKey, unknown]> {
    return (this.stored() ?? new Map<MapKey, unknown>()).entries()
  }

  clear(): void {
    this.state.clear(this.slot)
  }

  private stored(): Map<MapKey, unknown> | undefined {
    return this.state.read(this.slot) as Map<MapKey, unknown> | undefined
  }
}
