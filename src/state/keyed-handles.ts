// Record path (bench/micro/change-tracker.ts). The handles of declared keyed state without a time-to-live. An object that is handed out
// counts as changed, unless the declaration says that it never is.
import { StreamError } from '../base/errors.ts'
import type {
  AggregatingDescriptor,
  AggregatingState,
  ListState,
  MapKey,
  MapState,
  ReducingDescriptor,
  ReducingState,
  StateDescriptor,
  ValueDescriptor,
  ValueState,
} from '../model/state.ts'
import type { CurrentSlots } from './current-slots.ts'

export class HeapValueState implements ValueState<unknown> {
  private readonly state: CurrentSlots
  private readonly slot: number
  private readonly descriptor: ValueDescriptor<unknown>
  private readonly isChangeable: boolean

  constructor(state: CurrentSlots, slot: number, descriptor: ValueDescriptor<unknown>) {
    this.state = state
    this.slot = slot
    this.descriptor = descriptor
    this.isChangeable = descriptor.isImmutable !== true
  }

  get(): unknown {
    const stored = this.state.read(this.slot)
    if (stored !== undefined) {
      if (typeof stored === 'object' && this.isChangeable) this.state.touch()
      return stored
    }
    const initial = this.descriptor.initial()
    // An object that is handed out may be changed in place, so it must be the stored one.
    if (isChangeableObject(initial) && this.isChangeable) this.state.write(this.slot, initial)
    return initial
  }

  set(value: unknown): void {
    this.state.write(this.slot, value)
  }

  clear(): void {
    this.state.clear(this.slot)
  }
}

/** True for objects that are not frozen. */
export function isChangeableObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Object.isFrozen(value)
}

export class HeapReducingState implements ReducingState<unknown> {
  private readonly state: CurrentSlots
  private readonly slot: number
  private readonly descriptor: ReducingDescriptor<unknown>
  private readonly isChangeable: boolean

  constructor(state: CurrentSlots, slot: number, descriptor: ReducingDescriptor<unknown>) {
    this.state = state
    this.slot = slot
    this.descriptor = descriptor
    this.isChangeable = descriptor.isImmutable !== true
  }

  get(): unknown {
    const stored = this.state.read(this.slot)
    if (typeof stored === 'object' && this.isChangeable) this.state.touch()
    return stored
  }

  add(value: unknown): void {
    // Before the function sees what is stored: a careless one changes it.
    this.state.touch()
    this.state.write(this.slot, reduced(this.descriptor, this.state.read(this.slot), value))
  }

  clear(): void {
    this.state.clear(this.slot)
  }
}

export class HeapAggregatingState implements AggregatingState<unknown, unknown> {
  private readonly state: CurrentSlots
  private readonly slot: number
  private readonly descriptor: AggregatingDescriptor<unknown, unknown, unknown>

  constructor(state: CurrentSlots, slot: number, descriptor: AggregatingDescriptor<unknown, unknown, unknown>) {
    this.state = state
    this.slot = slot
    this.descriptor = descriptor
  }

  get(): unknown {
    const accumulator = this.state.read(this.slot)
    return accumulator === undefined ? undefined : this.descriptor.aggregate.result(accumulator)
  }

  add(record: unknown): void {
    // An accumulator may be changed in place.
    this.state.touch()
    this.state.write(this.slot, added(this.descriptor, this.state.read(this.slot), record))
  }

  clear(): void {
    this.state.clear(this.slot)
  }
}

/** The values joined; the second alone where there is no first. */
export function reduced(descriptor: ReducingDescriptor<unknown>, stored: unknown, value: unknown): unknown {
  return stored === undefined
    ? defined(value, 'add() of reducing state was given')
    : defined(descriptor.reduce(stored, value), 'the function of reducing() returned')
}

/** The accumulator with a record more; a new one where there is none. */
export function added(
  { aggregate }: AggregatingDescriptor<unknown, unknown, unknown>,
  stored: unknown,
  record: unknown,
): unknown {
  return defined(
    aggregate.add(stored === undefined ? aggregate.create() : stored, record),
    'add() of the aggregate returned',
  )
}

function defined(value: unknown, where: string): unknown {
  if (value !== undefined) return value
  throw new StreamError('USER_FUNCTION_RESULT', `${where} undefined; give a value, which state can keep`)
}

const EMPTY: readonly unknown[] = Object.freeze([])

export class HeapListState implements ListState<unknown> {
  private readonly state: CurrentSlots
  private readonly slot: number
  private readonly isChangeable: boolean

  constructor(state: CurrentSlots, slot: number, { isImmutable }: StateDescriptor) {
    this.state = state
    this.slot = slot
    this.isChangeable = isImmutable !== true
  }

  get(): readonly unknown[] {
    const stored = this.state.read(this.slot) as unknown[] | undefined
    if (stored === undefined) return EMPTY
    if (this.isChangeable) this.state.touch()
    return stored
  }

  add(element: unknown): void {
    const elements = this.state.read(this.slot) as unknown[] | undefined
    if (elements === undefined) {
      this.state.write(this.slot, [element])
      return
    }
    this.state.touch()
    elements.push(element)
  }

  set(elements: readonly unknown[]): void {
    if (elements.length === 0) this.clear()
    else this.state.write(this.slot, [...elements])
  }

  clear(): void {
    this.state.clear(this.slot)
  }
}

export class HeapMapState implements MapState<MapKey, unknown> {
  private readonly state: CurrentSlots
  private readonly slot: number
  private readonly isChangeable: boolean

  constructor(state: CurrentSlots, slot: number, { isImmutable }: StateDescriptor) {
    this.state = state
    this.slot = slot
    this.isChangeable = isImmutable !== true
  }

  get size(): number {
    return this.stored()?.size ?? 0
  }

  get(key: MapKey): unknown {
    const value = this.stored()?.get(key)
    if (typeof value === 'object' && this.isChangeable) this.state.touch()
    return value
  }

  set(key: MapKey, value: unknown): void {
    const entries = this.stored()
    if (entries === undefined) {
      this.state.write(this.slot, new Map([[key, value]]))
      return
    }
    this.state.touch()
    entries.set(key, value)
  }

  has(key: MapKey): boolean {
    return this.stored()?.has(key) ?? false
  }

  delete(key: MapKey): boolean {
    const entries = this.stored()
    if (entries?.has(key) !== true) return false
    this.state.touch()
    entries.delete(key)
    if (entries.size === 0) this.clear()
    return true
  }

  keys(): IterableIterator<MapKey> {
    return (this.stored() ?? new Map<MapKey, unknown>()).keys()
  }

  entries(): IterableIterator<[MapKey, unknown]> {
    const entries = this.stored()
    if (entries === undefined) return new Map<MapKey, unknown>().entries()
    if (this.isChangeable) this.state.touch()
    return entries.entries()
  }

  clear(): void {
    this.state.clear(this.slot)
  }

  private stored(): Map<MapKey, unknown> | undefined {
    return this.state.read(this.slot) as Map<MapKey, unknown> | undefined
  }
}
