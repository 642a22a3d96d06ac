// Record path. The windows of one key that merge as records come: sessions, and custom assigners that say how.
import { preview, StreamError } from '../base/errors.ts'
import type { TimeWindow } from '../model/functions.ts'
import type { AssignerSpec, CustomAssigner, SessionAssigner } from '../model/window-spec.ts'
import { customWindows } from './assigner.ts'

/** What a new window does to the windows of its key: those that it joins, and the window that they become with it. */
export interface Joining {
  readonly joined: readonly number[]
  readonly into: TimeWindow
}

/** Whoever holds a window. */
export interface WindowHolder {
  readonly window: TimeWindow
}

/** An assigner whose windows merge. */
export interface MergingWindows {
  /** The record's own windows, before they are merged. */
  windowsOf(record: unknown, timestampMs: number): readonly TimeWindow[]
  /** The positions among the key's windows that the window is joined with. */
  join(holders: readonly WindowHolder[], added: TimeWindow): Joining
  /** The window as its results show it: a window of its own, which later records do not change. */
  shown(window: TimeWindow): TimeWindow
  /** The timestamp of the window's results. */
  timestampOf(window: TimeWindow): number
  /**
   * Where windows are joined by their bounds alone: changes the window in place if the record's own reaches it, without an object for either.
   * 2x fewer CPU seconds than `join` at 1e5 open sessions, bench/windows.ts.
   */
  extend?(window: MutableWindow, timestampMs: number): Extension
}

/** A window that is still growing. */
export interface MutableWindow {
  start: number
  end: number
}

/** What a record did to a window: it is not part of it, it is within it, or it made it longer. */
export type Extension = 'apart' | 'within' | 'grown'

/** The merging form of an assigner. */
export function mergingWindows(assigner: AssignerSpec): MergingWindows {
  if (assigner.kind === 'session') return new SessionWindows(assigner)
  if (assigner.kind === 'custom') return new CustomMergingWindows(assigner.assigner)
  throw new StreamError('INTERNAL_ERROR', `windows of ${assigner.kind} do not merge; this is a bug in Millrace`)
}

// Kafka's sessions end at their last record and join records exactly a gap apart: inside they are windows that end a gap and 1 ms later and
// do not join where they touch.
class SessionWindows implements MergingWindows {
  readonly extend?: (window: MutableWindow, timestampMs: number) => Extension
  private readonly gapMs: number
  private readonly gapOf: ((record: unknown) => number) | undefined
  private readonly isJoiningTouching: boolean
  private readonly isEndAtRecord: boolean

  constructor(session: SessionAssigner) {
    if (typeof session.gapMs === 'number') this.extend = (window, timestampMs) => this.extendBy(window, timestampMs)
    const { gapMs } = session
    this.isEndAtRecord = session.end === 'last-record'
    this.isJoiningTouching = session.touching === 'merge' && !this.isEndAtRecord
    this.gapMs = typeof gapMs === 'number' ? gapMs : 0
    this.gapOf = typeof gapMs === 'number' ? undefined : (gapMs as (record: unknown) => number)
  }

  windowsOf(record: unknown, timestampMs: number): readonly TimeWindow[] {
    const gapMs = this.gapOf === undefined ? this.gapMs : checkGap(this.gapOf(record))
    return [{ start: timestampMs, end: timestampMs + gapMs + (this.isEndAtRecord ? 1 : 0) }]
  }

  join(holders: readonly WindowHolder[], added: TimeWindow): Joining {
    let { start, end } = added
    let joined: number[] = NONE
    for (let at = 0; at < holders.length; at++) {
      const { window } = holders[at] as WindowHolder
      if (!this.isJoining(window, added)) continue
      if (joined === NONE) joined = []
      joined.push(at)
      if (window.start < start) start = window.start
      if (window.end > end) end = window.end
    }
    return { joined, into: { start, end } }
  }

  shown({ start, end }: TimeWindow): TimeWindow {
    return Object.freeze({ start, end: this.isEndAtRecord ? end - this.gapMs - 1 : end })
  }

  // A session that ends at its last record has that record's timestamp.
  timestampOf({ end }: TimeWindow): number {
    return this.isEndAtRecord ? end - this.gapMs - 1 : end - 1
  }

  private extendBy(window: MutableWindow, timestampMs: number): Extension {
    const end = timestampMs + this.gapMs + (this.isEndAtRecord ? 1 : 0)
    const isReached = this.isJoiningTouching
      ? window.start <= end && timestampMs <= window.end
      : window.start < end && timestampMs < window.end
    if (!isReached) return 'apart'
    if (window.start <= timestampMs && end <= window.end) return 'within'
    if (timestampMs < window.start) window.start = timestampMs
    if (end > window.end) window.end = end
    return 'grown'
  }

  private isJoining(a: TimeWindow, b: TimeWindow): boolean {
    return this.isJoiningTouching ? a.start <= b.end && b.start <= a.end : a.start < b.end && b.start < a.end
  }
}

const NONE: number[] = []

class CustomMergingWindows implements MergingWindows {
  readonly windowsOf: (record: unknown, timestampMs: number) => readonly TimeWindow[]
  private readonly custom: CustomAssigner

  constructor(custom: CustomAssigner) {
    this.custom = custom
    this.windowsOf = customWindows(custom)
  }

  join(holders: readonly WindowHolder[], added: TimeWindow): Joining {
    const windows = holders.map(({ window }) => window)
    const groups = this.custom.merge?.([...windows, added]) ?? []
    const group = groups.find(({ merged }) => merged.includes(added))
    if (group === undefined) return { joined: sameBounds(windows, added), into: added }
    const joined = [...windows.keys()].filter(at => group.merged.includes(windows[at] as TimeWindow))
    return { joined, into: group.into }
  }

  shown(window: TimeWindow): TimeWindow {
    return window
  }

  timestampOf({ end }: TimeWindow): number {
    return end - 1
  }
}

// Without a merge, a window with equal bounds is the same window.
function sameBounds(windows: readonly TimeWindow[], added: TimeWindow): readonly number[] {
  const at = windows.findIndex(({ start, end }) => start === added.start && end === added.end)
  return at < 0 ? NONE : [at]
}

function checkGap(gapMs: unknown): number {
  if (typeof gapMs === 'number' && Number.isFinite(gapMs) && gapMs > 0) return gapMs
  throw new StreamError(
    'USER_FUNCTION_RESULT',
    `the gap of the record is ${preview(gapMs)}; return a finite number of milliseconds above 0`,
  )
}
