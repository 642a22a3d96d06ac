// Record path. Keyed functions over one or two inputs, with declared state and timers of both time domains.
import { preview, StreamError } from '../base/errors.ts'
import type {
  Collector,
  KeyedContext,
  KeyedCoProcessFunction,
  KeyedProcessFunction,
  TimeDomain,
  TimerContext,
  TimerService,
} from '../model/functions.ts'
import { keyedInputs } from '../model/operator-spec.ts'
import type { OperatorStateDescriptors } from '../model/operator-state.ts'
import type { StateDescriptors } from '../model/state.ts'
import { readValue, writeValue } from '../serde/value-codec.ts'
import { type EntryTimers, KeyedState, type StateEntry } from '../state/keyed-state.ts'
import { OperatorStates } from '../state/operator-state.ts'
import type { StatePart } from '../state/state-part.ts'
import { type Timer, TimerQueue } from '../time/timer-queue.ts'
import {
  type CurrentRecord,
  type Emit,
  type EndMode,
  NO_TIMESTAMP,
  type Operator,
  type OperatorContext,
  type PendingWork,
  spend,
} from './operator.ts'
import { closeFunction, guarded, openFunction, refusePromise, unsigned } from './process.ts'
import { OperatorRecordContext } from './record-context.ts'
import { failOnRecord, failStep, failWith } from './user-failure.ts'

type AnyContext = KeyedContext<unknown, StateDescriptors>
type AnyTimerContext = TimerContext<unknown, StateDescriptors>
/** A function's `onTimer`, bound; undefined when it has none. */
export type UserTimer = ((timestampMs: number, ctx: AnyTimerContext, out: Collector<unknown>) => void) | undefined

/** The operator of a KeyedProcessFunction. */
export function keyedProcessOperator(
  user: KeyedProcessFunction<unknown, unknown, unknown, StateDescriptors>,
  context: OperatorContext,
): Operator {
  const onTimer = user.onTimer?.bind(user)
  return new KeyedProcessOperator(user, context, onTimer, (ctx, out) => [record => user.onRecord(record, ctx, out)])
}

/** The operator of a KeyedCoProcessFunction: both inputs share the state and the timers of a key. */
export function keyedCoProcessOperator(
  user: KeyedCoProcessFunction<unknown, unknown, unknown, unknown, StateDescriptors>,
  context: OperatorContext,
): Operator {
  const onTimer = user.onTimer?.bind(user)
  return new KeyedProcessOperator(user, context, onTimer, (ctx, out) => [
    record => user.onFirst(record, ctx, out),
    record => user.onSecond(record, ctx, out),
  ])
}

interface Lifecycle {
  readonly acceptsRetractions?: boolean
  readonly state?: StateDescriptors
  readonly operatorState?: OperatorStateDescriptors
  readonly watermarkDelayMs?: number
  open?: KeyedProcessFunction<unknown, unknown, unknown>['open']
  close?: KeyedProcessFunction<unknown, unknown, unknown>['close']
}

/** The operator of any keyed function; inputs without key, such as a broadcast one, have no current key. */
export class KeyedProcessOperator implements Operator {
  readonly inputs: readonly Emit[]
  readonly parts: readonly StatePart[]
  /** There only with a declared delay: without it the watermark of the inputs is that of the output. */
  readonly outputWatermark?: (inputWatermark: number) => number
  private readonly user: Lifecycle
  private readonly context: OperatorContext
  private readonly onTimer: UserTimer
  private readonly state: KeyedState
  private readonly ctx: KeyedFunctionContext
  private readonly out: Collector<unknown>
  private readonly eventTimers = new TimerQueue<StateEntry>()
  private readonly processingTimers = new TimerQueue<StateEntry>()
  /** Set when the end of input begins: timers registered later in processing time will never come due. */
  private finishBefore = -1

