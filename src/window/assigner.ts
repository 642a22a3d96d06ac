// Record path. Which windows a record belongs to. Windows aligned to the epoch plus an offset are computed without an object each; the
// others are listed per record.
import { preview, StreamError } from '../base/errors.ts'
import type { TimeWindow } from '../model/functions.ts'
import type { AssignerSpec, CustomAssigner } from '../model/window-spec.ts'
import { CalendarAssigner } from './calendar.ts'

/** Aligned windows of one size, known by their start. */
export interface AlignedWindows {
  readonly sizeMs: number
  readonly slideMs: number
  readonly offsetMs: number
}

/**
 * The start of the newest window that has begun at the timestamp; older ones start every slide before it. A window holds the timestamp
 * when its start is above the timestamp less the size: with a slide above the size, none may.
 */
export function newestStart(windows: AlignedWindows, timestampMs: number): number {
  const { slideMs, offsetMs } = windows
  const remainder = (timestampMs - offsetMs) % slideMs
  return remainder < 0 ? timestampMs - remainder - slideMs : timestampMs - remainder
}

/** The aligned form of an assigner; undefined for those that have none. */
export function alignedWindows(assigner: AssignerSpec): AlignedWindows | undefined {
  switch (assigner.kind) {
    case 'tumbling':
      return { sizeMs: assigner.sizeMs, slideMs: assigner.sizeMs, offsetMs: assigner.offsetMs }
    case 'sliding':
      return { sizeMs: assigner.sizeMs, slideMs: assigner.slideMs, offsetMs: assigner.offsetMs }
    default:
      return undefined
  }
}

/** The one window of the global assigner. */
export const GLOBAL_WINDOW: TimeWindow = Object.freeze({ start: -Infinity, end: Infinity })

/** The windows of a record. */
export type ListWindows = (record: unknown, timestampMs: number) => readonly TimeWindow[]

/** The listing form of an assigner whose windows do not merge. */
export function listedWindows(assigner: AssignerSpec): ListWindows {
  if (assigner.kind === 'global') {
    const windows = Object.freeze([GLOBAL_WINDOW])
    return () => windows
  }
  if (assigner.kind === 'custom') return customWindows(assigner.assigner)
  if (assigner.kind === 'calendar') {
    const calendar = new CalendarAssigner(assigner.calendar)
    return (_record, timestampMs) => [calendar.windowOf(timestampMs)]
  }
  throw new StreamError('INTERNAL_ERROR', `the windows of ${assigner.kind} are not listed; this is a bug in Millrace`)
}

/** The windows by a user's function, checked. Throws USER_FUNCTION_RESULT for what is no window. */
export function customWindows(custom: CustomAssigner): ListWindows {
  const assign = custom.assign.bind(custom) as ListWindows
  return (record, timestampMs) => {
    const windows: unknown = assign(record, timestampMs)
    if (!Array.isArray(windows)) failWindow(windows)
    for (const window of windows) checkWindow(window)
    return windows
  }
}

/** Throws USER_FUNCTION_RESULT unless the value has a start before its end. */
export function checkWindow(window: unknown): void {
  const { start, end } = (window ?? {}) as Partial<TimeWindow>
  if (typeof start === 'number' && typeof end === 'number' && start < end) return
  failWindow(window)
}

function failWindow(found: unknown): never {
  throw new StreamError(
    'USER_FUNCTION_RESULT',
    `the assigner returned ${preview(found)}; return a list of windows { start, end } with start < end, [] for none`,
  )
}
