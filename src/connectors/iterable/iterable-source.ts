// A source that reads an iterable: synchronous ones as it is asked, asynchronous ones ahead into a bounded buffer. One split.
// The position is the number of records read; resuming skips that many of the iterable given then.
import { assert } from '../../base/assert.ts'
import { Deque } from '../../base/deque.ts'
import { errorText, StreamError } from '../../base/errors.ts'
import type {
  ReaderContext,
  ReadStatus,
  Source,
  SourceOutput,
  SourceSpec,
  Split,
  SplitReader,
} from '../../model/connector.ts'
import { ConnectorOptions } from '../options.ts'

type AnyIterable = Iterable<unknown> | AsyncIterable<unknown>

/** How many records of an asynchronous iterable are read ahead of the job. */
export const PREFETCH_RECORDS_MAX = 256

/**
 * Makes the source `iterable` of `iterable` (read as given; an iterator can be read once) or `factory` (called for each reader);
 * throws OPTION_INVALID. Its reader fails with SOURCE_FAILED, after the records before, when the iterator throws or rejects.
 */
export function iterableSource(spec: SourceSpec): Source<unknown, number> {
  const options = new ConnectorOptions(spec, ['iterable', 'factory'])
  const factory = options.optionalCallable<() => unknown>('factory')
  const given = options.raw('iterable')
  if ((factory === undefined) === (given === undefined)) throw options.invalid('iterable', 'either iterable or factory')
  if (factory === undefined && !isIterable(given)) throw options.invalid('iterable', 'an iterable or async iterable')
  return {
    splits: () => [{ id: 'iterable', position: 0 }],
    open(split: Split<number>, context: ReaderContext) {
      const iterable = factory === undefined ? given : callFactory(spec.description, factory)
      if (!isIterable(iterable))
        throw options.invalid('factory', 'a function that returns an iterable or async iterable')
      if (usedUp.has(iterable)) throw usedUpError(spec.description, split.position)
      const reader = openReader(spec.description, iterable, split.position, context)
      if (reader.reads(iterable) || isStream(iterable)) usedUp.add(iterable)
      return reader
    },
  }
}

// A source is made anew when its job is restarted, and what was read of an iterable stays read: so this is kept beside the iterable itself.
const usedUp = new WeakSet<object>()

// An array or a set begins anew each time; what is its own iterator does not, nor do the streams of Node and of the web.
function isStream(iterable: AnyIterable): boolean {
  return 'destroyed' in iterable || 'locked' in iterable
}

function isIterable(value: unknown): value is AnyIterable {
  if (value === null || value === undefined) return false
  const candidate = value as { readonly [Symbol.iterator]?: unknown; readonly [Symbol.asyncIterator]?: unknown }
  return typeof candidate[Symbol.asyncIterator] === 'function' || typeof candidate[Symbol.iterator] === 'function'
}

function callFactory(description: string, factory: () => unknown): unknown {
  try {
    return factory()
  } catch (error) {
    throw failed(description, { recordsRead: 0, error })
  }
}

function usedUpError(description: string, position: number): StreamError {
  const what = position === 0 ? 'its records' : `its records after the first ${position}`
  return new StreamError(
    'SOURCE_FAILED',
    `${description}: the iterable was read before and can be read once, so ${what} cannot be replayed; pass a function, from(() => iterable), so that each run and each restart gets its own`,
  )
}

function failed(description: string, { recordsRead, error }: { recordsRead: number; error: unknown }): StreamError {
  if (error instanceof StreamError) return error
  return new StreamError(
    'SOURCE_FAILED',
    `${description}: the iterable failed after ${recordsRead} records: ${errorText(error)}`,
    {
      cause: error,
    },
  )
}

function openReader(description: string, iterable: AnyIterable, position: number, context: ReaderContext) {
  assert(Number.isInteger(position) && position >= 0, `the position of an iterable is a count, found ${position}`)
  try {
    if (Symbol.asyncIterator in Object(iterable)) {
      const iterator = (iterable as AsyncIterable<unknown>)[Symbol.asyncIterator]()
      return new AsyncIterableReader(description, iterator, position, context)
    }
    return new IterableReader(description, (iterable as Iterable<unknown>)[Symbol.iterator](), position)
  } catch (error) {
    throw failed(description, { recordsRead: 0, error })
  }
}

class IterableReader implements SplitReader<unknown, number> {
  private readonly description: string
  private readonly iterator: Iterator<unknown>
  private recordsRead = 0
  private skipUntil: number
  private isDone = false

