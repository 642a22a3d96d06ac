// What perRecordWindow() is told, and what becomes of it as data.
import { preview } from '../../base/errors.ts'
import type { PerRecordEmit, PerRecordWindowSpec } from '../../model/per-record-window-spec.ts'
import { optionInvalid, requireWhole } from './arguments.ts'
import { WINDOW_RECORDS_MAX } from './mixed-window-options.ts'

/** How windows of `perRecordWindow()` are cut, and when they emit. */
export interface PerRecordWindowOptions {
  /** The greatest difference between the timestamps of two records in a window, in whole milliseconds from 0. */
  readonly timeDifferenceMs: number
  /** How long after its end, in stream time, a window still takes records; 0 unless given. */
  readonly graceMs?: number
  /**
   * `on-update` (unless given): after each record, the results of all windows it changed. `on-close`: one result for each window, when stream time has
   * passed its end by more than the grace, or at the end of input.
   */
  readonly emit?: PerRecordEmit
  /** Records that may be kept for one key; more are WINDOW_OVERFLOW. 1,000,000 unless given. */
  readonly recordsMax?: number
}

/** A per-record windowing that still lacks its function. */
export interface PerRecordWindowing {
  /** For step names: `per-record-window(5000)`. */
  readonly label: string
  readonly spec: Omit<PerRecordWindowSpec, 'aggregate'>
}

/** The windowing of the options. OPTION_INVALID for times that are not whole or negative, and another way to emit. */
export function perRecordWindowing(options: PerRecordWindowOptions): PerRecordWindowing {
  const call = 'perRecordWindow()'
  if (typeof options !== 'object' || options === null) {
    throw optionInvalid(call, `expected options with timeDifferenceMs, got ${preview(options)}`)
  }
  const { timeDifferenceMs, graceMs = 0, emit = 'on-update', recordsMax = WINDOW_RECORDS_MAX } = options
  requireWhole(call, 'timeDifferenceMs', timeDifferenceMs, { min: 0 })
  requireWhole(call, 'graceMs', graceMs, { min: 0 })
  requireWhole(call, 'recordsMax', recordsMax, { min: 1 })
  if (emit !== 'on-update' && emit !== 'on-close') {
    throw optionInvalid(call, `emit is ${preview(emit)}; give 'on-update' or 'on-close'`)
  }
  return { label: `per-record-window(${timeDifferenceMs})`, spec: { timeDifferenceMs, graceMs, emit, recordsMax } }
}
