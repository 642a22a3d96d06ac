// Record path. The handle of ordered list state: it acts on the elements that the current key keeps in its slot.
import { preview, StreamError } from '../base/errors.ts'
import type { OrderedListState } from '../model/state.ts'
import { OrderedElements } from './ordered-elements.ts'

/** The slots of the current key, as the keyed state of an operator gives them. */
export interface CurrentSlots {
  read(slot: number): unknown
  write(slot: number, stored: unknown): void
  clear(slot: number): void
}

/** Ordered list state on the heap. An empty list is not stored, so that its key can go. */
export class HeapOrderedListState implements OrderedListState<unknown> {
  private readonly state: CurrentSlots
  private readonly slot: number

  constructor(state: CurrentSlots, slot: number) {
    this.state = state
    this.slot = slot
  }

  get size(): number {
    return this.stored()?.size ?? 0
  }

  firstTimeMs(): number {
    return this.stored()?.firstTimeMs() ?? Infinity
  }

  add(timeMs: number, element: unknown): void {
    if (typeof timeMs !== 'number' || Number.isNaN(timeMs)) {
      throw new StreamError('TIMESTAMP_INVALID', `an element was added at the time ${preview(timeMs)}; give a number`)
    }
    let elements = this.stored()
    if (elements === undefined) {
      elements = new OrderedElements()
      this.state.write(this.slot, elements)
    }
    elements.add(timeMs, element)
  }

  shift(): unknown {
    const elements = this.stored()
    const first = elements?.shift()
    if (elements?.size === 0) this.clear()
    return first
  }

  floor(timeMs: number): unknown {
    return this.stored()?.floor(timeMs)
  }

  floorTimeMs(timeMs: number): number {
    return this.stored()?.floorTimeMs(timeMs) ?? -Infinity
  }

  forEach(visit: (element: unknown, timeMs: number) => void, fromMs = -Infinity, toMs = Infinity): void {
    this.stored()?.forEach(visit, fromMs, toMs)
  }

  remove(fromMs: number, toMs: number): void {
    const elements = this.stored()
    elements?.remove(fromMs, toMs)
    if (elements?.size === 0) this.clear()
  }

  clear(): void {
    this.state.clear(this.slot)
  }

  private stored(): OrderedElements<unknown> | undefined {
    return this.state.read(this.slot) as OrderedElements<unknown> | undefined
  }
}
