// What a query is to those who run and check it: a job over the stream of events, and what remains of its output in the end.
import type { DataStream, StreamEnvironment } from 'millrace'
import type { NexmarkEvent } from './events.ts'

/** A query of Nexmark. */
export interface NexmarkQuery<O = unknown> {
  readonly id: string
  readonly title: string
  /** The query in the public API; the environment is for sources of its own. */
  build(events: DataStream<NexmarkEvent>, env: StreamEnvironment): DataStream<O>
  /**
   * What the rows come to, where a row may replace or add to one before it; all rows unless given. It is this that an oracle tells.
   */
  settle?(rows: readonly O[]): readonly unknown[]
  /** Events a second of event time when the query is checked, 2,000 unless given: fewer where days and hours must pass. */
  readonly checkEventsPerSecond?: number
  /** True where the rows go to files, each as JSON, and are read from there. */
  readonly writesFiles?: boolean
}

/** For queries that update: the last row of each key. */
export function latestBy<O>(keyOf: (row: O) => unknown): (rows: readonly O[]) => readonly O[] {
  return rows => {
    const latest = new Map<string, O>()
    for (const row of rows) latest.set(JSON.stringify(keyOf(row)), row)
    return [...latest.values()]
  }
}
