// A source of records made by a function of their index, at full speed or at a steady rate. On the record path.
// Time comes from the clock port only: a paced reader emits what is due and says when it wants to be read again.
import { assert } from '../../base/assert.ts'
import type { Clock } from '../../base/clock.ts'
import { errorText, preview, StreamError } from '../../base/errors.ts'
import type { ReadStatus, Source, SourceOutput, SourceSpec, Split, SplitReader } from '../../model/connector.ts'
import { ConnectorOptions } from '../options.ts'

/** What a generator source does, with its options checked. */
interface GeneratorOptions {
  readonly description: string
  readonly generate: (index: number) => unknown
  readonly timestamp: ((record: unknown, index: number) => number) | undefined
  /** Undefined: without end. */
  readonly count: number | undefined
  /** Over all splits; undefined: as fast as it is read. */
  readonly recordsPerSecond: number | undefined
}

/** The indices of a split: from `first` by `step` up to but not including `end`. */
interface IndexRange {
  readonly first: number
  readonly step: number
  readonly end: number
  /** Over how many splits the source was cut, which share its rate. */
  readonly splitCount: number
}

/**
 * Makes the source `generator` of `generate`, `count`, `recordsPerSecond` and `timestamp`; throws OPTION_INVALID.
 * With a count the splits are contiguous ranges of indices; without one, split i of n takes i, i+n, i+2n and so on.
 * With a rate the k-th record of a split is due k intervals after it was opened; what is late is emitted at once.
 * A position is the next index, and a split's id tells its whole range, so that it can be resumed at any parallelism.
 */
export function generatorSource(spec: SourceSpec): Source<unknown, number> {
  const options = generatorOptions(spec)
  return {
    splits: parallelism => cut(options.count, parallelism),
    open: (split, context) => new GeneratorReader(options, split, context.clock),
  }
}

function generatorOptions(spec: SourceSpec): GeneratorOptions {
  const options = new ConnectorOptions(spec, ['generate', 'count', 'recordsPerSecond', 'timestamp'])
  const recordsPerSecond = options.raw('recordsPerSecond')
  if (recordsPerSecond !== undefined && !isRate(recordsPerSecond)) {
    throw options.invalid('recordsPerSecond', 'a finite number above 0')
  }
  const isCounted = options.raw('count') !== undefined
  return {
    description: spec.description,
    generate: options.callable('generate'),
    timestamp: options.optionalCallable('timestamp'),
    count: isCounted ? options.wholeNumber('count', { min: 0, max: Number.MAX_SAFE_INTEGER }) : undefined,
    recordsPerSecond,
  }
}

function isRate(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0
}

function cut(count: number | undefined, splitCount: number): Split<number>[] {
  return Array.from({ length: splitCount }, (_, index) => {
    const first = count === undefined ? index : rangeStart(count, splitCount, index)
    const last = count === undefined ? `+${splitCount}` : `..${rangeStart(count, splitCount, index + 1)}`
    return { id: `${first}${last}/${splitCount}`, position: first }
  })
}

// The first ranges are longer by one where the count does not divide evenly.
function rangeStart(count: number, splitCount: number, index: number): number {
  return index * Math.floor(count / splitCount) + Math.min(index, count % splitCount)
}

const SPLIT_ID = /^(\d+)(?:\.\.(\d+)|\+(\d+))\/(\d+)$/

function rangeOf(splitId: string): IndexRange {
  const [isMatch, first, end, step, splitCount] = SPLIT_ID.exec(splitId) ?? []
  assert(isMatch !== undefined, `"${splitId}" is the id of a generator's split`)
  return {
    first: Number(first),
    step: step === undefined ? 1 : Number(step),
    end: end === undefined ? Number.MAX_SAFE_INTEGER : Number(end),
    splitCount: Number(splitCount),
  }
}

class GeneratorReader implements SplitReader<unknown, number> {
  wakeAtMs: number | undefined = undefined
  private readonly options: GeneratorOptions
  private readonly clock: Clock
  private readonly step: number
  private readonly end: number
  private readonly startIndex: number
  private readonly startedAtMs: number
  /** The time between two records of this split; 0 without a rate. */
  private readonly intervalMs: number
  private index: number

