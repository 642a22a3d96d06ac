// Record path. Storm's windows per key: the length says which records a window holds, the slide when it fires, each by count or by time. Nothing here
// knows a clock: it is told up to which time all records have come.
import type { MixedExtent, MixedWindow, MixedWindowSpec } from '../model/mixed-window-spec.ts'
import { KeyEntry } from '../state/keyed-table.ts'

/** What is kept for one key. Records stand in the order of their time, then of arrival, so that every window is a stretch of them. */
export class MixedWindowEntry extends KeyEntry {
  records: unknown[] = []
  /** The time of each record, epoch ms. */
  timestamps: number[] = []
  /** How many of the first records an earlier window held. */
  seen = 0
  /** How many of the first records were counted by slides that fired; only for slides by count. */
  counted = 0
  /** What left since the last window. */
  expired: unknown[] = []
  /** The end of the next window; Infinity when nothing waits for one. Only for slides by time. */
  nextEndMs = Infinity
  /** The time of its timer; Infinity when it has none. */
  timerMs = Infinity

  isEmpty(): boolean {
    return this.records.length === 0 && this.expired.length === 0
  }
}

/** The windows of a spec, over the entries of keys. */
export class MixedWindows {
  private readonly length: MixedExtent
  private readonly slide: MixedExtent

  constructor(spec: MixedWindowSpec) {
    this.length = spec.length
    this.slide = spec.slide
  }

  /** Takes a record of a key; its time must be above that of every window that fired. */
  add(entry: MixedWindowEntry, record: unknown, timestampMs: number): void {
    const { records, timestamps } = entry
    const size = timestamps.length
    if (size === 0 || (timestamps[size - 1] as number) <= timestampMs) {
      records.push(record)
      timestamps.push(timestampMs)
    } else {
      const position = countUpTo(timestamps, timestampMs)
      records.splice(position, 0, record)
      timestamps.splice(position, 0, timestampMs)
    }
    if (this.slide.kind === 'records') return
    const endMs = roundUp(timestampMs, this.slide.durationMs)
    if (endMs < entry.nextEndMs) entry.nextEndMs = endMs
  }

  /** The time up to which all records must have come for the key's next window to fire; Infinity when none waits. */
  dueMs(entry: MixedWindowEntry): number {
    if (this.slide.kind === 'time') return entry.nextEndMs
    return entry.timestamps[entry.counted + this.slide.count - 1] ?? Infinity
  }

  /**
   * The key's next window, which must be due; undefined when no record is in it. Windows of a number of records that slide by time go on with
   * the same records as long as time does: `isAtEnd` ends them once the last record was in a window.
   */
  take(entry: MixedWindowEntry, isAtEnd: boolean): MixedWindow<unknown> | undefined {
    const endMs = this.dueMs(entry)
    if (this.slide.kind === 'records') {
      const position = entry.counted + this.slide.count
      const past = this.length.kind === 'records' ? position : countUpTo(entry.timestamps, endMs)
      const window = this.cut(entry, endMs, past, position)
      return window
    }
    if (isAtEnd && this.length.kind === 'records' && entry.seen === entry.records.length) {
      entry.nextEndMs = Infinity
      return undefined
    }
    const past = countUpTo(entry.timestamps, endMs)
    const window = this.cut(entry, endMs, past, 0)
    // Where a window is empty, stretches of time without records are skipped.
    entry.nextEndMs = window === undefined ? this.firstEnd(entry.timestamps[entry.seen]) : endMs + this.slide.durationMs
    return window
  }

  private firstEnd(timestampMs: number | undefined): number {
    return timestampMs === undefined || this.slide.kind === 'records'
      ? Infinity
      : roundUp(timestampMs, this.slide.durationMs)
  }

  /** Lets go of what is before the window that ends at `endMs`, before the record at `past`. */
  private cut(entry: MixedWindowEntry, endMs: number, past: number, counted: number): MixedWindow<unknown> | undefined {
    const { length } = this
    const isByTime = length.kind === 'time'
    const start = isByTime ? endMs - length.durationMs : -Infinity
    const from = isByTime ? countUpTo(entry.timestamps, start) : Math.max(0, past - length.count)
    if (from > 0) {
      for (const record of entry.records.splice(0, from)) entry.expired.push(record)
      entry.timestamps.splice(0, from)
    }
    const elements = entry.records.slice(0, past - from)
    const added = entry.records.slice(Math.max(0, entry.seen - from), past - from)
    const { expired } = entry
    entry.expired = []
    entry.seen = past - from
    entry.counted = Math.max(0, counted - from)
    return elements.length === 0 ? undefined : { elements, added, expired, start, end: endMs }
  }
}

/** The least multiple of the step that is not below the time. */
function roundUp(timeMs: number, stepMs: number): number {
  const remainder = timeMs % stepMs
  if (remainder === 0) return timeMs
  return remainder > 0 ? timeMs + (stepMs - remainder) : timeMs - remainder
}

/** How many of the ascending times are at or below the given one. */
function countUpTo(timestamps: readonly number[], timeMs: number): number {
  let low = 0
  let high = timestamps.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((timestamps[middle] as number) <= timeMs) low = middle + 1
    else high = middle
  }
  return low
}
