// Record path (bench/micro/async-calls.ts). Asynchronous calls, one for each record: a promise and a letter each is what they are made
// of. Results enter by the mailbox; they go on when the task asks, so within its budget and its room.
import { preview } from '../base/errors.ts'
import type { AsyncContext, AsyncSpec } from '../model/async-spec.ts'
import { ListPart } from '../state/list-part.ts'
import type { StatePart } from '../state/state-part.ts'
import { TimerQueue } from '../time/timer-queue.ts'
import { AsyncCall, AsyncResults, AttemptSignal } from './async-results.ts'
import { type AsyncOperator, type Emit, NO_TIMESTAMP, type OperatorContext, spend } from './operator.ts'
import { refusePromise } from './process.ts'
import { emitAll } from './transform.ts'
import { failOnRecord, failStep, StepFailure } from './user-failure.ts'

/** A call as a snapshot holds it. */
type HeldCall = Pick<AsyncCall, 'record' | 'timestamp' | 'isRetraction'>

type UserFunction = (record: unknown, ctx: AsyncContext) => unknown

/** The operator of asynchronous calls. */
export class AsyncFunctionOperator implements AsyncOperator {
  readonly inputs: readonly Emit[]
  readonly parts: readonly StatePart[]
  private readonly spec: AsyncSpec
  private readonly call: UserFunction
  private readonly onTimeout: ((record: unknown) => unknown) | undefined
  private readonly context: OperatorContext
  private readonly results: AsyncResults
  private readonly timeouts = new TimerQueue<AsyncCall>()
  private readonly retries = new TimerQueue<AsyncCall>()
  /** The calls whose results have not gone on, in the order in which their records came. */
  private readonly held = new Set<AsyncCall>()
  private restored: readonly HeldCall[] = []
  /** The calls that are under way, to be told when nobody waits for them any more. */
  private readonly underWay = new Set<AsyncCall>()
  private recordsTaken = 0
  private isClosed = false

  constructor(spec: AsyncSpec, context: OperatorContext) {
    this.spec = spec
    this.call = spec.function as UserFunction
    this.onTimeout = spec.onTimeout as ((record: unknown) => unknown) | undefined
    this.context = context
    this.results = new AsyncResults(spec.order)
    this.inputs = [record => this.take(record)]
    this.parts = [
      new ListPart(
        'calls',
        'list',
        'calls',
        () => [...this.held].map(({ record, timestamp, isRetraction }) => ({ record, timestamp, isRetraction })),
        calls => {
          this.restored = calls as readonly HeldCall[]
        },
      ),
    ]
  }

  /** Calls again for the records whose results had not gone on in the snapshot that the job started from. */
  open(): void {
    const { record: current } = this.context
    for (const { record, timestamp, isRetraction } of this.restored) {
      current.timestamp = timestamp
      current.isRetraction = isRetraction
      this.take(record)
    }
    current.timestamp = NO_TIMESTAMP
    current.isRetraction = false
    this.restored = []
  }

  get isFull(): boolean {
    return this.results.size >= this.spec.capacity
  }

  get isEmpty(): boolean {
    return this.results.isEmpty
  }

  emitReady(): boolean {
    const { capacity, clock } = this.context
    let hasEmitted = false
    while (capacity.blocked === 0 && capacity.budget > 0) {
      const call = this.results.next()
      // The task sends the watermark on before it asks for the results behind it.
      if (call === undefined) return this.results.passWatermark() || hasEmitted
      this.emit(call)
      hasEmitted = true
      spend(capacity, clock)
    }
    return hasEmitted
  }

  onWatermark(watermark: number): boolean {
    this.results.addWatermark(watermark)
    return true
  }

  outputWatermark(): number {
    return this.results.watermark
  }

  // Who is idle lets the watermarks of others pass, which would make the results under way late.
  isIdle(_nowMs: number, isInputIdle: boolean): boolean {
    return isInputIdle && this.isEmpty
  }

  nextTimerMs(): number {
    return Math.min(this.timeouts.nextTimeMs(), this.retries.nextTimeMs())
  }

  onProcessingTime(nowMs: number): boolean {
    const { capacity, clock } = this.context
    while (this.nextTimerMs() <= nowMs) {
      if (capacity.budget <= 0) return false
      const timedOut = this.timeouts.popDue(nowMs)
      if (timedOut !== undefined) this.endTime(timedOut.owner)
      else this.start((this.retries.popDue(nowMs) as { owner: AsyncCall }).owner)
      spend(capacity, clock)
    }
    return true
  }

  close(): void {
    this.isClosed = true
    let failure: unknown
    for (const call of this.underWay) {
      try {
        this.abort(call)
      } catch (error) {
        failure ??= error
      }
    }
    this.underWay.clear()
    if (failure !== undefined) throw failure
  }

  private take(record: unknown): void {
    const { record: current, clock } = this.context
    const call = new AsyncCall(record, current.timestamp, current.isRetraction, ++this.recordsTaken)
    this.results.add(call)
    this.held.add(call)
    if (this.spec.timeoutMs !== Infinity) {
      call.timeoutMs = clock.now() + this.spec.timeoutMs
      this.timeouts.register(call, call.timeoutMs)
    }
    this.start(call)
  }

