// A source for simulated jobs: fixed records in fixed splits, which any subtask can read from any position, a few each millisecond of
// virtual time.
import type { ReaderContext, ReadStatus, Source, SourceOutput, SplitReader } from '../../model/connector.ts'

/** A record with its event time in epoch ms. */
export interface PacedRecord<T> {
  readonly value: T
  readonly timestamp: number
}

/** What a paced source gives. */
export interface PacedOptions {
  /** Records of one split in one millisecond; 2 unless given. */
  readonly recordsPerMs?: number
}

/**
 * A source of the given splits that can be read again from anywhere, slowly enough for checkpoints to fall between its records.
 * @example
 * ```ts
 * import { environment } from 'millrace'
 * import { pacedSource } from 'millrace/testing'
 * const env = environment()
 * const source = pacedSource([[{ value: 'a', timestamp: 1 }], [{ value: 'b', timestamp: 2 }]])
 * const read = env.addSource(source, { isBounded: true, hasTimestamps: true })
 * console.log((await read.executeAndCollect()).toSorted())
 * ```
 */
export function pacedSource<T>(
  splits: readonly (readonly PacedRecord<T>[])[],
  options: PacedOptions = {},
): Source<T, number> {
  const { recordsPerMs = 2 } = options
  return {
    splits: () => splits.map((_, index) => ({ id: String(index), position: 0 })),
    open: ({ id, position }, context) =>
      new PacedReader(splits[Number(id)] as readonly PacedRecord<T>[], { position, recordsPerMs, context }),
  }
}

interface PacedReaderInit {
  readonly position: number
  readonly recordsPerMs: number
  readonly context: ReaderContext
}

class PacedReader<T> implements SplitReader<T, number> {
  wakeAtMs: number | undefined
  private readonly records: readonly PacedRecord<T>[]
  private readonly recordsPerMs: number
  private readonly context: ReaderContext
  private next: number
  private leftNow = 0

  constructor(records: readonly PacedRecord<T>[], { position, recordsPerMs, context }: PacedReaderInit) {
    this.records = records
    this.next = position
    this.recordsPerMs = recordsPerMs
    this.context = context
  }

  read(output: SourceOutput<T>): ReadStatus {
    const nowMs = this.context.clock.now()
    if (this.wakeAtMs === undefined || nowMs >= this.wakeAtMs) {
      this.wakeAtMs = nowMs + 1
      this.leftNow = this.recordsPerMs
    }
    while (this.next < this.records.length && this.leftNow > 0) {
      const { value, timestamp } = this.records[this.next++] as PacedRecord<T>
      this.leftNow--
      if (!output.emit(value, timestamp)) break
    }
    if (this.next === this.records.length) return 'end'
    return this.leftNow > 0 ? 'more' : 'waiting'
  }

  position(): number {
    return this.next
  }

  close(): void {}
}
