// Record path. Which windows a timestamp belongs to, for windows aligned to the epoch plus an offset.
import type { TimeWindow } from '../model/functions.ts'
import type { AssignerSpec } from '../model/window-spec.ts'

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

/** The aligned form of a time window assigner; undefined for the global one. */
export function alignedWindows(assigner: AssignerSpec): AlignedWindows | undefined {
  switch (assigner.kind) {
    case 'tumbling':
      return { sizeMs: assigner.sizeMs, slideMs: assigner.sizeMs, offsetMs: assigner.offsetMs }
    case 'sliding':
      return { sizeMs: assigner.sizeMs, slideMs: assigner.slideMs, offsetMs: assigner.offsetMs }
    case 'global':
      return undefined
  }
}

/** The one window of the global assigner. */
export const GLOBAL_WINDOW: TimeWindow = Object.freeze({ start: -Infinity, end: Infinity })
