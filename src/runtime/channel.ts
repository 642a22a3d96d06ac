// Record path (bench/micro/channel.ts). A bounded queue from one subtask to another of the same thread. It is full when it holds as
// many records as its capacity: the sender then gets no more room. What one record or timer emits may exceed it, up to a limit.
import { assert } from '../base/assert.ts'
import { Deque } from '../base/deque.ts'
import { StreamError } from '../base/errors.ts'
import type { Capacity } from '../operators/operator.ts'
import {
  BATCH_RECORDS_MAX,
  type Barrier,
  type Batch,
  type BatchColumns,
  type ControlElement,
  type Element,
  emptyBatch,
} from './batch.ts'

/** Records by which one record or timer may exceed a channel's capacity. */
const OVERSHOOT_RECORDS_MAX = 1_000_000

/** What a channel is made of. */
export interface ChannelInit extends BatchColumns {
  readonly name: string
  readonly capacityRecords: number
  /** The sender's: raised by one while the channel is full. A feedback channel has none: it never stops its sender. */
  readonly senderCapacity: Capacity | undefined
  /** Records beyond which the sender fails; the message says what kind of channel it is. */
  readonly overflow: () => StreamError
  readonly overflowRecords: number
}

/** One sender, one receiver, first in first out. A record counts as held until the receiver says it is consumed. */
export class Channel {
  readonly name: string
  readonly capacityRecords: number
  private readonly init: ChannelInit
  private readonly queue = new Deque<Element>()
  private open: Batch
  private held = 0
  private peak = 0
  private isFull = false
  /** How many barriers are queued. */
  private barriers = 0
  private isClosed = false

  constructor(init: ChannelInit) {
    this.init = init
    this.name = init.name
    this.capacityRecords = init.capacityRecords
    this.open = emptyBatch(init)
  }

  /** Records sent and not yet consumed. */
  get heldRecords(): number {
    return this.held
  }

  /** The most records it ever held. */
  get heldRecordsPeak(): number {
    return Math.max(this.peak, this.held)
  }

  /** Adds a record. Throws the overflow error beyond the limit; never drops. */
  append(value: unknown, timestamp: number, key: unknown, isRetraction = false): void {
    const { open } = this
    open.values.push(value)
    if (open.timestamps !== undefined) open.timestamps.push(timestamp)
    if (open.keys !== undefined) open.keys.push(key)
    if (open.retractions !== undefined) open.retractions.push(isRetraction)
    if (++this.held >= this.capacityRecords) this.onFull()
    if (open.values.length === BATCH_RECORDS_MAX) this.seal()
  }

  /** Adds a batch, as another thread sent it. */
  appendBatch(batch: Batch): void {
    this.seal()
    this.queue.push(batch)
    this.held += batch.values.length
    if (this.held >= this.capacityRecords) this.onFull()
  }

  /** Adds a control element behind the records sent so far. */
  control(element: ControlElement): void {
    assert(!this.isClosed, `channel ${this.name}: ${element.kind} after the end`)
    if (element.kind === 'end') this.isClosed = true
    this.seal()
    if (element.kind === 'barrier') this.barriers++
    this.queue.push(element)
  }

  /** True when `poll` gives something. */
  get hasElements(): boolean {
    return this.queue.length > 0 || this.open.values.length > 0
  }

  /** The first barrier that waits behind other elements, or in front; undefined when none does. */
  get queuedBarrier(): Barrier | undefined {
    if (this.barriers === 0) return undefined
    for (let at = 0; at < this.queue.length; at++) {
      const element = this.queue.at(at)
      if (element?.kind === 'barrier') return element
    }
    return undefined
  }

  /** Takes the barrier of a snapshot out of the queue; returns what was before it and stays there, or undefined when it has not been sent. */
  takeBarrier(snapshotId: number): readonly Element[] | undefined {
    if (this.barriers === 0) return undefined
    const before: Element[] = []
    for (let at = 0; at < this.queue.length; at++) {
      const element = this.queue.at(at) as Element
      if (element.kind !== 'barrier' || element.snapshotId !== snapshotId) {
        before.push(element)
        continue
      }
      this.queue.removeAt(at)
      this.barriers--
      return before
    }
    return undefined
  }

  /** The next element; a batch that is still being filled leaves as it is, so a record under low load does not wait. */
  poll(): Element | undefined {
    const next = this.queue.shift()
    if (next?.kind === 'barrier') this.barriers--
    if (next !== undefined || this.open.values.length === 0) return next
    const { open } = this
    this.open = emptyBatch(this.init)
    return open
  }

  /** Gives back the room of records that the receiver has worked off. */
  consumed(records: number): void {
    // What is held grows until here only, so this is where its peaks are.
    if (this.held > this.peak) this.peak = this.held
    this.held -= records
    assert(this.held >= 0, `channel ${this.name}: more records consumed than sent`)
    if (!this.isFull || this.held >= this.capacityRecords) return
    this.isFull = false
    if (this.init.senderCapacity !== undefined) this.init.senderCapacity.blocked--
  }

  private seal(): void {
    if (this.open.values.length === 0) return
    this.queue.push(this.open)
    this.open = emptyBatch(this.init)
  }

  private onFull(): void {
    if (this.held > this.init.overflowRecords) throw this.init.overflow()
    if (this.isFull) return
    this.isFull = true
    if (this.init.senderCapacity !== undefined) this.init.senderCapacity.blocked++
  }
}

/** The limit of an ordinary channel and its error. */
export function overshootLimit(
  name: string,
  capacityRecords: number,
): Pick<ChannelInit, 'overflow' | 'overflowRecords'> {
  return {
    overflowRecords: capacityRecords + OVERSHOOT_RECORDS_MAX,
    overflow: () =>
      new StreamError(
        'OUTPUT_OVERFLOW',
        `channel ${name}: one record or timer emitted more than ${OVERSHOOT_RECORDS_MAX} records beyond the channel's capacity; emit less for one record, for example in several timers`,
      ),
  }
}

/** The limit of a feedback channel and its error. */
export function feedbackLimit(
  name: string,
  queuedRecordsMax: number,
): Pick<ChannelInit, 'overflow' | 'overflowRecords'> {
  return {
    overflowRecords: queuedRecordsMax,
    overflow: () =>
      new StreamError(
        'FEEDBACK_OVERFLOW',
        `feedback ${name}: more than ${queuedRecordsMax} records wait to come round; let the loop emit fewer records than it takes, or raise queuedRecordsMax of iterate()`,
      ),
  }
}
