// Record path. The triggers that are made of others, after Beam's state machines.
import type { TriggerState } from '../window-cell.ts'
import { hasEnded, TriggerNode, type TriggerSite } from './trigger-node.ts'

/** Begins the inner trigger anew whenever it finishes. */
export class RepeatedlyNode extends TriggerNode {
  private readonly repeated: TriggerNode

  constructor(index: number, repeated: TriggerNode) {
    super(index, [repeated])
    this.repeated = repeated
  }

  override onRecord(site: TriggerSite): void {
    this.repeated.onRecord(site)
  }

  shouldFire(site: TriggerSite): boolean {
    return this.repeated.shouldFire(site)
  }

  override onFire(site: TriggerSite): void {
    this.repeated.onFire(site)
    if (this.repeated.isFinished(site)) this.repeated.reset(site)
  }
}

/** As the inner trigger, and forgets the records at each firing. */
export class PurgingNode extends TriggerNode {
  private readonly purged: TriggerNode

  constructor(index: number, purged: TriggerNode) {
    super(index, [purged])
    this.purged = purged
  }

  override onRecord(site: TriggerSite): void {
    this.purged.onRecord(site)
  }

  shouldFire(site: TriggerSite): boolean {
    return this.purged.shouldFire(site)
  }

  override onFire(site: TriggerSite): void {
    this.purged.onFire(site)
    site.isPurging = true
    if (this.purged.isFinished(site)) this.finish(site)
  }
}

/** Early, at the end of the window, late; the parts repeat. Slot: true when the end was fired. */
export class AfterWatermarkNode extends TriggerNode {
  private readonly early: RepeatedlyNode | undefined
  private readonly late: RepeatedlyNode | undefined

  constructor(index: number, early: RepeatedlyNode | undefined, late: RepeatedlyNode | undefined) {
    super(
      index,
      [early, late].filter(part => part !== undefined),
    )
    this.early = early
    this.late = late
  }

  override onRecord(site: TriggerSite): void {
    if (this.isLate(site.state)) this.late?.onRecord(site)
    else this.early?.onRecord(site)
  }

  shouldFire(site: TriggerSite): boolean {
    if (this.isLate(site.state)) return this.late?.shouldFire(site) ?? false
    return hasEnded(site) || (this.early?.shouldFire(site) ?? false)
  }

  override onFire(site: TriggerSite): void {
    if (this.isLate(site.state)) {
      this.late?.onFire(site)
    } else if (hasEnded(site)) {
      site.state.slots[this.index] = true
      if (this.late === undefined) this.finish(site)
    } else this.early?.onFire(site)
  }

  // Late only where all the merged cells were, and the new window has ended too: else what is pending has not had its firing on time.
  override onMerge(site: TriggerSite, merged: readonly TriggerState[]): void {
    super.onMerge(site, merged)
    const isLate = hasEnded(site) && merged.every(state => this.isLate(state))
    site.state.slots[this.index] = isLate ? true : undefined
    if (isLate) return
    site.state.finished &= ~(1 << this.index)
    this.late?.reset(site)
  }

  private isLate(state: TriggerState): boolean {
    return state.slots[this.index] === true
  }
}

/** One after the other. Slot: the position of the one whose turn it is. */
export class AfterEachNode extends TriggerNode {
  override onRecord(site: TriggerSite): void {
    this.current(site.state)?.onRecord(site)
  }

  shouldFire(site: TriggerSite): boolean {
    return this.current(site.state)?.shouldFire(site) ?? false
  }

  override onFire(site: TriggerSite): void {
    const current = this.current(site.state)
    current?.onFire(site)
    if (current?.isFinished(site) !== true) return
    const next = this.position(site.state) + 1
    site.state.slots[this.index] = next
    if (next === this.inner.length) this.finish(site)
  }

  override onMerge(site: TriggerSite, merged: readonly TriggerState[]): void {
    super.onMerge(site, merged)
    const unfinished = this.inner.findIndex(node => !node.isFinished(site))
    const position = unfinished < 0 ? this.inner.length : unfinished
    site.state.slots[this.index] = position
    for (const later of this.inner.slice(position + 1)) later.reset(site)
  }

  private current(state: TriggerState): TriggerNode | undefined {
    return this.inner[this.position(state)]
  }

  private position(state: TriggerState): number {
    return (state.slots[this.index] as number | undefined) ?? 0
  }
}

/** When all the inner ones want to fire, once. */
export class AfterAllNode extends TriggerNode {
  override onRecord(site: TriggerSite): void {
    for (const node of this.inner) node.onRecord(site)
  }

  shouldFire(site: TriggerSite): boolean {
    return this.inner.every(node => node.shouldFire(site))
  }

  override onFire(site: TriggerSite): void {
    for (const node of this.inner) node.onFire(site)
    this.finish(site)
  }
}

/** When one of the inner ones wants to fire, once. */
export class AfterFirstNode extends TriggerNode {
  override onRecord(site: TriggerSite): void {
    for (const node of this.inner) node.onRecord(site)
  }

  shouldFire(site: TriggerSite): boolean {
    return this.inner.some(node => node.shouldFire(site))
  }

  override onFire(site: TriggerSite): void {
    for (const node of this.inner) if (node.shouldFire(site)) node.onFire(site)
    this.finish(site)
  }
}

/** As the first, until the second wants to fire, which ends it. */
export class OrFinallyNode extends TriggerNode {
  private readonly main: TriggerNode
  private readonly until: TriggerNode

  constructor(index: number, main: TriggerNode, until: TriggerNode) {
    super(index, [main, until])
    this.main = main
    this.until = until
  }

  override onRecord(site: TriggerSite): void {
    this.main.onRecord(site)
    this.until.onRecord(site)
  }

  shouldFire(site: TriggerSite): boolean {
    return this.until.shouldFire(site) || this.main.shouldFire(site)
  }

  override onFire(site: TriggerSite): void {
    if (this.until.shouldFire(site)) {
      this.until.onFire(site)
      this.finish(site)
      return
    }
    this.main.onFire(site)
    if (this.main.isFinished(site)) this.finish(site)
  }
}
