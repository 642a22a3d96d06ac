// Record path (bench/micro/change-tracker.ts). Declared keyed state over a heap table: its handles act on the entry of the current key, which
// the operator sets before each record and timer. Also the part of snapshots that holds it.
import { StreamError } from '../base/errors.ts'
import type { StateDescriptor, StateDescriptors } from '../model/state.ts'
import type { TtlOptions } from '../model/state-options.ts'
import type { ChangeTracker } from './change-tracker.ts'
import type { CurrentSlots } from './current-slots.ts'
import { type DatedSlot, isAnyLive } from './dated.ts'
import { ExpirySweep } from './expiry-sweep.ts'
import {
  HeapAggregatingState,
  HeapListState,
  HeapMapState,
  HeapReducingState,
  HeapValueState,
} from './keyed-handles.ts'
import { KeyedPart } from './keyed-part.ts'
import { KeyedTable } from './keyed-table.ts'
import { HeapOrderedListState, TtlOrderedListState } from './ordered-list-state.ts'
import { type EntryTimers, StateEntry, StateRows } from './state-entry.ts'
import { TtlAggregatingState, TtlListState, TtlMapState, TtlReducingState, TtlValueState } from './ttl-handles.ts'

export { type EntryTimers, StateEntry } from './state-entry.ts'

/** The name of the part that holds the declared state of keyed functions. */
export const KEYED_STATE_PART = 'state'

/** What keyed state needs beside its descriptors. */
export interface KeyedStateOptions {
  /** Processing time, epoch ms: for state with a time-to-live. */
  readonly nowMs?: () => number
  /** True when snapshots are taken: changes are then tracked. */
  readonly isTracked?: boolean
  readonly timers?: EntryTimers
  /** The name of its part; KEYED_STATE_PART unless given. */
  readonly partName?: string
}

/** The keyed state of one operator in one subtask. */
export class KeyedState implements CurrentSlots {
  readonly table: KeyedTable<StateEntry>
  /** What snapshots hold of it. Of states that were declared before and are no more it reads nothing. */
  readonly part: KeyedPart<StateEntry>
  /** The handles by declared name, to be handed to functions; using them outside a record or timer is STATE_UNDECLARED. */
  readonly handles: Readonly<Record<string, unknown>>
  readonly nowMs: () => number
  private readonly names: readonly string[]
  private readonly descriptors: readonly StateDescriptor[]
  private readonly tracker: ChangeTracker<StateEntry>
  private readonly sweep: ExpirySweep<StateEntry> | undefined
  private key: unknown = undefined
  private entry: StateEntry | undefined = undefined
  private hasKey = false

  /** Throws OPTION_INVALID for state with a time-to-live where there is no `nowMs`. */
  constructor(descriptors: StateDescriptors, maxParallelism: number, options: KeyedStateOptions = {}) {
    const { nowMs, isTracked = false, timers, partName = KEYED_STATE_PART } = options
    const names = Object.keys(descriptors)
    this.names = names
    this.descriptors = Object.values(descriptors)
    const ttlSlots = this.descriptors.flatMap(({ ttl }, slot) => (ttl === undefined ? [] : [slot]))
    if (ttlSlots.length > 0 && nowMs === undefined) throw noTtl(names[ttlSlots[0] as number] as string)
    this.nowMs = nowMs ?? (() => -Infinity)
    const rows = new StateRows(descriptors, () => this.table, this.nowMs, timers)
    this.part = new KeyedPart(partName, rows)
    this.tracker = this.part.changes
    if (isTracked) this.tracker.enable()
    this.table = new KeyedTable(
      maxParallelism,
      (key, keyGroup) => new StateEntry(key, keyGroup, names.length),
      this.tracker,
    )
    const touch = (entry: StateEntry): void => this.touchEntry(entry)
    this.sweep = ttlSlots.length === 0 ? undefined : new ExpirySweep(this.table, ttlSlots, touch)
    const handles = names.map((name, slot) => [name, handleOf(this, slot, this.descriptors[slot] as StateDescriptor)])
    this.handles = Object.freeze(Object.fromEntries(handles) as Record<string, unknown>)
  }

