// Record path. Kafka Streams' sliding windows per key (KIP-450). A record opens the window that ends at it, and windows that begin 1 ms after a
// record as soon as they hold another: these are all the windows of that length with different contents. Nothing here knows a clock.
import type { AggregateFunction } from '../model/functions.ts'
import { KeyEntry } from '../state/keyed-table.ts'
import { checkAccumulator } from './window-contents.ts'

/** What is kept for one key. */
export class PerRecordEntry extends KeyEntry {
  /** Ascending; records of one time stand in the order of arrival. Epoch ms. */
  timestamps: number[] = []
  records: unknown[] = []
  /** The number of each record in the order of arrival. */
  sequences: number[] = []
  /** Ascending by start. */
  windows: PerRecordWindow[] = []
  /** The time of the timer that lets go of records that no window can hold any more; Infinity when it has none. */
  timerMs = Infinity

  isEmpty(): boolean {
    return this.records.length === 0 && this.windows.length === 0
  }
}

/** A window of one key; it ends, inclusive, the time difference after its start. */
export interface PerRecordWindow {
  readonly entry: PerRecordEntry
  readonly start: number
  accumulator: unknown
  /** The greatest timestamp of its records. */
  newestMs: number
}

/** The windows of one length, over the entries of keys. */
export class PerRecordWindows {
  /** The windows that the last record opened or changed, ascending by start. */
  readonly changed: PerRecordWindow[] = []
  /** Those of them that it opened. */
  readonly opened: PerRecordWindow[] = []
  private readonly timeDifferenceMs: number
  private readonly aggregate: AggregateFunction<unknown, unknown, unknown>
  private sequence = 0

  constructor(timeDifferenceMs: number, aggregate: AggregateFunction<unknown, unknown, unknown>) {
    this.timeDifferenceMs = timeDifferenceMs
    this.aggregate = aggregate
  }

  /** Counts on behind a record of a snapshot. */
  noteSequence(sequence: number): void {
    if (sequence >= this.sequence) this.sequence = sequence + 1
  }

  /**
   * Takes a record of a key, unless all windows that could hold it are closed: those whose end (inclusive) is below `closedBelowMs`.
   * Returns whether it did.
   */
  add(entry: PerRecordEntry, record: unknown, timestampMs: number, closedBelowMs: number): boolean {
    this.changed.length = 0
    this.opened.length = 0
    const openFrom = closedBelowMs - this.timeDifferenceMs
    const { timestamps } = entry
    const previousMs = timestamps[countBelow(timestamps, timestampMs) - 1] ?? -Infinity
    const leftStart = this.leftStart(timestampMs)
    const opensLeft = leftStart >= openFrom
    const opensPreviousRight =
      previousMs + 1 >= openFrom && previousMs + 1 + this.timeDifferenceMs >= timestampMs && previousMs !== -Infinity
    const first = firstFrom(entry.windows, Math.max(openFrom, timestampMs - this.timeDifferenceMs))
    const isHeld = first < entry.windows.length && (entry.windows[first] as PerRecordWindow).start <= timestampMs
    if (!opensLeft && !opensPreviousRight && !isHeld) return false
    this.insert(entry, record, timestampMs)
    for (let index = first; index < entry.windows.length; index++) {
      const window = entry.windows[index] as PerRecordWindow
      if (window.start > timestampMs) break
      this.update(window, record, timestampMs)
    }
    if (opensPreviousRight) this.open(entry, previousMs + 1)
    if (opensLeft) this.open(entry, leftStart)
    this.openRight(entry, timestampMs, openFrom)
    if (this.opened.length > 0) this.changed.sort(byStart)
    return true
  }

  /** Lets go of records that no window that is open, or may still open, begins or ends at or holds. */
  purge(entry: PerRecordEntry, closedBelowMs: number): void {
    const count = countBelow(entry.timestamps, closedBelowMs - this.timeDifferenceMs - 1)
    if (count === 0) return
    entry.timestamps.splice(0, count)
    entry.records.splice(0, count)
    entry.sequences.splice(0, count)
  }

  /** The same, once it is worth the work of moving those that stay. */
  purgeIfMany(entry: PerRecordEntry, closedBelowMs: number): void {
    const { timestamps } = entry
    const middle = timestamps[timestamps.length >>> 1] as number
    if (middle + this.timeDifferenceMs + 1 < closedBelowMs) this.purge(entry, closedBelowMs)
  }

  // Kafka has no time before 0: the windows of records that would begin there are one, which begins at 0 (KIP-450).
  private leftStart(timestampMs: number): number {
    const start = timestampMs - this.timeDifferenceMs
    return start < 0 && timestampMs >= 0 ? 0 : start
  }

  private insert(entry: PerRecordEntry, record: unknown, timestampMs: number): void {
    const position = countBelow(entry.timestamps, timestampMs + 1)
    if (position === entry.timestamps.length) {
      entry.timestamps.push(timestampMs)
      entry.records.push(record)
      entry.sequences.push(this.sequence++)
      return
    }
    entry.timestamps.splice(position, 0, timestampMs)
    entry.records.splice(position, 0, record)
    entry.sequences.splice(position, 0, this.sequence++)
  }

  private update(window: PerRecordWindow, record: unknown, timestampMs: number): void {
    window.accumulator = checkAccumulator(this.aggregate.add(window.accumulator, record))
    if (timestampMs > window.newestMs) window.newestMs = timestampMs
    this.changed.push(window)
  }

  /** The window that begins after a record, if it holds others. */
  private openRight(entry: PerRecordEntry, timestampMs: number, openFrom: number): void {
    const start = timestampMs + 1
    const next = entry.timestamps[countBelow(entry.timestamps, start)]
    if (next !== undefined && next <= start + this.timeDifferenceMs && start >= openFrom) this.open(entry, start)
  }

  private open(entry: PerRecordEntry, start: number): void {
    const { windows } = entry
    const position = firstFrom(windows, start)
    if (windows[position]?.start === start) return
    const window = this.windowOf(entry, start)
    if (position === windows.length) windows.push(window)
    else windows.splice(position, 0, window)
    this.changed.push(window)
    this.opened.push(window)
  }

  /** A window with all records of its time, which are aggregated in the order in which they came, as those of other windows are. */
  private windowOf(entry: PerRecordEntry, start: number): PerRecordWindow {
    const from = countBelow(entry.timestamps, start)
    const to = countBelow(entry.timestamps, start + this.timeDifferenceMs + 1)
    const order: number[] = []
    for (let index = from; index < to; index++) order.push(index)
    order.sort((a, b) => (entry.sequences[a] as number) - (entry.sequences[b] as number))
    let accumulator: unknown = this.aggregate.create()
    for (const index of order) accumulator = checkAccumulator(this.aggregate.add(accumulator, entry.records[index]))
    return { entry, start, accumulator, newestMs: entry.timestamps[to - 1] as number }
  }
}

function byStart(a: PerRecordWindow, b: PerRecordWindow): number {
  return a.start - b.start
}

/** How many of the ascending times are below the given one. */
function countBelow(timestamps: readonly number[], timeMs: number): number {
  let low = 0
  let high = timestamps.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((timestamps[middle] as number) < timeMs) low = middle + 1
    else high = middle
  }
  return low
}

/** The position of the first window that begins at the time or later. */
function firstFrom(windows: readonly PerRecordWindow[], start: number): number {
  let low = 0
  let high = windows.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((windows[middle] as PerRecordWindow).start < start) low = middle + 1
    else high = middle
  }
  return low
}
