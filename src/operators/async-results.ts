// Record path (bench/micro/async-calls.ts). The records that asynchronous calls were made for, in the order in which their results
// go on. Watermarks cut them into segments: a segment is over when all its results went on, and only then the watermark behind it does.
import { Deque } from '../base/deque.ts'
import type { AsyncOrder } from '../model/async-spec.ts'
import type { CancelSignal } from '../model/cancel-signal.ts'

/** One record and the calls made for it. */
export class AsyncCall {
  readonly record: unknown
  /** Epoch ms, or NO_TIMESTAMP. */
  readonly timestamp: number
  readonly isRetraction: boolean
  /** Which record of the subtask it is, from 1. */
  readonly recordNumber: number
  /** `calling`: a call is under way; `pausing`: until the next call; `done`: the result is there. */
  state: 'calling' | 'pausing' | 'done' = 'calling'
  attempt = 0
  /** When its time is over; Infinity for never. */
  timeoutMs = Infinity
  /** When the next call is made, while it is pausing. */
  retryMs = Infinity
  result: unknown = undefined
  signal: AttemptSignal | undefined
  segment: Segment | undefined

  constructor(record: unknown, timestamp: number, isRetraction: boolean, recordNumber: number) {
    this.record = record
    this.timestamp = timestamp
    this.isRetraction = isRetraction
    this.recordNumber = recordNumber
  }
}

/** Tells the call of one attempt that nobody waits for it any more. */
export class AttemptSignal implements CancelSignal {
  aborted = false
  private listeners: (() => void)[] | undefined

  addEventListener(_type: 'abort', listener: () => void): void {
    this.listeners ??= []
    if (!this.listeners.includes(listener)) this.listeners.push(listener)
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.listeners = this.listeners?.filter(other => other !== listener)
  }

  /** Calls all listeners, once. */
  abort(): void {
    if (this.aborted) return
    this.aborted = true
    const { listeners = [] } = this
    this.listeners = undefined
    for (const listener of listeners) listener()
  }
}

/** The calls between two watermarks. */
interface Segment {
  /** In the order in which they go on: of arrival (ordered), of completion (unordered; only those that are done). */
  readonly calls: Deque<AsyncCall>
  /** Calls whose results have not gone on. */
  pending: number
  /** The watermark before them. */
  watermark: number
}

/** The calls of one subtask. */
export class AsyncResults {
  private readonly order: AsyncOrder
  private readonly segments = new Deque<Segment>()
  private first: Segment
  private last: Segment
  private held = 0

  constructor(order: AsyncOrder) {
    this.order = order
    this.first = { calls: new Deque(), pending: 0, watermark: -Infinity }
    this.last = this.first
  }

  /** Calls whose results have not gone on. */
  get size(): number {
    return this.held
  }

  /** True when neither results nor watermarks wait. */
  get isEmpty(): boolean {
    return this.held === 0 && this.first === this.last
  }

  /** The newest watermark that no call waits before. */
  get watermark(): number {
    return this.first.watermark
  }

  /** Adds a call behind all others. */
  add(call: AsyncCall): void {
    call.segment = this.last
    this.last.pending++
    this.held++
    if (this.order === 'ordered') this.last.calls.push(call)
  }

  /** The call is done: its result may go on when its turn comes. */
  complete(call: AsyncCall): void {
    if (this.order === 'unordered') (call.segment as Segment).calls.push(call)
  }

  /** Takes out the next call whose result may go on now; undefined when there is none before the next watermark. */
  next(): AsyncCall | undefined {
    const { first } = this
    const call = first.calls.peek()
    if (call === undefined || call.state !== 'done') return undefined
    first.calls.shift()
    first.pending--
    this.held--
    return call
  }

  /** A watermark came behind all calls so far. Without a call between two watermarks only the later counts. */
  addWatermark(watermark: number): void {
    if (this.last.pending === 0) {
      this.last.watermark = watermark
      return
    }
    this.last = { calls: new Deque(), pending: 0, watermark }
    this.segments.push(this.last)
  }

  /** Moves on to the next segment if the first is over; true when `watermark` moved by it. */
  passWatermark(): boolean {
    if (this.first === this.last || this.first.pending > 0) return false
    this.first = this.segments.shift() as Segment
    return true
  }
}
