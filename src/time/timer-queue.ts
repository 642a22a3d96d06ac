// Record path. Timers of one time domain, in the order of time and then of registration; one per owner and time.
import { BinaryHeap } from '../base/binary-heap.ts'

/** A registered timer. */
export interface Timer<Owner> {
  readonly timeMs: number
  readonly owner: Owner
  readonly sequence: number
  isDeleted: boolean
}

/** A queue of timers; register, delete and pop cost O(log n). */
export class TimerQueue<Owner> {
  private readonly heap = new BinaryHeap<Timer<Owner>>((a, b) => a.timeMs - b.timeMs || a.sequence - b.sequence)
  private readonly byOwner = new Map<Owner, Map<number, Timer<Owner>>>()
  private sequence = 0

  /** True when the timer is new; false when the owner already has one at that time. */
  register(owner: Owner, timeMs: number): boolean {
    let timers = this.byOwner.get(owner)
    if (timers === undefined) {
      timers = new Map()
      this.byOwner.set(owner, timers)
    }
    if (timers.has(timeMs)) return false
    const timer: Timer<Owner> = { timeMs, owner, sequence: this.sequence++, isDeleted: false }
    timers.set(timeMs, timer)
    this.heap.push(timer)
    return true
  }

  /** True when there was such a timer. */
  delete(owner: Owner, timeMs: number): boolean {
    const timer = this.byOwner.get(owner)?.get(timeMs)
    if (timer === undefined) return false
    timer.isDeleted = true
    this.forget(timer)
    return true
  }

  /** The time of the next timer; Infinity when there is none. */
  nextTimeMs(): number {
    this.dropDeleted()
    return this.heap.peek()?.timeMs ?? Infinity
  }

  /** True when a timer is due at the given time, which may be Infinity: everything is due. */
  hasDue(timeMs: number): boolean {
    this.dropDeleted()
    const next = this.heap.peek()
    return next !== undefined && next.timeMs <= timeMs
  }

  /** The sequence number that the next registered timer will have: tells timers registered before a moment from later ones. */
  nextSequence(): number {
    return this.sequence
  }

  /** Removes and returns the next timer that is due at the given time; undefined when none is. */
  popDue(timeMs: number): Timer<Owner> | undefined {
    this.dropDeleted()
    const next = this.heap.peek()
    if (next === undefined || next.timeMs > timeMs) return undefined
    this.heap.pop()
    this.forget(next)
    return next
  }

  private dropDeleted(): void {
    while (this.heap.peek()?.isDeleted === true) this.heap.pop()
  }

  private forget(timer: Timer<Owner>): void {
    const timers = this.byOwner.get(timer.owner)
    timers?.delete(timer.timeMs)
    if (timers?.size === 0) this.byOwner.delete(timer.owner)
  }
}