  get currentKey(): unknown {
    return this.key
  }

  /** Makes the key current; its entry is made only when something is stored, and counts as changed only when it is. Throws KEY_INVALID. */
  select(key: unknown): void {
    if (this.sweep !== undefined) this.sweep.step(this.nowMs())
    this.key = key
    this.entry = this.table.peek(key)
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

  read(slot: number): unknown {
    if (!this.hasKey) throw outsideKey()
    return this.entry === undefined ? undefined : this.entry.slots[slot]
  }

  touch(): void {
    const { entry } = this
    if (entry !== undefined && entry.touchedIn !== this.tracker.epoch) this.touchEntry(entry)
  }

  write(slot: number, stored: unknown): void {
    this.currentEntry().slots[slot] = stored
  }

  clear(slot: number): void {
    if (this.read(slot) !== undefined) this.currentEntry().slots[slot] = undefined
  }

  /** The entry of the current key, made when there is none; it counts as changed. */
  currentEntry(): StateEntry {
    if (!this.hasKey) throw outsideKey()
    const { entry } = this
    if (entry === undefined) {
      const made = this.table.ensure(this.key)
      this.entry = made
      return made
    }
    if (entry.touchedIn !== this.tracker.epoch) this.touchEntry(entry)
    return entry
  }

  /** The same, if there is one. */
  existingEntry(): StateEntry | undefined {
    if (!this.hasKey) throw outsideKey()
    return this.entry === undefined ? undefined : this.currentEntry()
  }

  /** An entry is about to change, by other means than its handles. */
  touchEntry(entry: StateEntry): void {
    // An entry of somebody else's table, made current by `selectEntry`, is tracked there.
    if (this.tracker.isEnabled) this.tracker.touch(entry)
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
      if (!this.isStored(entry, slot)) continue
      this.selectEntry(entry)
      try {
        visitor(entry.key, this.handles[name])
      } finally {
        this.release()
      }
    }
  }

  private isStored(entry: StateEntry, slot: number): boolean {
    const stored = entry.slots[slot]
    if (stored === undefined || this.descriptors[slot]?.ttl === undefined) return stored !== undefined
    return isAnyLive(stored as DatedSlot, this.nowMs())
  }
}

function handleOf(state: CurrentSlots, slot: number, descriptor: StateDescriptor): unknown {
  if (descriptor.ttl !== undefined) return ttlHandleOf(state, slot, descriptor, descriptor.ttl)
  switch (descriptor.kind) {
    case 'value':
      return new HeapValueState(state, slot, descriptor)
    case 'list':
      return new HeapListState(state, slot, descriptor)
    case 'map':
      return new HeapMapState(state, slot, descriptor)
    case 'ordered-list':
      return new HeapOrderedListState(state, slot, descriptor)
    case 'reducing':
      return new HeapReducingState(state, slot, descriptor)
    case 'aggregating':
      return new HeapAggregatingState(state, slot, descriptor)
  }
}

function ttlHandleOf(state: CurrentSlots, slot: number, descriptor: StateDescriptor, ttl: TtlOptions): unknown {
  switch (descriptor.kind) {
    case 'value':
      return new TtlValueState(state, slot, descriptor, ttl)
    case 'list':
      return new TtlListState(state, slot, descriptor, ttl)
    case 'map':
      return new TtlMapState(state, slot, descriptor, ttl)
    case 'ordered-list':
      return new TtlOrderedListState(state, slot, descriptor, ttl)
    case 'reducing':
      return new TtlReducingState(state, slot, descriptor, ttl)
    case 'aggregating':
      return new TtlAggregatingState(state, slot, descriptor, ttl)
  }
}

function outsideKey(): StreamError {
  return new StreamError(
    'STATE_UNDECLARED',
    'keyed state was used outside onRecord and onTimer, where there is no current key; use it inside them',
  )
}

function noTtl(name: string): StreamError {
  return new StreamError(
    'OPTION_INVALID',
    `state "${name}" declares a ttl, which functions over windows do not have: state of a window goes with its window; declare it without`,
  )
}
