// The sources of the workloads, written against the public contract of sources: each subtask reads one split, whose position says from where
// to go on after a failure. Record i of a split has the time i * splits, in ms or parts of it, so that the splits advance together.
import type { ReadStatus, Source, SourceOptions, SourceOutput, Split, SplitReader } from 'millrace'
import { forMonotonousTimestamps } from 'millrace'
import { EVENT_POOL, EVENTS_PER_MS, eventTimeWriter, FIRST_EVENT_MS, makeAdEvents } from './ad-events.ts'
import { LINE_POOL, nextState, pick, SPLIT_SHIFT } from './workloads.ts'

/** A record of W3: the sum of `value` is kept by `key`. */
export interface Reading {
  readonly key: number
  readonly value: number
}

/** A record of W5: `dueMs` is when it was to be created, on the clock of epochNow(). */
export interface DueReading extends Reading {
  readonly dueMs: number
}

/** Event time and watermarks for a source that has an end and gives timestamps in order. */
export function timedInput<T>(): SourceOptions<T> {
  return { isBounded: true, hasTimestamps: true, watermarks: forMonotonousTimestamps<T>() }
}

/** Milliseconds since the epoch with parts of them, the same on all threads. */
export function epochNow(): number {
  return performance.timeOrigin + performance.now()
}

/** A reader by the index of its next record. */
interface IndexedInit<T> {
  readonly start: number
  readonly end: number
  readonly recordAt: (index: number) => T
  /** Undefined: the source does not know the times of its records. */
  readonly timestampAt?: (index: number) => number
}

class IndexedReader<T> implements SplitReader<T, number> {
  private readonly init: IndexedInit<T>
  private index: number

  constructor(init: IndexedInit<T>) {
    this.init = init
    this.index = init.start
  }

  read(output: SourceOutput<T>): ReadStatus {
    const { end, recordAt, timestampAt } = this.init
    while (this.index < end) {
      const index = this.index++
      if (!output.emit(recordAt(index), timestampAt?.(index))) return 'more'
    }
    return 'end'
  }

  position(): number {
    return this.index
  }

  close(): void {}
}

/** A split for each subtask, from position 0; its id is `index/splits`. */
function evenSplits<P>(splits: number, position: (index: number) => P): Split<P>[] {
  return Array.from({ length: splits }, (_, index) => ({ id: `${index}/${splits}`, position: position(index) }))
}

function splitOf({ id }: Split): { readonly index: number; readonly splits: number } {
  const [index, splits] = id.split('/').map(Number)
  return { index: index as number, splits: splits as number }
}

/** The lines of W1 and W2, so many over all splits: line i of a split has the timestamp i * splits ms. */
export function lineSource(lines: readonly string[], count: number): Source<string, number> {
  return {
    splits: parallelism => evenSplits(parallelism, () => 0),
    open: split => {
      const { index, splits } = splitOf(split)
      const shift = index * SPLIT_SHIFT
      return new IndexedReader({
        start: split.position,
        end: count / splits,
        recordAt: i => lines[(i + shift) & (LINE_POOL - 1)] as string,
        timestampAt: i => i * splits,
      })
    },
  }
}

/** The events of W4 as bytes, ten in a ms of event time. A record is valid until the next lap of the pool writes into its bytes. */
export function adEventSource(count: number): Source<Buffer, number> {
  return {
    splits: parallelism => evenSplits(parallelism, () => 0),
    open: split => {
      const { index, splits } = splitOf(split)
      const events = makeAdEvents(index)
      const writeTime = eventTimeWriter()
      return new IndexedReader({
        start: split.position,
        end: count / splits,
        recordAt: i => {
          const event = events[i % EVENT_POOL] as Buffer
          writeTime(event, FIRST_EVENT_MS + Math.floor((i * splits) / EVENTS_PER_MS))
          return event
        },
      })
    },
  }
}

/** Where a split of random keys is: how many records it gave, and the state of its generator behind them. */
interface RandomPosition {
  readonly index: number
  readonly state: number
}

/** The readings of W3, with random keys: reading i of a split has the timestamp i * splits ms. */
export function readingSource(keys: number, count: number): Source<Reading, RandomPosition> {
  return {
    splits: parallelism => evenSplits(parallelism, index => ({ index: 0, state: index + 1 })),
    open: split => {
      const { splits } = splitOf(split)
      let { state } = split.position
      const reader = new IndexedReader<Reading>({
        start: split.position.index,
        end: count / splits,
        recordAt: () => {
          state = nextState(state)
          return { key: pick(state, keys), value: 1 }
        },
        timestampAt: i => i * splits,
      })
      return {
        read: output => reader.read(output),
        position: () => ({ index: reader.position(), state }),
        close: () => {},
      }
    },
  }
}

/**
 * The readings of W5, at a rate over all splits. Each is due at a time that is fixed when the split is opened, however long it takes to get it
 * out: what comes late carries the time at which it was due, so that waiting counts as latency (no coordinated omission).
 */
export function pacedReadingSource(
  keys: number,
  { count, recordsPerSecond }: { readonly count: number; readonly recordsPerSecond: number },
): Source<DueReading, RandomPosition> {
  return {
    splits: parallelism => evenSplits(parallelism, index => ({ index: 0, state: index + 1 })),
    open: (split, { clock }) => {
      const { splits } = splitOf(split)
      const intervalMs = (1000 * splits) / recordsPerSecond
      const end = count / splits
      let { index, state } = split.position
      const startMs = epochNow() - index * intervalMs
      let wakeAtMs = 0
      return {
        read(output) {
          const dueEnd = Math.min(end, Math.floor((epochNow() - startMs) / intervalMs) + 1)
          while (index < dueEnd) {
            state = nextState(state)
            const dueMs = startMs + index * intervalMs
            index++
            if (!output.emit({ key: pick(state, keys), value: 1, dueMs }, dueMs)) return 'more'
          }
          if (index >= end) return 'end'
          // Timers have whole milliseconds.
          wakeAtMs = clock.now() + 1
          return 'waiting'
        },
        get wakeAtMs() {
          return wakeAtMs
        },
        position: () => ({ index, state }),
        close: () => {},
      }
    },
  }
}