  private start(call: AsyncCall): void {
    const attempt = ++call.attempt
    const signal = new AttemptSignal()
    call.state = 'calling'
    call.signal = signal
    this.underWay.add(call)
    let pending: unknown
    try {
      pending = this.call(call.record, { attempt, signal })
      if (isThenable(pending)) {
        this.wait(pending, call, attempt)
        return
      }
    } catch (error) {
      this.onError(call, attempt, error)
      return
    }
    this.onResult(call, attempt, pending)
  }

  private wait(pending: PromiseLike<unknown>, call: AsyncCall, attempt: number): void {
    const { mailbox } = this.context
    pending.then(
      result => mailbox.post(() => this.onResult(call, attempt, result)),
      (error: unknown) => mailbox.post(() => this.onError(call, attempt, error)),
    )
  }

  /** True for what an attempt says when nobody waits for it any more. */
  private isLate(call: AsyncCall, attempt: number): boolean {
    return this.isClosed || call.state !== 'calling' || call.attempt !== attempt
  }

  private onResult(call: AsyncCall, attempt: number, result: unknown): void {
    if (this.isLate(call, attempt)) return
    const { retry } = this.spec
    const mayRetry = retry !== undefined && attempt < retry.attempts
    if (mayRetry && this.decide(call, retry.onResult as (result: unknown) => boolean, result)) this.pause(call)
    else this.settle(call, result)
  }

  private onError(call: AsyncCall, attempt: number, error: unknown): void {
    if (this.isLate(call, attempt)) return
    const { retry } = this.spec
    if (retry !== undefined && attempt < retry.attempts && this.decide(call, retry.onError, error)) this.pause(call)
    else this.fail(call, error)
  }

  private decide(call: AsyncCall, predicate: (outcome: unknown) => boolean, outcome: unknown): boolean {
    try {
      const decision = predicate(outcome)
      refusePromise(decision)
      return decision === true
    } catch (error) {
      this.fail(call, error)
    }
  }

  private pause(call: AsyncCall): void {
    const { retry } = this.spec
    if (retry === undefined) return
    const delayMs = Math.min(retry.delayMsMax, retry.delayMs * retry.backoffFactor ** (call.attempt - 1))
    this.underWay.delete(call)
    call.state = 'pausing'
    call.retryMs = this.context.clock.now() + delayMs
    this.retries.register(call, call.retryMs)
  }

  private settle(call: AsyncCall, result: unknown): void {
    this.underWay.delete(call)
    if (call.timeoutMs !== Infinity) this.timeouts.delete(call, call.timeoutMs)
    call.state = 'done'
    call.result = result
    call.signal = undefined
    this.results.complete(call)
  }

  private endTime(call: AsyncCall): void {
    if (call.state === 'pausing') this.retries.delete(call, call.retryMs)
    this.abort(call)
    if (this.onTimeout === undefined) {
      const failure = new StepFailure(
        this.context.vertex,
        'ASYNC_TIMEOUT',
        `the calls for record ${preview(call.record)} took longer than ${this.spec.timeoutMs} ms (${this.attemptText(call)})`,
        'raise timeoutMs, or give onTimeout a function that returns what is to go on instead',
      )
      throw numbered(failure, call)
    }
    let result: unknown
    try {
      result = this.onTimeout(call.record)
      refusePromise(result)
    } catch (error) {
      this.fail(call, error, 'in onTimeout')
    }
    this.settle(call, result)
  }

  private abort(call: AsyncCall): void {
    try {
      call.signal?.abort()
    } catch (error) {
      this.fail(call, error, 'in an abort listener')
    }
  }

  private emit(call: AsyncCall): void {
    const { record, output, vertex } = this.context
    const { timestamp, isRetraction } = record
    this.held.delete(call)
    record.timestamp = call.timestamp
    record.isRetraction = call.isRetraction
    try {
      if (this.spec.results === 'one') output(call.result)
      else emitAll(call.result, call.record, output, vertex)
    } catch (error) {
      throw numbered(error, call)
    }
    record.timestamp = timestamp
    record.isRetraction = isRetraction
  }

  private attemptText(call: AsyncCall): string {
    return `attempt ${call.attempt} of ${this.spec.retry?.attempts ?? 1}`
  }

  private fail(call: AsyncCall, error: unknown, where?: string): never {
    const { vertex } = this.context
    try {
      if (this.spec.retry === undefined && where === undefined) failOnRecord(vertex, call.record, error)
      failStep(vertex, `${where ?? `at ${this.attemptText(call)}`} on record ${preview(call.record)}`, error)
    } catch (failure) {
      throw numbered(failure, call)
    }
  }
}

/** By now the task has taken other records: its failure names the one that it is about. */
function numbered(failure: unknown, call: AsyncCall): unknown {
  if (failure instanceof StepFailure) failure.recordNumber ??= call.recordNumber
  return failure
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (value instanceof Promise) return true
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
