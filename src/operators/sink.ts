// Record path. Hands records to a writer. While the writer is not ready the task gets no room; what the record in hand still emits
// is kept here, in order, up to a limit.
import { Deque } from '../base/deque.ts'
import { errorText, StreamError } from '../base/errors.ts'
import type { Sink, SinkDelivery, SinkWriter, TransactionalWriter, WriterContext } from '../model/connector.ts'
import type { StatePart } from '../state/state-part.ts'
import { type Emit, type EndMode, NO_TIMESTAMP, type Operator, type OperatorContext } from './operator.ts'
import { SinkTransactions } from './sink-transactions.ts'
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
  readonly parts: readonly StatePart[]
  private readonly sink: Sink<unknown>
  private readonly context: OperatorContext
  private readonly transactions: SinkTransactions | undefined
  private writer: SinkWriter<unknown> | undefined
  private readonly queue = new Deque<Queued>()
  /** `ready` to write; `busy`: a promise of the writer is pending; then the steps of the end of input. */
  private state: 'ready' | 'busy' | 'flushed' | 'closing' | 'closed' = 'ready'
  private hasUnflushed = false
  /** The newest snapshot that the writer is ready for. */
  private preparedId = 0
  /** The writer's close that the end of input began. */
  private closing: Promise<void> | undefined

  constructor(sink: Sink<unknown>, delivery: SinkDelivery, context: OperatorContext) {
    this.sink = sink
    this.context = context
    this.inputs = [this.input()]
    this.transactions = delivery === 'transactional' ? new SinkTransactions() : undefined
    this.parts = this.transactions === undefined ? [] : [this.transactions.part]
  }

  async open(): Promise<void> {
    const { subtaskIndex, vertex, clock, logger, jobName, owner, attempt, startedFromId } = this.context
    const { parallelism, uid } = vertex
    const named = owner === undefined ? { jobName, uid } : { jobName, uid, owner }
    const writerContext: WriterContext = { subtaskIndex, parallelism, clock, logger, attempt, ...named }
    try {
      this.writer = await this.sink.open(writerContext)
      await this.transactions?.open(this.writer as TransactionalWriter<unknown>, startedFromId)
    } catch (error) {
      throw atStep(vertex, 'SINK_FAILED', error)
    }
  }

  onDrained(): void {
    // A transaction is made durable once, at its end.
    if (this.hasUnflushed && this.state === 'ready' && this.transactions === undefined) this.flush()
  }

  prepareSnapshot(snapshotId: number): boolean {
    if (this.state !== 'ready') return false
    if (this.preparedId === snapshotId) return true
    this.preparedId = snapshotId
    if (this.transactions !== undefined) this.await(() => this.transactions?.end(snapshotId, true))
    else if (this.hasUnflushed) this.flush()
    return (this.state as string) === 'ready'
  }

  // A commit is one more thing that the writer does, in its turn.
  settleSnapshot(snapshotId: number, outcome: 'completed' | 'aborted'): void {
    if (this.transactions === undefined || outcome === 'aborted') return
    this.transactions.complete(snapshotId)
    if (this.state === 'ready') this.commit()
  }

  // Flush, then close, each of which may take its time; the record of a failed close is a failed job.
  finish(_mode: EndMode): boolean {
    switch (this.state) {
      case 'ready':
        this.endOutput()
        if ((this.state as string) === 'ready') this.state = 'flushed'
        return this.state === 'flushed' ? this.finish(_mode) : false
      case 'flushed':
        // The last transaction is committed when the last snapshot is complete; only then nothing is left to do.
        return this.transactions !== undefined && this.context.isCheckpointed ? true : this.closeWriter()
      case 'closed':
        return true
      default:
        return false
    }
  }

  async close(): Promise<void> {
    const { writer } = this
    const stateBefore = this.state
    if (stateBefore === 'flushed') await this.commitLast()
    this.writer = undefined
    this.state = 'closed'
    if (stateBefore === 'closed') return
    try {
      // A cancel may come while the end of input waits for the writer: it is closed once, and what asked is not told before it is.
      await (stateBefore === 'closing' ? this.closing : writer?.close())
    } catch (error) {
      throw this.failure(error)
    }
  }

  // One function for each record, down to the writer.
  private input(): Emit {
    const { counters, record: current } = this.context
    return record => {
      counters.recordsIn++
      this.hasUnflushed = true
      const { timestamp, isRetraction } = current
      if (this.state !== 'ready') {
        this.enqueue({ record, timestamp, isRetraction })
        return
      }
      let pending: void | Promise<void>
      try {
        pending = (this.writer as SinkWriter<unknown>).write(
          record,
          timestamp === NO_TIMESTAMP ? undefined : timestamp,
          isRetraction,
        )
      } catch (error) {
        throw this.failure(error)
      }
      // Most writers return nothing, some whatever their last call gave.
      if (pending !== undefined && pending instanceof Promise) this.waitFor(pending)
    }
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
    this.await(() => this.writer?.flush?.())
  }

  /** What is written last before the writer is closed. */
  private endOutput(): void {
    const { transactions } = this
    if (transactions === undefined) {
      if (this.hasUnflushed) this.flush()
    } else if (!transactions.hasEnded) this.await(() => transactions.endLast(this.context.isCheckpointed))
  }

  private commit(): void {
    if (this.transactions?.hasCommits === true) this.await(() => this.transactions?.commit())
  }

  private await(act: () => void | Promise<void>): void {
    let pending: void | Promise<void>
    try {
      pending = act()
    } catch (error) {
      throw this.failure(error)
    }
    if (pending instanceof Promise) this.waitFor(pending)
  }

  private async commitLast(): Promise<void> {
    try {
      await this.transactions?.commit()
    } catch (error) {
      throw this.failure(error)
    }
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
      if (next === undefined) break
      this.write(next.record, next.timestamp, next.isRetraction)
    }
    if (this.state === 'ready') this.commit()
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