  constructor(
    user: Lifecycle,
    context: OperatorContext,
    onTimer: UserTimer,
    inputs: (ctx: AnyContext, out: Collector<unknown>, state: KeyedState) => Emit[],
    parts: readonly StatePart[] = [],
  ) {
    this.user = user
    this.context = context
    this.onTimer = onTimer
    this.state = new KeyedState(user.state ?? {}, context.vertex.maxParallelism, {
      nowMs: () => context.clock.now(),
      isTracked: context.isCheckpointed,
      timers: entryTimers(this.eventTimers, this.processingTimers),
    })
    const operatorStates = new OperatorStates(user.operatorState ?? {})
    this.parts = [this.state.part, ...operatorStates.parts, ...parts]
    this.ctx = new KeyedFunctionContext(
      context,
      this.state,
      { event: this.eventTimers, processing: this.processingTimers },
      operatorStates.handles,
    )
    this.out = { collect: user.acceptsRetractions === true ? unsigned(context) : context.output }
    const keyed = keyedInputs(context.vertex.operator)
    this.inputs = inputs(this.ctx as unknown as AnyContext, this.out, this.state).map((call, input) =>
      keyed.includes(input) ? this.keyedInput(call, input) : guarded(call, context),
    )
    const delayMs = user.watermarkDelayMs ?? 0
    if (delayMs > 0) this.outputWatermark = watermark => (watermark === Infinity ? Infinity : watermark - delayMs)
  }

  pending(): PendingWork {
    return {
      kind: 'timers',
      count: this.eventTimers.registeredCount + this.processingTimers.registeredCount,
      timeDomain: 'event-time',
      nextTimeMs: this.eventTimers.nextTimeMs(),
      nextProcessingTimeMs: this.processingTimers.nextTimeMs(),
    }
  }

  open(): void {
    openFunction(this.user, this.context)
  }

  // The final watermark ends processing time as well. Its pending timers fire first, in order: behind that watermark, what they emit
  // would be late everywhere downstream.
  onWatermark(watermark: number): boolean {
    if (watermark === Infinity && !this.firePendingProcessingTime()) return false
    this.ctx.watermark = watermark
    return this.fireDue(this.eventTimers, watermark, 'event-time', Infinity)
  }

  nextTimerMs(): number {
    return this.processingTimers.nextTimeMs()
  }

  keysHeld(): number {
    return this.state.table.size
  }

  onProcessingTime(nowMs: number): boolean {
    return this.fireDue(this.processingTimers, nowMs, 'processing-time', Infinity)
  }

  // What timers registered while the last ones fired is beyond the end: it is counted and logged.
  finish(mode: EndMode): boolean {
    return mode === 'stop' ? true : this.firePendingProcessingTime()
  }

  close(): void {
    closeFunction(this.user, this.context)
  }

  private keyedInput(call: Emit, input: number): Emit {
    const { vertex, record: current } = this.context
    const keyOf = this.context.keyOf(input)
    const { state } = this
    return record => {
      const timestampBefore = current.timestamp
      try {
        state.select(keyOf(record as never))
        refusePromise(call(record))
      } catch (error) {
        failOnRecord(vertex, record, error)
      }
      state.release()
      current.timestamp = timestampBefore
    }
  }

  private firePendingProcessingTime(): boolean {
    if (this.finishBefore < 0) this.finishBefore = this.processingTimers.nextSequence()
    return this.fireDue(this.processingTimers, Infinity, 'processing-time', this.finishBefore)
  }

  private fireDue(queue: TimerQueue<StateEntry>, timeMs: number, domain: TimeDomain, sequenceBelow: number): boolean {
    const { capacity, clock } = this.context
    while (queue.hasDue(timeMs)) {
      if (capacity.blocked > 0 || capacity.budget <= 0) return false
      // Before the timer is gone: a snapshot under way must hold it.
      this.state.touchEntry(queue.dueOwner(timeMs) as StateEntry)
      const timer = queue.popDue(timeMs) as Timer<StateEntry>
      timer.owner.timers--
      if (timer.sequence < sequenceBelow) this.fire(timer, domain)
      else this.dropTimer(timer)
      spend(capacity, clock)
    }
    return true
  }

