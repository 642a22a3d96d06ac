// Keeps splits together in event time (FLIP-182, FLIP-217): a split that is too far ahead of the slowest of its group waits. A waiting
// split is never the slowest active one, so a group always has a split that may go on. Who reads and who waits is the source operator's business.
import type { WatermarkAlignment } from '../model/watermark-strategy.ts'

/** The alignment groups of one job. */
export class AlignmentCoordinator {
  private readonly groups = new Map<string, AlignmentGroup>()

  /** Adds a split to a group. It holds the others back until its watermark advances, it is idle, or it ends. */
  join(alignment: WatermarkAlignment): AlignmentMember {
    const group = this.groups.get(alignment.group) ?? new AlignmentGroup()
    this.groups.set(alignment.group, group)
    return group.join(alignment.maxDriftMs)
  }
}

/** A split in its group. Cost: O(1), or O(members) when the group's smallest watermark changes. */
export class AlignmentMember {
  /** Up to this watermark the split may be read; the group moves it. */
  limitMs = -Infinity
  /** Epoch ms. */
  watermark = -Infinity
  readonly maxDriftMs: number
  private readonly group: AlignmentGroup
  private state: 'active' | 'idle' | 'ended' = 'active'
  private onCaughtUp: (() => void) | undefined

  constructor(group: AlignmentGroup, maxDriftMs: number) {
    this.group = group
    this.maxDriftMs = maxDriftMs
  }

  /** True while the split must not be read. */
  get isAhead(): boolean {
    return this.watermark > this.limitMs
  }

  /** What counts for the group's smallest watermark: idle and ended splits hold nobody back. */
  get holdMs(): number {
    return this.state === 'active' ? this.watermark : Infinity
  }

  /** Takes the split's watermark; what goes back is ignored. */
  advance(watermark: number): void {
    if (watermark <= this.watermark) return
    const before = this.holdMs
    this.watermark = watermark
    this.group.onChange(before, this.holdMs)
  }

  setIdle(isIdle: boolean): void {
    if (this.state !== 'ended') this.become(isIdle ? 'idle' : 'active')
  }

  /** The split ended; it leaves the group. */
  end(): void {
    this.group.leave(this)
    this.onCaughtUp = undefined
    this.become('ended')
  }

  /** Calls back once, when the split is not ahead any more. */
  whenCaughtUp(callback: () => void): void {
    this.onCaughtUp = callback
  }

  /** Takes the group's smallest watermark. */
  follow(minimumMs: number): void {
    this.limitMs = minimumMs + this.maxDriftMs
    if (this.isAhead || this.onCaughtUp === undefined) return
    const callback = this.onCaughtUp
    this.onCaughtUp = undefined
    callback()
  }

  private become(state: 'active' | 'idle' | 'ended'): void {
    const before = this.holdMs
    this.state = state
    this.group.onChange(before, this.holdMs)
  }
}

class AlignmentGroup {
  private readonly members = new Set<AlignmentMember>()
  /** The smallest watermark of the active members; Infinity without any. */
  private minimumMs = Infinity

  join(maxDriftMs: number): AlignmentMember {
    const member = new AlignmentMember(this, maxDriftMs)
    this.members.add(member)
    this.onChange(Infinity, member.holdMs)
    return member
  }

  leave(member: AlignmentMember): void {
    this.members.delete(member)
  }

  /** Called when what a member holds changed: only where it held the minimum, or goes below it, do the others have to hear of it. */
  onChange(before: number, after: number): void {
    if (before !== this.minimumMs && after >= this.minimumMs) return
    let minimumMs = Infinity
    for (const { holdMs } of this.members) if (holdMs < minimumMs) minimumMs = holdMs
    if (minimumMs === this.minimumMs) return
    this.minimumMs = minimumMs
    for (const member of this.members) member.follow(minimumMs)
  }
}
