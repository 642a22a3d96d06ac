// Record path. Timers of one time domain, in the order of time and then of registration; one per owner and time.
import { BinaryHeap } from '../base/binary-heap.ts'

/** A registered timer. */
export interface Timer<Owner> {
  readonly timeMs: number
  readonly owner: Owner
  readonly sequence: number
  isDeleted: boolean
}

/** Fewer deleted timers than this are not worth the work of clearing them out. */
const DELETED_MIN = 64

/** A queue of timers; register, delete and pop cost O(log n) amortised. */
export class TimerQueue<Owner> {
  private heap = new BinaryHeap<Timer<Owner>>(byTimeThenSequence)
  /** Deleted timers that are still in the heap: they leave when they come to its top, or when they are the larger part of it. */
  private deletedCount = 0
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

  /** The times of an owner's timers, in the order of registration. */
  timesOf(owner: Owner): readonly number[] {
    return [...(this.byOwner.get(owner)?.keys() ?? [])]
  }

  /** True when there was such a timer. */
  delete(owner: Owner, timeMs: number): boolean {
    const timer = this.byOwner.get(owner)?.get(timeMs)
    if (timer === undefined) return false
    timer.isDeleted = true
    this.deletedCount++
    this.forget(timer)
    if (this.deletedCount > DELETED_MIN && this.deletedCount * 2 > this.heap.size) this.clearOutDeleted()
    return true
  }

  /** Timers in memory, deleted ones included: at most twice the registered ones and a constant. */
  get heldCount(): number {
    return this.heap.size
  }

  /** Timers that are still to come. */
  get registeredCount(): number {
    return this.heap.size - this.deletedCount
  }

  /** The time of the next timer; Infinity when there is none (or it is at Infinity: see `hasDue`). */
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

  /** The owner of the next timer that is due at the given time; undefined when none is. */
  dueOwner(timeMs: number): Owner | undefined {
    return this.hasDue(timeMs) ? this.heap.peek()?.owner : undefined
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
    while (this.heap.peek()?.isDeleted === true) {
      this.heap.pop()
      this.deletedCount--
    }
  }

  // A timer that moves with every record (a timeout) would otherwise leave one behind per record until its time comes.
  private clearOutDeleted(): void {
    const held = this.heap.values()
    this.heap = new BinaryHeap<Timer<Owner>>(byTimeThenSequence)
    for (const timer of held) if (!timer.isDeleted) this.heap.push(timer)
    this.deletedCount = 0
  }

  private forget(timer: Timer<Owner>): void {
    const timers = this.byOwner.get(timer.owner)
    timers?.delete(timer.timeMs)
    if (timers?.size === 0) this.byOwner.delete(timer.owner)
  }
}

// Of two timers at the same infinity the difference is NaN, so their sequence decides as well.
function byTimeThenSequence(a: Timer<unknown>, b: Timer<unknown>): number {
  return a.timeMs - b.timeMs || a.sequence - b.sequence
}