  constructor(description: string, iterator: Iterator<unknown>, position: number) {
    this.description = description
    this.iterator = iterator
    this.skipUntil = position
  }

  reads(iterable: unknown): boolean {
    return iterable === this.iterator
  }

  read(output: SourceOutput<unknown>): ReadStatus {
    for (;;) {
      const result = this.next()
      if (result.done === true) return 'end'
      this.recordsRead++
      if (this.recordsRead <= this.skipUntil) continue
      if (!output.emit(result.value)) return 'more'
    }
  }

  position(): number {
    return Math.max(this.recordsRead, this.skipUntil)
  }

  close(): void {
    if (this.isDone) return
    this.isDone = true
    try {
      this.iterator.return?.()
    } catch (error) {
      throw failed(this.description, { recordsRead: this.recordsRead, error })
    }
  }

  private next(): IteratorResult<unknown> {
    try {
      const result = this.iterator.next()
      if (result.done === true) this.isDone = true
      return result
    } catch (error) {
      this.isDone = true
      throw failed(this.description, { recordsRead: this.recordsRead, error })
    }
  }
}

// running: the iterator has more; done: it ended or failed; closed: nobody wants more.
type PumpState = 'running' | 'done' | 'closed'

class AsyncIterableReader implements SplitReader<unknown, number> {
  private readonly description: string
  private readonly iterator: AsyncIterator<unknown>
  private readonly context: ReaderContext
  private readonly buffer = new Deque<{ readonly record: unknown }>()
  private state: PumpState = 'running'
  private isPumping = false
  private isReaderWaiting = false
  private failure: StreamError | undefined
  private recordsRead = 0
  private recordsEmitted: number
  private readonly skipUntil: number

  constructor(description: string, iterator: AsyncIterator<unknown>, position: number, context: ReaderContext) {
    this.description = description
    this.iterator = iterator
    this.context = context
    this.skipUntil = position
    this.recordsEmitted = position
  }

  reads(iterable: unknown): boolean {
    return iterable === this.iterator
  }

  read(output: SourceOutput<unknown>): ReadStatus {
    for (let next = this.buffer.shift(); next !== undefined; next = this.buffer.shift()) {
      this.recordsEmitted++
      if (!output.emit(next.record)) {
        this.pumpOn()
        return 'more'
      }
    }
    if (this.failure !== undefined) throw this.failure
    if (this.state !== 'running') return 'end'
    this.isReaderWaiting = true
    this.pumpOn()
    return 'waiting'
  }

  position(): number {
    return this.recordsEmitted
  }

  async close(): Promise<void> {
    if (this.state !== 'running') return
    this.state = 'closed'
    this.buffer.clear()
    // A generator that awaits something answers return() only after that, which may be never: closing does not wait for it.
    const isAwaited = !this.isPumping
    const returned = this.callReturn()
    if (isAwaited) return returned
    returned.catch(error => {
      this.context.logger.log('warn', `${this.description}: the iterable failed while closing`, {
        error: errorText(error),
      })
    })
  }

  private async callReturn(): Promise<void> {
    try {
      await this.iterator.return?.()
    } catch (error) {
      throw failed(this.description, { recordsRead: this.recordsRead, error })
    }
  }

  private pumpOn(): void {
    // Half empty at least: starting and stopping the pump costs more than a record.
    if (this.isPumping || this.state !== 'running' || this.buffer.length > PREFETCH_RECORDS_MAX / 2) return
    this.isPumping = true
    void this.pump()
  }

  private async pump(): Promise<void> {
    try {
      while (this.state === 'running' && this.buffer.length < PREFETCH_RECORDS_MAX) {
        const result = await this.iterator.next()
        // Nobody asked for what arrives after close.
        if (this.isClosed()) break
        if (result.done === true) {
          this.state = 'done'
          break
        }
        this.recordsRead++
        if (this.recordsRead <= this.skipUntil) continue
        this.buffer.push({ record: result.value })
        this.wakeReader()
      }
    } catch (error) {
      if (this.isClosed()) return
      this.state = 'done'
      this.failure = failed(this.description, { recordsRead: this.recordsRead, error })
    } finally {
      this.isPumping = false
    }
    if (!this.isClosed()) this.wakeReader()
  }

  // A method, because the compiler does not expect the state to change during an await.
  private isClosed(): boolean {
    return this.state === 'closed'
  }

  private wakeReader(): void {
    if (!this.isReaderWaiting) return
    this.isReaderWaiting = false
    this.context.wake()
  }
}
