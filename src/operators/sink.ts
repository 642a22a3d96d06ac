// Record path. Hands records to a writer. While the writer is not ready the task gets no room; what the record in hand still emits
// is kept here, in order, up to a limit.
import { Deque } from '../base/deque.ts'
import { errorText, StreamError } from '../base/errors.ts'
import type { Sink, SinkWriter, WriterContext } from '../model/connector.ts'
import { type Emit, type EndMode, NO_TIMESTAMP, type Operator, type OperatorContext } from './operator.ts'
import { atStep, StepFailure } from './user-failure.ts'

/** How many records may pile up behind a writer that is not ready: what one record or timer emits. */
const QUEUED_RECORDS_MAX = 1_000_000

interface Queued {
  readonly record: unknown
  readonly timestamp: number
  readonly isRetraction: boolean
}

/** The operator of a sink. */
export class SinkOperator implements Operator {
  readonly inputs: readonly Emit[]
  private readonly sink: Sink<unknown>
  private readonly context: OperatorContext
  private writer: SinkWriter<unknown> | undefined
  private readonly queue = new Deque<Queued>()
  /** `ready` to write; `busy`: a promise of the writer is pending; then the steps of the end of input. */
  private state: 'ready' | 'busy' | 'flushed' | 'closing' | 'closed' = 'ready'
  private hasUnflushed = false
  /** The writer's close that the end of input began. */
  private closing: Promise<void> | undefined

  constructor(sink: Sink<unknown>, context: OperatorContext) {
    this.sink = sink
    this.context = context
    this.inputs = [record => this.take(record)]
  }

  async open(): Promise<void> {
    const { subtaskIndex, vertex, clock, logger } = this.context
    const writerContext: WriterContext = { subtaskIndex, parallelism: vertex.parallelism, clock, logger }
    try {
      this.writer = await this.sink.open(writerContext)
    } catch (error) {
      throw atStep(vertex, 'SINK_FAILED', error)
    }
  }

  onDrained(): void {
    if (this.hasUnflushed && this.state === 'ready') this.flush()
  }

  // Flush, then close, each of which may take its time; the record of a failed close is a failed job.
  finish(_mode: EndMode): boolean {
    switch (this.state) {
      case 'ready':
        if (this.hasUnflushed) this.flush()
        if ((this.state as string) === 'ready') this.state = 'flushed'
        return this.state === 'flushed' ? this.finish(_mode) : false
      case 'flushed':
        return this.closeWriter()
      case 'closed':
        return true
      default:
        return false
    }
  }

  async close(): Promise<void> {
    const { writer } = this
    this.writer = undefined
    const stateBefore = this.state
    this.state = 'closed'
    if (stateBefore === 'closed') return
    try {
      // A cancel may come while the end of input waits for the writer: it is closed once, and what asked is not told before it is.
      await (stateBefore === 'closing' ? this.closing : writer?.close())
    } catch (error) {
      throw this.failure(error)
    }
  }

  private take(record: unknown): void {
    const { counters, record: current } = this.context
    counters.recordsIn++
    this.hasUnflushed = true
    if (this.state === 'ready') this.write(record, current.timestamp, current.isRetraction)
    else this.enqueue({ record, timestamp: current.timestamp, isRetraction: current.isRetraction })
  }

  private write(record: unknown, timestamp: number, isRetraction: boolean): void {
    const { writer } = this
    const timestampMs = timestamp === NO_TIMESTAMP ? undefined : timestamp
    let pending: void | Promise<void>
    try {
      pending = (writer as SinkWriter<unknown>).write(record, timestampMs, isRetraction)
    } catch (error) {
      throw this.failure(error)
    }
    if (pending instanceof Promise) this.waitFor(pending)
  }

  private flush(): void {
    this.hasUnflushed = false
    let pending: void | Promise<void>
    try {
      pending = this.writer?.flush?.()
    } catch (error) {
      throw this.failure(error)
    }
    if (pending instanceof Promise) this.waitFor(pending)
  }

  private waitFor(pending: Promise<void>): void {
    const { mailbox, capacity } = this.context
    this.state = 'busy'
    capacity.blocked++
    pending.then(
      () => mailbox.post(() => this.onReady()),
      (error: unknown) =>
        mailbox.post(() => {
          throw this.failure(error)
        }),
    )
  }

  private onReady(): void {
    this.context.capacity.blocked--
    if (this.state !== 'busy') return
    this.state = 'ready'
    while (this.state === 'ready') {
      const next = this.queue.shift()
      if (next === undefined) return
      this.write(next.record, next.timestamp, next.isRetraction)
    }
  }

  private enqueue(queued: Queued): void {
    if (this.queue.length >= QUEUED_RECORDS_MAX) {
      throw new StepFailure(
        this.context.vertex,
        'OUTPUT_OVERFLOW',
        `one record or timer upstream emitted more than ${QUEUED_RECORDS_MAX} records while the sink was busy`,
        'emit less for one record, for example in several timers',
      )
    }
    this.queue.push(queued)
  }

  private closeWriter(): boolean {
    const { mailbox } = this.context
    const { writer } = this
    this.state = 'closing'
    let pending: void | Promise<void>
    try {
      pending = writer?.close()
    } catch (error) {
      throw this.failure(error)
    }
    if (!(pending instanceof Promise)) {
      this.state = 'closed'
      return true
    }
    this.closing = pending
    pending.then(
      () =>
        mailbox.post(() => {
          this.state = 'closed'
        }),
      (error: unknown) =>
        mailbox.post(() => {
          this.state = 'closed'
          throw this.failure(error)
        }),
    )
    return false
  }

  private failure(error: unknown): unknown {
    if (error instanceof StepFailure) return error
    const { vertex, counters } = this.context
    const where = `it happened after ${counters.recordsIn} records`
    if (error instanceof StreamError)
      return new StepFailure(vertex, error.code, error.message.replace(`${error.code}: `, ''), where, error)
    return new StepFailure(vertex, 'SINK_FAILED', errorText(error), where, error)
  }
}
