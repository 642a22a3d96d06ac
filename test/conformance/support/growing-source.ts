// A source whose splits hold more in a later run of the job than in the one before: it stops at a limit without ending, so that a savepoint
// can be taken of all that came of it, and goes on from there under a higher limit.
import type { ReadStatus, Source, SourceOutput, SplitReader } from '../../../src/model/connector.ts'

/** What there is to read. */
export interface GrowingInit<T> {
  readonly splits: number
  /** The record at a place of a split, both from 0. */
  readonly record: (split: number, index: number) => T
  readonly timestamp?: (record: T) => number
  /** Records of each split that are there. */
  readonly count: number
  /** Whether a split ends there, or more might come. */
  readonly hasEnd: boolean
}

/** A source of as many splits as are asked for. */
export function growingSource<T>(init: GrowingInit<T>): Source<T, number> {
  return {
    splits: () => Array.from({ length: init.splits }, (_, split) => ({ id: String(split), position: 0 })),
    open: ({ id, position }) => new GrowingReader(init, Number(id), position),
  }
}

class GrowingReader<T> implements SplitReader<T, number> {
  private readonly init: GrowingInit<T>
  private readonly split: number
  private next: number

  constructor(init: GrowingInit<T>, split: number, position: number) {
    this.init = init
    this.split = split
    this.next = position
  }

  read(output: SourceOutput<T>): ReadStatus {
    const { record, timestamp, count, hasEnd } = this.init
    while (this.next < count) {
      const value = record(this.split, this.next++)
      if (!output.emit(value, timestamp?.(value))) break
    }
    if (this.next < count) return 'more'
    return hasEnd ? 'end' : 'waiting'
  }

  position(): number {
    return this.next
  }

  close(): void {}
}