  private fire(timer: Timer<StateEntry>, domain: TimeDomain): void {
    const { record, vertex } = this.context
    const timestampBefore = record.timestamp
    record.timestamp = timer.timeMs
    this.ctx.timeDomain = domain
    this.state.selectEntry(timer.owner)
    try {
      this.onTimer?.(timer.timeMs, this.ctx as unknown as AnyTimerContext, this.out)
    } catch (error) {
      failStep(vertex, `in onTimer at ${timer.timeMs} (${domain}) for key ${preview(timer.owner.key)}`, error)
    }
    this.state.release()
    record.timestamp = timestampBefore
  }

  private dropTimer(timer: Timer<StateEntry>): void {
    this.context.counters.timersDropped++
    this.context.logger.log('warn', 'a processing-time timer registered by a timer at the end of input does not fire', {
      step: this.context.vertex.name,
      key: preview(timer.owner.key),
      timeMs: timer.timeMs,
    })
  }
}

interface Timers {
  readonly event: TimerQueue<StateEntry>
  readonly processing: TimerQueue<StateEntry>
}

class KeyedFunctionContext extends OperatorRecordContext {
  readonly state: Readonly<Record<string, unknown>>
  readonly operatorState: OperatorStates['handles']
  readonly timers: TimerService
  timeDomain: TimeDomain = 'event-time'
  private readonly keyed: KeyedState
  private readonly current: CurrentRecord

  constructor(
    context: OperatorContext,
    keyed: KeyedState,
    { event, processing }: Timers,
    operatorState: OperatorStates['handles'],
  ) {
    super(context)
    this.keyed = keyed
    this.operatorState = operatorState
    this.current = context.record
    this.state = keyed.handles
    this.timers = {
      currentWatermark: () => this.watermark,
      currentProcessingTime: () => this.currentProcessingTime(),
      registerEventTimeTimer: timeMs => register(event, keyed, timeMs, context),
      deleteEventTimeTimer: timeMs => remove(event, keyed, timeMs),
      registerProcessingTimeTimer: timeMs => register(processing, keyed, timeMs, context),
      deleteProcessingTimeTimer: timeMs => remove(processing, keyed, timeMs),
    }
  }

  get key(): unknown {
    return this.keyed.currentKey
  }

  setOutputTimestamp(timestampMs: number): void {
    if (!Number.isFinite(timestampMs)) {
      throw new StreamError(
        'TIMESTAMP_INVALID',
        `setOutputTimestamp(${preview(timestampMs)}): expected a finite number of epoch milliseconds`,
      )
    }
    // The plan gave the edges behind this step a column of timestamps only if there are any before it.
    if (this.current.timestamp === NO_TIMESTAMP) {
      throw new StreamError(
        'TIMESTAMP_MISSING',
        'setOutputTimestamp() was called for a record that has no timestamp; call assignTimestampsAndWatermarks() before this step',
      )
    }
    this.current.timestamp = timestampMs
  }
}

function register(queue: TimerQueue<StateEntry>, keyed: KeyedState, timeMs: number, context: OperatorContext): void {
  if (typeof timeMs !== 'number' || Number.isNaN(timeMs)) {
    failWith(
      context.vertex,
      'TIMESTAMP_INVALID',
      `a timer was registered at ${preview(timeMs)}`,
      'give epoch milliseconds',
    )
  }
  const entry = keyed.currentEntry()
  if (queue.register(entry, timeMs)) entry.timers++
}

function remove(queue: TimerQueue<StateEntry>, keyed: KeyedState, timeMs: number): void {
  const entry = keyed.existingEntry()
  if (entry !== undefined && queue.delete(entry, timeMs)) entry.timers--
}

/** The timers of a key in a snapshot: the times in event time, then those in processing time. */
function entryTimers(...queues: readonly TimerQueue<StateEntry>[]): EntryTimers {
  return {
    write(entry, out) {
      for (const queue of queues) writeValue(out, queue.timesOf(entry))
    },
    read(entry, payload) {
      for (const queue of queues) {
        for (const timeMs of readValue(payload) as readonly number[]) if (queue.register(entry, timeMs)) entry.timers++
      }
    },
  }
}
