// Record path (bench/micro/change-tracker.ts). The handles of declared keyed state with a time-to-live: each value, element of a list and
// entry of a map has its own time. What has expired is met as if it were not there, and is removed when it is met.
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
import type { TtlOptions } from '../model/state-options.ts'
import type { CurrentSlots } from './current-slots.ts'
import { Dated, type DatedSlot, hasExpired, withoutExpired } from './dated.ts'
import { added, isChangeableObject, reduced } from './keyed-handles.ts'

/** What the handles of one slot share. */
export abstract class TtlHandle<Slot extends DatedSlot> {
  protected readonly state: CurrentSlots
  protected readonly slot: number
  protected readonly isChangeable: boolean
  private readonly durationMs: number
  private readonly isRenewedByWrite: boolean
  private readonly isRenewedByRead: boolean

  constructor(
    state: CurrentSlots,
    slot: number,
    { isImmutable }: StateDescriptor,
    { durationMs, updateOn }: TtlOptions,
  ) {
    this.state = state
    this.slot = slot
    this.isChangeable = isImmutable !== true
    this.durationMs = durationMs
    this.isRenewedByWrite = updateOn !== 'create'
    this.isRenewedByRead = updateOn === 'read'
  }

  clear(): void {
    this.state.clear(this.slot)
  }

  /** What is stored, expired or not. */
  protected stored(): Slot | undefined {
    return this.state.read(this.slot) as Slot | undefined
  }

  /** What is stored, after what has expired was removed. Costs O(values) for lists and maps. */
  protected live(): Slot | undefined {
    const stored = this.stored()
    const nowMs = this.state.nowMs()
    if (stored === undefined || !hasExpired(stored, nowMs)) return stored
    this.state.touch()
    const left = withoutExpired(stored, nowMs) as Slot | undefined
    if (left === undefined) this.clear()
    return left
  }

  protected dated(value: unknown): Dated {
    return new Dated(value, this.state.nowMs() + this.durationMs)
  }

  protected replace(dated: Dated, value: unknown): void {
    this.state.touch()
    dated.value = value
    if (this.isRenewedByWrite) dated.expiresAtMs = this.state.nowMs() + this.durationMs
  }

  /** The value, which whoever gets it may change in place. */
  protected handOut(dated: Dated): unknown {
    const { value } = dated
    if (typeof value === 'object' && this.isChangeable) this.state.touch()
    return this.look(dated)
  }

  /** The value, which nobody changes in place. */
  protected look(dated: Dated): unknown {
    if (this.isRenewedByRead) {
      this.state.touch()
      dated.expiresAtMs = this.state.nowMs() + this.durationMs
    }
    return dated.value
  }
}

export class TtlValueState extends TtlHandle<Dated> implements ValueState<unknown> {
  private readonly descriptor: ValueDescriptor<unknown>

  constructor(state: CurrentSlots, slot: number, descriptor: ValueDescriptor<unknown>, ttl: TtlOptions) {
    super(state, slot, descriptor, ttl)
    this.descriptor = descriptor
  }

  get(): unknown {
    const dated = this.live()
    if (dated !== undefined) return this.handOut(dated)
    const initial = this.descriptor.initial()
    if (isChangeableObject(initial) && this.isChangeable) this.state.write(this.slot, this.dated(initial))
    return initial
  }

  set(value: unknown): void {
    const dated = this.live()
    if (value === undefined) this.clear()
    else if (dated === undefined) this.state.write(this.slot, this.dated(value))
    else this.replace(dated, value)
  }
}

export class TtlReducingState extends TtlHandle<Dated> implements ReducingState<unknown> {
  private readonly descriptor: ReducingDescriptor<unknown>

  constructor(state: CurrentSlots, slot: number, descriptor: ReducingDescriptor<unknown>, ttl: TtlOptions) {
    super(state, slot, descriptor, ttl)
    this.descriptor = descriptor
  }

  get(): unknown {
    const dated = this.live()
    return dated === undefined ? undefined : this.handOut(dated)
  }

  add(value: unknown): void {
    const dated = this.live()
    this.state.touch()
    const joined = reduced(this.descriptor, dated?.value, value)
    if (dated === undefined) this.state.write(this.slot, this.dated(joined))
    else this.replace(dated, joined)
  }
}

export class TtlAggregatingState extends TtlHandle<Dated> implements AggregatingState<unknown, unknown> {
  private readonly descriptor: AggregatingDescriptor<unknown, unknown, unknown>

  constructor(
    state: CurrentSlots,
    slot: number,
    descriptor: AggregatingDescriptor<unknown, unknown, unknown>,
    ttl: TtlOptions,
  ) {
    super(state, slot, descriptor, ttl)
    this.descriptor = descriptor
  }

  get(): unknown {
    const dated = this.live()
    return dated === undefined ? undefined : this.descriptor.aggregate.result(this.look(dated))
  }

  add(record: unknown): void {
    const dated = this.live()
    this.state.touch()
    const accumulator = added(this.descriptor, dated?.value, record)
    if (dated === undefined) this.state.write(this.slot, this.dated(accumulator))
    else this.replace(dated, accumulator)
  }
}

export class TtlListState extends TtlHandle<Dated[]> implements ListState<unknown> {
  get(): readonly unknown[] {
    return this.live()?.map(dated => this.handOut(dated)) ?? []
  }

  add(element: unknown): void {
    const elements = this.stored()
    const dated = this.dated(element)
    if (elements === undefined) {
      this.state.write(this.slot, [dated])
      return
    }
    this.state.touch()
    elements.push(dated)
  }

  set(elements: readonly unknown[]): void {
    if (elements.length === 0) this.clear()
    else {
      const dated = elements.map(element => this.dated(element))
      this.state.write(this.slot, dated)
    }
  }
}

export class TtlMapState extends TtlHandle<Map<MapKey, Dated>> implements MapState<MapKey, unknown> {
  get size(): number {
    return this.live()?.size ?? 0
  }

  get(key: MapKey): unknown {
    const dated = this.liveAt(key)
    return dated === undefined ? undefined : this.handOut(dated)
  }

  set(key: MapKey, value: unknown): void {
    const dated = this.liveAt(key)
    if (dated !== undefined) {
      this.replace(dated, value)
      return
    }
    const entries = this.stored()
    if (entries === undefined) {
      this.state.write(this.slot, new Map([[key, this.dated(value)]]))
      return
    }
    this.state.touch()
    entries.set(key, this.dated(value))
  }

  has(key: MapKey): boolean {
    return this.liveAt(key) !== undefined
  }

  delete(key: MapKey): boolean {
    if (this.liveAt(key) === undefined) return false
    this.drop(key)
    return true
  }

  keys(): IterableIterator<MapKey> {
    return (this.live() ?? new Map<MapKey, Dated>()).keys()
  }

  entries(): IterableIterator<[MapKey, unknown]> {
    const entries = [...(this.live() ?? [])].map(([key, dated]): [MapKey, unknown] => [key, this.handOut(dated)])
    return entries.values()
  }

  /** One entry, without looking at the others. */
  private liveAt(key: MapKey): Dated | undefined {
    const dated = this.stored()?.get(key)
    if (dated === undefined || !dated.isExpired(this.state.nowMs())) return dated
    this.drop(key)
    return undefined
  }

  private drop(key: MapKey): void {
    const entries = this.stored()
    this.state.touch()
    entries?.delete(key)
    if (entries?.size === 0) this.clear()
  }
}
