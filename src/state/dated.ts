// Record path (bench/micro/change-tracker.ts). Values that expire: state with a time-to-live keeps each with the processing time at which it ends.
import { OrderedElements } from './ordered-elements.ts'

/** A value, and when it expires (epoch ms). */
export class Dated {
  value: unknown
  expiresAtMs: number

  constructor(value: unknown, expiresAtMs: number) {
    this.value = value
    this.expiresAtMs = expiresAtMs
  }

  /** True from the very millisecond at which it expires. */
  isExpired(nowMs: number): boolean {
    return nowMs >= this.expiresAtMs
  }
}

/** An ordered list of values that expire, and a time before which none of them does: it spares looking at all of them. */
export class DatedElements {
  elements = new OrderedElements<Dated>()
  soonestMs = Infinity

  add(timeMs: number, dated: Dated): void {
    this.elements.add(timeMs, dated)
    this.soonestMs = Math.min(this.soonestMs, dated.expiresAtMs)
  }

  isAnyLive(nowMs: number): boolean {
    let isAny = false
    const visit = (dated: Dated): void => {
      if (!dated.isExpired(nowMs)) isAny = true
    }
    this.elements.forEach(visit, -Infinity, Infinity)
    return isAny
  }

  dropExpired(nowMs: number): void {
    const { elements } = this
    this.elements = new OrderedElements()
    this.soonestMs = Infinity
    elements.forEach(
      (dated, timeMs) => {
        if (!dated.isExpired(nowMs)) this.add(timeMs, dated)
      },
      -Infinity,
      Infinity,
    )
  }
}

/** What a slot of state with a time-to-live keeps. */
export type DatedSlot = Dated | Dated[] | Map<unknown, Dated> | DatedElements

/** How many values a slot keeps, expired ones included. */
export function datedCount(slot: DatedSlot): number {
  if (slot instanceof Dated) return 1
  if (slot instanceof DatedElements) return slot.elements.size
  return Array.isArray(slot) ? slot.length : slot.size
}

/** True when a value of the slot has expired. Costs O(values). */
export function hasExpired(slot: DatedSlot, nowMs: number): boolean {
  if (slot instanceof Dated) return slot.isExpired(nowMs)
  if (slot instanceof DatedElements) return nowMs >= slot.soonestMs
  for (const dated of slot.values()) if (dated.isExpired(nowMs)) return true
  return false
}

/** True when a value of the slot has not expired. Costs O(values). */
export function isAnyLive(slot: DatedSlot, nowMs: number): boolean {
  if (slot instanceof Dated) return !slot.isExpired(nowMs)
  if (slot instanceof DatedElements) return slot.isAnyLive(nowMs)
  for (const dated of slot.values()) if (!dated.isExpired(nowMs)) return true
  return false
}

/** What is left of the slot, which it may change; undefined when nothing is. Costs O(values). */
export function withoutExpired(slot: DatedSlot, nowMs: number): DatedSlot | undefined {
  if (slot instanceof Dated) return slot.isExpired(nowMs) ? undefined : slot
  if (slot instanceof DatedElements) slot.dropExpired(nowMs)
  else if (Array.isArray(slot)) dropFromList(slot, nowMs)
  else for (const [key, dated] of slot) if (dated.isExpired(nowMs)) slot.delete(key)
  return datedCount(slot) === 0 ? undefined : slot
}

function dropFromList(list: Dated[], nowMs: number): void {
  let kept = 0
  for (let i = 0; i < list.length; i++) {
    const dated = list[i] as Dated
    if (!dated.isExpired(nowMs)) list[kept++] = dated
  }
  list.length = kept
}
