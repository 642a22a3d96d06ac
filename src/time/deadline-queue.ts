// Record path. Deadlines of owners that change their minds: an owner has at most one deadline in force, and one that moves to a later time
// is not touched but looked at again when it comes. So a session that grows with every record costs the queue nothing.
import { BinaryHeap } from '../base/binary-heap.ts'

/** An owner's place in the queue. */
export interface Deadline<Owner> {
  readonly timeMs: number
  readonly owner: Owner
  readonly sequence: number
  /** `over`: it came, or an earlier one took its place, or it was cancelled. */
  state: 'waiting' | 'over'
}

/** Fewer deadlines that are over than this are not worth the work of clearing them out. */
const OVER_MIN = 64

/** A queue of deadlines in the order of time, then of scheduling. Schedule and pop cost O(log n) amortised. */
export class DeadlineQueue<Owner> {
  private heap = new BinaryHeap<Deadline<Owner>>(byTimeThenSequence)
  private overCount = 0
  private sequence = 0

  /** Deadlines in memory, those that are over included: at most twice the waiting ones and a constant. */
  get heldCount(): number {
    return this.heap.size
  }

  /**
   * Sees to it that the owner is looked at by the given time; `current` is what an earlier call returned for it. An earlier deadline
   * stays in force: who is looked at too early schedules again.
   */
  schedule(current: Deadline<Owner> | undefined, owner: Owner, timeMs: number): Deadline<Owner> {
    if (current !== undefined && current.state === 'waiting') {
      if (current.timeMs <= timeMs) return current
      this.cancel(current)
    }
    const deadline: Deadline<Owner> = { timeMs, owner, sequence: this.sequence++, state: 'waiting' }
    this.heap.push(deadline)
    return deadline
  }

  /** Puts a deadline of a snapshot in force again, in its place among those of the same time; later ones come behind it. */
  restore(owner: Owner, timeMs: number, sequence: number): Deadline<Owner> {
    const deadline: Deadline<Owner> = { timeMs, owner, sequence, state: 'waiting' }
    this.heap.push(deadline)
    if (sequence >= this.sequence) this.sequence = sequence + 1
    return deadline
  }

  /** Takes a deadline out of force. */
  cancel(deadline: Deadline<Owner> | undefined): void {
    if (deadline === undefined || deadline.state === 'over') return
    deadline.state = 'over'
    this.overCount++
    if (this.overCount > OVER_MIN && this.overCount * 2 > this.heap.size) this.clearOut()
  }

  /** The time of the next deadline; Infinity when there is none (or it is at Infinity: see `hasDue`). */
  nextTimeMs(): number {
    this.dropOver()
    return this.heap.peek()?.timeMs ?? Infinity
  }

  /** True when a deadline is due at the given time, which may be Infinity: everything is due. */
  hasDue(timeMs: number): boolean {
    this.dropOver()
    const next = this.heap.peek()
    return next !== undefined && next.timeMs <= timeMs
  }

  /** The owner of the next deadline that is due at the given time; undefined when none is. */
  dueOwner(timeMs: number): Owner | undefined {
    return this.hasDue(timeMs) ? this.heap.peek()?.owner : undefined
  }

  /** Removes and returns the next deadline that is due at the given time; undefined when none is. */
  popDue(timeMs: number): Deadline<Owner> | undefined {
    if (!this.hasDue(timeMs)) return undefined
    const next = this.heap.pop() as Deadline<Owner>
    next.state = 'over'
    return next
  }

  private dropOver(): void {
    while (this.heap.peek()?.state === 'over') {
      this.heap.pop()
      this.overCount--
    }
  }

  private clearOut(): void {
    const held = this.heap.values()
    this.heap = new BinaryHeap<Deadline<Owner>>(byTimeThenSequence)
    for (const deadline of held) if (deadline.state === 'waiting') this.heap.push(deadline)
    this.overCount = 0
  }
}

// Of two deadlines at the same infinity the difference is NaN, so their sequence decides as well.
function byTimeThenSequence(a: Deadline<unknown>, b: Deadline<unknown>): number {
  return a.timeMs - b.timeMs || a.sequence - b.sequence
}
