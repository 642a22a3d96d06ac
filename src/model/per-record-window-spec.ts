// Kafka Streams' sliding windows (KIP-450) as data: windows that begin and end at records, in stream time. The window folder gives them behaviour.
import type { AggregateFunction, TimeWindow } from './functions.ts'

/** A result with the key and the window that it belongs to. */
export interface WindowedResult<K, R> {
  readonly key: K
  /** [start, end) in epoch ms. */
  readonly window: TimeWindow
  readonly value: R
}

/**
 * When results of per-record windows leave: `on-update`, after each record, those of all windows it changed; `on-close`, one for each window, when
 * stream time has passed its end by more than the grace.
 */
export type PerRecordEmit = 'on-update' | 'on-close'

/** Everything the per-record window operator needs to know. */
export interface PerRecordWindowSpec {
  /** The greatest difference between two timestamps in a window; windows are [start, start + difference], both inclusive. */
  readonly timeDifferenceMs: number
  /** How long after its end, in stream time, a window takes records. */
  readonly graceMs: number
  readonly emit: PerRecordEmit
  /** Records kept for one key. */
  readonly recordsMax: number
  /** The id of the side output that takes late records; without it they are counted as dropped. */
  readonly lateOutputTag?: string
  readonly aggregate: AggregateFunction<never, unknown, unknown>
}

/** A per-record windowing in words, for plans. */
export function perRecordWindowText({ timeDifferenceMs, graceMs, emit }: PerRecordWindowSpec): string {
  const grace = graceMs > 0 ? `, grace ${graceMs} ms` : ''
  return `per-record window ${timeDifferenceMs} ms of stream time, ${emit.replace('-', ' ')}${grace}`
}
