// Record path. What the nodes of a trigger have in common. A node keeps nothing itself: its state is in the cell, in the slot and the
// `finished` bit of its index, so one tree serves all keys and windows.
import type { TimeWindow } from '../../model/functions.ts'
import type { TriggerState } from '../window-cell.ts'

/** More nodes than bits of `finished` make no trigger that anybody can read. */
export const TRIGGER_NODES_MAX = 30

/** The cell that a trigger is asked about, and the world around it. The operator has one and sets it before each question. */
export interface TriggerSite {
  readonly window: TimeWindow
  readonly state: TriggerState
  /** No record with a timestamp at or below it follows. */
  readonly timeMs: number
  /** The record that came, where one did. */
  readonly record: unknown
  readonly timestampMs: number
  nowMs(): number
  /** Asks to be asked again when the window's time (or processing time) reaches this. */
  wakeAtTime(timeMs: number): void
  wakeAtProcessingTime(timeMs: number): void
  /** Set by a node: the records are to be forgotten with the firing, or at once where nothing fires. */
  isPurging: boolean
}

/** One node of a trigger. */
export abstract class TriggerNode {
  readonly index: number
  readonly inner: readonly TriggerNode[]

  constructor(index: number, inner: readonly TriggerNode[] = []) {
    this.index = index
    this.inner = inner
  }

  /** A record entered the cell. */
  onRecord(_site: TriggerSite): void {}

  abstract shouldFire(site: TriggerSite): boolean

  /** The cell fires because `shouldFire` said so: move on, or finish. */
  onFire(_site: TriggerSite): void {}

  /** Joins the states of merged cells into that of the site, whose slots are empty and whose `finished` bits are those set in all. */
  onMerge(site: TriggerSite, merged: readonly TriggerState[]): void {
    const finishedBefore = site.state.finished
    for (const node of this.inner) node.onMerge(site, merged)
    // One inside that begins again lets this one go on too.
    const reopened = finishedBefore & ~site.state.finished
    if (this.inner.some(node => (reopened & (1 << node.index)) !== 0)) site.state.finished &= ~(1 << this.index)
  }

  /** Asks again for the times that are still to come. */
  renewTimes(site: TriggerSite): void {
    for (const node of this.inner) node.renewTimes(site)
  }

  /** Begins anew. */
  reset(site: TriggerSite): void {
    site.state.finished &= ~(1 << this.index)
    site.state.slots[this.index] = undefined
    for (const node of this.inner) node.reset(site)
  }

  isFinished(site: TriggerSite): boolean {
    return (site.state.finished & (1 << this.index)) !== 0
  }

  protected finish(site: TriggerSite): void {
    site.state.finished |= 1 << this.index
  }
}

/** True when the window's time has reached its last moment. */
export function hasEnded(site: TriggerSite): boolean {
  return site.window.end - 1 <= site.timeMs
}
