// Record path. The triggers that hold no other: by the end of the window, by count, by time, by difference.
import type { TriggerState } from '../window-cell.ts'
import { hasEnded, TriggerNode, type TriggerSite } from './trigger-node.ts'

/** At the end of the window, and at once for what comes later. Has no state. */
export class WindowEndNode extends TriggerNode {
  shouldFire(site: TriggerSite): boolean {
    return site.window.end - 1 <= site.timeMs
  }
}

/** Never; what is left leaves with the window's last pane. Has no state. */
export class NeverNode extends TriggerNode {
  shouldFire(): boolean {
    return false
  }
}

/** After a number of records, once. Slot: the number so far. */
export class CountNode extends TriggerNode {
  private readonly count: number

  constructor(index: number, count: number) {
    super(index)
    this.count = count
  }

  override onRecord({ state: { slots } }: TriggerSite): void {
    slots[this.index] = ((slots[this.index] as number | undefined) ?? 0) + 1
  }

  shouldFire({ state }: TriggerSite): boolean {
    return ((state.slots[this.index] as number | undefined) ?? 0) >= this.count
  }

  override onFire(site: TriggerSite): void {
    this.finish(site)
  }

  override onMerge(site: TriggerSite, merged: readonly TriggerState[]): void {
    let sum = 0
    for (const { slots } of merged) sum += (slots[this.index] as number | undefined) ?? 0
    site.state.slots[this.index] = sum
  }
}

/** So long after the first record, once. Slot: the processing time to fire at. */
export class ProcessingDelayNode extends TriggerNode {
  private readonly delayMs: number
  private readonly alignMs: number | undefined

  constructor(index: number, delayMs: number, alignMs: number | undefined) {
    super(index)
    this.delayMs = delayMs
    this.alignMs = alignMs
  }

  override onRecord(site: TriggerSite): void {
    const { slots } = site.state
    if (slots[this.index] !== undefined) return
    const timeMs = site.nowMs() + this.delayMs
    slots[this.index] = this.alignMs === undefined ? timeMs : Math.ceil(timeMs / this.alignMs) * this.alignMs
    this.renewTimes(site)
  }

  shouldFire(site: TriggerSite): boolean {
    const timeMs = site.state.slots[this.index] as number | undefined
    return timeMs !== undefined && timeMs <= site.nowMs()
  }

  override onFire(site: TriggerSite): void {
    this.finish(site)
  }

  override onMerge(site: TriggerSite, merged: readonly TriggerState[]): void {
    site.state.slots[this.index] = earliest(merged, this.index)
    this.renewTimes(site)
  }

  override renewTimes(site: TriggerSite): void {
    const timeMs = site.state.slots[this.index] as number | undefined
    if (timeMs !== undefined && !this.isFinished(site)) site.wakeAtProcessingTime(timeMs)
  }
}

/** At the next multiple of an interval after a record that is not in a pane yet, and as the end of the window. Slot: the time to fire at. */
export class ContinuousNode extends TriggerNode {
  private readonly intervalMs: number
  private readonly isProcessingTime: boolean

  constructor(index: number, intervalMs: number, isProcessingTime: boolean) {
    super(index)
    this.intervalMs = intervalMs
    this.isProcessingTime = isProcessingTime
  }

  override onRecord(site: TriggerSite): void {
    const { slots } = site.state
    if (slots[this.index] !== undefined) return
    const timeMs = this.isProcessingTime ? site.nowMs() : site.timestampMs
    slots[this.index] = (Math.floor(timeMs / this.intervalMs) + 1) * this.intervalMs
    this.renewTimes(site)
  }

  shouldFire(site: TriggerSite): boolean {
    if (hasEnded(site)) return true
    const timeMs = site.state.slots[this.index] as number | undefined
    return timeMs !== undefined && timeMs <= (this.isProcessingTime ? site.nowMs() : site.timeMs)
  }

  override onFire(site: TriggerSite): void {
    site.state.slots[this.index] = undefined
  }

  override onMerge(site: TriggerSite, merged: readonly TriggerState[]): void {
    site.state.slots[this.index] = earliest(merged, this.index)
    this.renewTimes(site)
  }

  override renewTimes(site: TriggerSite): void {
    const timeMs = site.state.slots[this.index] as number | undefined
    if (timeMs === undefined) return
    if (this.isProcessingTime) site.wakeAtProcessingTime(timeMs)
    else site.wakeAtTime(timeMs)
  }
}

interface DeltaState {
  last: unknown
  isDue: boolean
}

/** When a record differs from the one of the last firing (at first: from the first) by more than a threshold. */
export class DeltaNode extends TriggerNode {
  private readonly threshold: number
  private readonly delta: (from: unknown, to: unknown) => number

  constructor(index: number, threshold: number, delta: (from: unknown, to: unknown) => number) {
    super(index)
    this.threshold = threshold
    this.delta = delta
  }

  override onRecord({ state: { slots }, record }: TriggerSite): void {
    const state = slots[this.index] as DeltaState | undefined
    if (state === undefined) slots[this.index] = { last: record, isDue: false } satisfies DeltaState
    else if (this.delta(state.last, record) > this.threshold) {
      state.last = record
      state.isDue = true
    }
  }

  shouldFire({ state }: TriggerSite): boolean {
    return (state.slots[this.index] as DeltaState | undefined)?.isDue === true
  }

  override onFire({ state }: TriggerSite): void {
    ;(state.slots[this.index] as DeltaState).isDue = false
  }

  /** Nobody can say which record was last: validation keeps it out of merging windows. */
  override onMerge(site: TriggerSite, merged: readonly TriggerState[]): void {
    const first = merged[0]?.slots[this.index] as DeltaState | undefined
    site.state.slots[this.index] = first
  }
}

function earliest(merged: readonly TriggerState[], index: number): number | undefined {
  let least: number | undefined
  for (const { slots } of merged) {
    const timeMs = slots[index] as number | undefined
    if (timeMs !== undefined && (least === undefined || timeMs < least)) least = timeMs
  }
  return least
}