  constructor(options: GeneratorOptions, split: Split<number>, clock: Clock) {
    const range = rangeOf(split.id)
    assert(split.position >= range.first, `position ${split.position} is not before split ${split.id}`)
    this.options = options
    this.clock = clock
    this.step = range.step
    this.end = range.end
    this.startIndex = split.position
    this.index = split.position
    const { recordsPerSecond } = options
    this.intervalMs = recordsPerSecond === undefined ? 0 : (1000 * range.splitCount) / recordsPerSecond
    this.startedAtMs = clock.monotonicMs()
  }

  read(output: SourceOutput<unknown>): ReadStatus {
    const dueEnd = this.intervalMs === 0 ? this.end : Math.min(this.end, this.dueIndex())
    const isFirst = this.index === this.startIndex && this.index < dueEnd
    let hasRoom = isFirst ? this.emitFirst(output) : true
    if (hasRoom)
      hasRoom = this.options.timestamp === undefined ? this.run(output, dueEnd) : this.runTimed(output, dueEnd)
    if (this.index >= this.end) return 'end'
    if (this.index < dueEnd || !hasRoom || this.intervalMs === 0) return 'more'
    this.wakeAtMs = this.nextDueMs()
    return 'waiting'
  }

  position(): number {
    return this.index
  }

  close(): void {}

  // The tight loop of the benchmarks: nothing here but what each record needs. False: the output is full.
  private run(output: SourceOutput<unknown>, end: number): boolean {
    const { step } = this
    const { generate } = this.options
    let index = this.index
    let begun = index
    try {
      while (index < end) {
        begun = index
        const record = generate(index)
        index += step
        if (!output.emit(record)) return false
      }
      return true
    } catch (error) {
      // What `emit` throws comes from the steps behind this source; the index tells it from a failure of `generate`.
      throw begun === index ? this.failure('generate', index, error) : error
    } finally {
      this.index = index
    }
  }

  private runTimed(output: SourceOutput<unknown>, end: number): boolean {
    const { step } = this
    const { generate } = this.options
    let index = this.index
    let begun = index
    try {
      while (index < end) {
        begun = index
        const record = generate(index)
        const timestampMs = this.timestampOf(record, index)
        index += step
        if (!output.emit(record, timestampMs)) return false
      }
      return true
    } catch (error) {
      throw begun === index ? this.failure('generate', index, error) : error
    } finally {
      this.index = index
    }
  }

  private timestampOf(record: unknown, index: number): number {
    const { description, timestamp } = this.options
    let timestampMs: number
    try {
      timestampMs = (timestamp as NonNullable<typeof timestamp>)(record, index)
    } catch (error) {
      throw this.failure('timestamp', index, error)
    }
    if (Number.isFinite(timestampMs)) return timestampMs
    throw new StreamError(
      'TIMESTAMP_INVALID',
      `${description}: timestamp() of record ${index} returned ${preview(timestampMs)}; return finite epoch milliseconds`,
    )
  }

  // Only the first record is checked for being a promise: a check per record would cost every job.
  private emitFirst(output: SourceOutput<unknown>): boolean {
    const { index } = this
    const { description, generate, timestamp } = this.options
    let record: unknown
    try {
      record = generate(index)
    } catch (error) {
      throw this.failure('generate', index, error)
    }
    if (record instanceof Promise) {
      throw new StreamError(
        'USER_FUNCTION_ASYNC',
        `${description}: generate() of record ${index} returned a promise; return the record itself, or read an async iterable with from()`,
      )
    }
    const timestampMs = timestamp === undefined ? undefined : this.timestampOf(record, index)
    this.index = index + this.step
    return output.emit(record, timestampMs)
  }

  private failure(what: 'generate' | 'timestamp', index: number, error: unknown): StreamError {
    if (error instanceof StreamError) return error
    const { description } = this.options
    return new StreamError(
      'USER_FUNCTION_FAILED',
      `${description}: ${what}() of record ${index} threw: ${errorText(error)}`,
      {
        cause: error,
      },
    )
  }

  /** The index at which the records that are not due yet begin. */
  private dueIndex(): number {
    const elapsedMs = this.clock.monotonicMs() - this.startedAtMs
    return this.startIndex + (Math.floor(elapsedMs / this.intervalMs) + 1) * this.step
  }

  private nextDueMs(): number {
    const emitted = (this.index - this.startIndex) / this.step
    const remainingMs = this.startedAtMs + emitted * this.intervalMs - this.clock.monotonicMs()
    // At least one ms ahead, so that rounding cannot make the reader ask again for the same moment.
    return this.clock.now() + Math.max(1, Math.ceil(remainingMs))
  }
}
