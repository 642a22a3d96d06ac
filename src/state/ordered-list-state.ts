// Record path. The handles of ordered list state, with and without a time-to-live: they act on the elements that the current key keeps in
// its slot.
import { preview, StreamError } from '../base/errors.ts'
import type { OrderedListState, StateDescriptor } from '../model/state.ts'
import type { CurrentSlots } from './current-slots.ts'
import { DatedElements } from './dated.ts'
import { OrderedElements } from './ordered-elements.ts'
import { TtlHandle } from './ttl-handles.ts'

/** Ordered list state on the heap. An empty list is not stored, so that its key can go. */
export class HeapOrderedListState implements OrderedListState<unknown> {
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

  firstTimeMs(): number {
    return this.stored()?.firstTimeMs() ?? Infinity
  }

  add(timeMs: number, element: unknown): void {
    requireTime(timeMs)
    let elements = this.stored()
    if (elements === undefined) {
      elements = new OrderedElements()
      this.state.write(this.slot, elements)
    } else this.state.touch()
    elements.add(timeMs, element)
  }

  shift(): unknown {
    const elements = this.stored()
    if (elements === undefined) return undefined
    this.state.touch()
    const first = elements.shift()
    if (elements.size === 0) this.clear()
    return first
  }

  floor(timeMs: number): unknown {
    const element = this.stored()?.floor(timeMs)
    if (typeof element === 'object' && this.isChangeable) this.state.touch()
    return element
  }

  floorTimeMs(timeMs: number): number {
    return this.stored()?.floorTimeMs(timeMs) ?? -Infinity
  }

  forEach(visit: (element: unknown, timeMs: number) => void, fromMs = -Infinity, toMs = Infinity): void {
    const elements = this.stored()
    if (elements === undefined) return
    if (this.isChangeable) this.state.touch()
    elements.forEach(visit, fromMs, toMs)
  }

  remove(fromMs: number, toMs: number): void {
    const elements = this.stored()
    if (elements === undefined || elements.firstTimeMs() > toMs) return
    this.state.touch()
    elements.remove(fromMs, toMs)
    if (elements.size === 0) this.clear()
  }

  clear(): void {
    this.state.clear(this.slot)
  }

  private stored(): OrderedElements<unknown> | undefined {
    return this.state.read(this.slot) as OrderedElements<unknown> | undefined
  }
}

/** Ordered list state whose elements expire, each by itself. */
export class TtlOrderedListState extends TtlHandle<DatedElements> implements OrderedListState<unknown> {
  get size(): number {
    return this.live()?.elements.size ?? 0
  }

  firstTimeMs(): number {
    return this.live()?.elements.firstTimeMs() ?? Infinity
  }

  add(timeMs: number, element: unknown): void {
    requireTime(timeMs)
    let stored = this.stored()
    if (stored === undefined) {
      stored = new DatedElements()
      this.state.write(this.slot, stored)
    } else this.state.touch()
    stored.add(timeMs, this.dated(element))
  }

  shift(): unknown {
    const live = this.live()
    if (live === undefined) return undefined
    this.state.touch()
    const first = live.elements.shift()
    if (live.elements.size === 0) this.clear()
    return first?.value
  }

  floor(timeMs: number): unknown {
    const dated = this.live()?.elements.floor(timeMs)
    return dated === undefined ? undefined : this.handOut(dated)
  }

  floorTimeMs(timeMs: number): number {
    return this.live()?.elements.floorTimeMs(timeMs) ?? -Infinity
  }

  forEach(visit: (element: unknown, timeMs: number) => void, fromMs = -Infinity, toMs = Infinity): void {
    this.live()?.elements.forEach((dated, timeMs) => visit(this.handOut(dated), timeMs), fromMs, toMs)
  }

  remove(fromMs: number, toMs: number): void {
    const live = this.live()
    if (live === undefined || live.elements.firstTimeMs() > toMs) return
    this.state.touch()
    live.elements.remove(fromMs, toMs)
    if (live.elements.size === 0) this.clear()
  }
}

function requireTime(timeMs: unknown): void {
  if (typeof timeMs === 'number' && !Number.isNaN(timeMs)) return
  throw new StreamError('TIMESTAMP_INVALID', `an element was added at the time ${preview(timeMs)}; give a number`)
}
