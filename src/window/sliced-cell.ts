// Record path. The slices of one key for overlapping windows, oldest first, and the join of those that the window in hand holds.
import { StreamError } from '../base/errors.ts'
import type { AggregateFunction, TimeWindow } from '../model/functions.ts'
import { WindowCell } from './window-cell.ts'
import { checkAccumulator } from './window-contents.ts'

type AnyAggregate = AggregateFunction<unknown, unknown, unknown>

const NO_WINDOW: TimeWindow = Object.freeze({ start: -Infinity, end: -Infinity })

/** The slices of a key as plain data, for snapshots. The joins are not in it: they are made anew. */
export interface StoredSlices {
  readonly starts: readonly number[]
  readonly parts: readonly unknown[]
  readonly counts: readonly number[]
  /** The end of the newest window that the key was asked for; -Infinity before the first. */
  readonly firedEnd: number
}

/** The slices of a key. Windows only move forward. */
export class SlicedCell extends WindowCell {
  private readonly starts: number[] = []
  private readonly parts: unknown[] = []
  private readonly counts: number[] = []
  /** How many of the slices are in the joins below. */
  private joined = 0
  /** The joins of slice i to the last of the stack, oldest slice last: `stack.length` slices are in it. */
  private stack: unknown[] = []
  /** The join of the slices behind the stack (with an inverse of all: the stack stays empty); undefined when there are none. */
  private rest: unknown = undefined
  /** True when a joined slice changed: the joins are made anew. */
  private isStale = false

  constructor(key: unknown, keyGroup: number) {
    super(key, keyGroup, NO_WINDOW)
  }

  override isEmpty(): boolean {
    return this.starts.length === 0
  }

  /** The start of the oldest slice. */
  get firstStart(): number {
    return this.starts[0] as number
  }

  /** The starts of its slices, oldest first. */
  get sliceStarts(): readonly number[] {
    return this.starts
  }

  /** The slices as data, which go on changing with the cell: to be written at once. */
  stored(): StoredSlices {
    return { starts: this.starts, parts: this.parts, counts: this.counts, firedEnd: this.window.end }
  }

  /** Makes an empty cell what it was when the data was made. */
  restore({ starts, parts, counts, firedEnd }: StoredSlices): void {
    this.starts.push(...starts)
    this.parts.push(...parts)
    this.counts.push(...counts)
    this.window = { start: -Infinity, end: firedEnd }
  }

  /** Adds a record to the slice that begins there. */
  add(aggregate: AnyAggregate, start: number, record: unknown): void {
    const { parts, counts } = this
    const at = this.sliceAt(start, aggregate)
    const before = parts[at]
    const accumulator = aggregate.add(before, record)
    if (accumulator !== before || accumulator === undefined) parts[at] = checkAccumulator(accumulator)
    counts[at] = (counts[at] as number) + 1
    if (at < this.joined) this.isStale = true
  }

  /** Takes a record back out of the slice that begins there; a slice without records goes. False when there is no such slice. */
  takeBack(aggregate: AnyAggregate, start: number, record: unknown): boolean {
    const at = this.starts.lastIndexOf(start)
    if (at < 0) return false
    this.parts[at] = checkAccumulator(aggregate.retract?.(this.parts[at], record), 'retract')
    const count = (this.counts[at] as number) - 1
    this.counts[at] = count
    if (at < this.joined) this.isStale = true
    if (count > 0) return true
    this.starts.splice(at, 1)
    this.parts.splice(at, 1)
    this.counts.splice(at, 1)
    if (at < this.joined) this.joined--
    return true
  }

  /** Makes the contents those of the window; false when it has none. */
  moveTo(aggregate: AnyAggregate, window: TimeWindow): boolean {
    if (this.isStale) this.forgetJoins()
    while (this.joined < this.starts.length && (this.starts[this.joined] as number) < window.end) {
      this.rest = join(aggregate, this.rest ?? aggregate.create(), this.parts[this.joined])
      this.joined++
    }
    if (this.joined === 0) return false
    const oldest = this.stack.at(-1)
    if (oldest === undefined) this.content = this.rest
    else if (this.rest === undefined) this.content = oldest
    else this.content = join(aggregate, join(aggregate, aggregate.create(), oldest), this.rest)
    this.window = window
    this.held = 1
    this.unfired = 1
    return true
  }

  /** Lets go of the slices that begin before the start of the next window. */
  leave(start: number, aggregate: AnyAggregate): void {
    this.content = undefined
    while (this.starts.length > 0 && this.firstStart < start) {
      if (this.joined > 0) this.drop(aggregate)
      this.starts.shift()
      this.parts.shift()
      this.counts.shift()
    }
  }

  // The oldest of the joined slices goes.
  private drop(aggregate: AnyAggregate): void {
    this.joined--
    if (aggregate.subtract !== undefined) {
      this.rest =
        this.joined === 0 ? undefined : checkAccumulator(aggregate.subtract(this.rest, this.parts[0]), 'subtract')
      return
    }
    if (this.stack.length === 0) this.refill(aggregate)
    this.stack.pop()
  }

  private refill(aggregate: AnyAggregate): void {
    this.rest = undefined
    let newer: unknown
    for (let at = this.joined; at >= 0; at--) {
      const own = join(aggregate, aggregate.create(), this.parts[at])
      newer = newer === undefined ? own : join(aggregate, own, newer)
      this.stack.push(newer)
    }
  }

  private forgetJoins(): void {
    this.isStale = false
    this.stack = []
    this.rest = undefined
    this.joined = 0
  }

  /** The position of the slice that begins there, made when there is none. Records are mostly of the newest. */
  private sliceAt(start: number, aggregate: AnyAggregate): number {
    const { starts } = this
    let at = starts.length
    while (at > 0 && (starts[at - 1] as number) > start) at--
    if (at > 0 && starts[at - 1] === start) return at - 1
    starts.splice(at, 0, start)
    this.parts.splice(at, 0, aggregate.create())
    this.counts.splice(at, 0, 0)
    if (at < this.joined) {
      this.joined++
      this.isStale = true
    }
    return at
  }
}

// What is joined is used again, so a merge that hands back its second argument would have it changed by the next one.
function join(aggregate: AnyAggregate, first: unknown, second: unknown): unknown {
  const result = checkAccumulator(aggregate.merge(first, second), 'merge')
  if (result !== second || typeof result !== 'object' || result === first) return result
  throw new StreamError(
    'USER_FUNCTION_RESULT',
    "merge() of the aggregate returned its second argument; let it change and return the first, or keep overlapping windows apart with slices('separate')",
  )
}
