// The bounded queue between the sink of a collected stream and the loop that reads it: a full queue holds the job back, an empty one
// makes the reader wait. One writer, one reader.
import { Deque } from '../../base/deque.ts'
import type { Sink, SinkWriter } from '../../model/connector.ts'

/** Records that a collected stream holds before its job waits for the reader. */
export const COLLECTED_RECORDS_MAX = 1024

/** How the job stands, as the reader sees it; `left`: the reader wants no more. */
type Phase = { readonly kind: 'running' | 'ended' | 'left' } | { readonly kind: 'failed'; readonly error: unknown }

/** Hands records from a sink to a reader, at most COLLECTED_RECORDS_MAX at a time. */
export class CollectBuffer<T> {
  /** To be the only sink of the job, with parallelism 1. */
  readonly sink: Sink<T>
  private readonly records = new Deque<T>()
  private phase: Phase = { kind: 'running' }
  private wakeReader: (() => void) | undefined
  private wakeWriter: (() => void) | undefined

  constructor() {
    const writer: SinkWriter<T> = { write: record => this.write(record), close: () => {} }
    this.sink = { open: () => writer }
  }

  /** The job has ended: what is still queued is the rest. */
  end(): void {
    this.become({ kind: 'ended' })
  }

  /** The job has failed: the reader gets the error after what is still queued. */
  fail(error: unknown): void {
    this.become({ kind: 'failed', error })
  }

  /** The reader leaves: what is queued or still comes is dropped, so that the job can close. */
  leave(): void {
    this.phase = { kind: 'left' }
    this.records.clear()
    this.releaseWriter()
  }

  /** True when a record can be taken; false at the end. Waits for one of the two. Rejects with the failure of the job. */
  async hasNext(): Promise<boolean> {
    while (this.records.length === 0) {
      if (this.phase.kind === 'failed') throw this.phase.error
      if (this.phase.kind !== 'running') return false
      await new Promise<void>(resolve => {
        this.wakeReader = resolve
      })
    }
    return true
  }

  /** How many records can be taken without waiting. */
  get length(): number {
    return this.records.length
  }

  /** The next record; call only when there is one. */
  take(): T {
    const record = this.records.shift() as T
    // Half empty, so that writer and reader do not take turns record by record.
    if (this.records.length <= COLLECTED_RECORDS_MAX / 2) this.releaseWriter()
    return record
  }

  private write(record: T): void | Promise<void> {
    if (this.phase.kind === 'left') return
    this.records.push(record)
    this.releaseReader()
    if (this.records.length < COLLECTED_RECORDS_MAX) return
    return new Promise<void>(resolve => {
      this.wakeWriter = resolve
    })
  }

  private become(phase: Phase): void {
    if (this.phase.kind !== 'running') return
    this.phase = phase
    this.releaseReader()
  }

  private releaseReader(): void {
    const wake = this.wakeReader
    this.wakeReader = undefined
    wake?.()
  }

  private releaseWriter(): void {
    const wake = this.wakeWriter
    this.wakeWriter = undefined
    wake?.()
  }
}
