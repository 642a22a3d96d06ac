// Record path. Reads the splits of one subtask in turn and emits their records.
import { errorText, StreamError } from '../base/errors.ts'
import type { ReaderContext, ReadStatus, Source, SourceOutput, Split, SplitReader } from '../model/connector.ts'
import { stepText } from '../model/step-text.ts'
import type { WatermarkStrategy } from '../model/watermark-strategy.ts'
import type { StatePart } from '../state/state-part.ts'
import { CatchingOutput } from './catching-output.ts'
import {
  type CurrentRecord,
  type Emit,
  NO_TIMESTAMP,
  type OperatorContext,
  type SourceOperator,
  spend,
  type TimeHolder,
} from './operator.ts'
import { SplitDiscovery } from './split-discovery.ts'
import { type SplitTime, SplitTimes } from './split-time.ts'
import { type SplitState, SplitsPart } from './splits-part.ts'
import { atStep, StepFailure } from './user-failure.ts'

export { SPLITS_PART, type SplitState } from './splits-part.ts'

/** A split while it is being read. `sleeping`: it waits for its reader's wake-up or time; `paused`: for splits that it is ahead of. */
interface OpenSplit {
  readonly split: Split
  readonly reader: SplitReader<unknown>
  /** Undefined where the source makes no watermarks, and until it is one of those that are read. */
  time: SplitTime | undefined
  /** Keeps what fails behind the source from its reader, so that this knows where it is; undefined unless that is needed. */
  catching: CatchingOutput | undefined
  state: 'ready' | 'sleeping' | 'paused' | 'ended'
}

/** The operator of a source. */
export class SourceReadOperator implements SourceOperator {
  readonly inputs: readonly Emit[] = []
  /** Only a source with a watermark strategy has a time of its own; tasks without time do less. */
  readonly outputWatermark?: (inputWatermark: number) => number
  readonly isIdle?: () => boolean
  readonly timeHolder?: () => TimeHolder
  readonly parts: readonly StatePart[]
  private readonly splitsPart: SplitsPart
  private readonly times: SplitTimes | undefined
  private readonly source: Source<unknown>
  private readonly context: OperatorContext
  private readonly output: CountingOutput
  private readonly splits: OpenSplit[] = []
  /** Undefined where no new splits are looked for while the job runs. */
  private discovery: SplitDiscovery<OpenSplit> | undefined
  /** The splits of the snapshot that the job started from; undefined when it started from none. */
  private restored: readonly SplitState[] | undefined
  private nextSplit = 0
  private isStopping = false

  constructor(source: Source<unknown>, strategy: WatermarkStrategy<unknown> | undefined, context: OperatorContext) {
    this.source = source
    this.context = context
    this.output = new CountingOutput(context)
    this.splitsPart = new SplitsPart({
      states: () => this.splits.map(split => this.stateOf(split)),
      restored: states => this.restore(states),
      recordsOut: () => context.counters.recordsOut,
    })
    this.parts = [this.splitsPart]
    if (strategy === undefined) return
    const times = new SplitTimes(strategy, context)
    this.times = times
    this.outputWatermark = inputWatermark => times.outputWatermark(inputWatermark)
    this.isIdle = () => times.merger.isIdle
    this.timeHolder = () => times.timeHolder()
  }

  async open(): Promise<void> {
    const states = this.context.resumedSplits ?? this.restored ?? []
    const known = new Set(states.map(state => state.id))
    // The splits that came with the job are those of its start, or new ones since the snapshot.
    const added = this.context.splits.filter(split => !known.has(split.id))
    const everyMs = this.discoverEveryMs()
    this.times?.expect(states.length + added.length, { isOpenEnded: everyMs !== undefined })
    for (const state of states) await this.reopenSplit(state)
    for (const split of added) this.addSplit(await this.openSplit(split))
    if (everyMs === undefined) return
    for (const { id } of this.context.splits) known.add(id)
    for (const id of this.context.knownSplits ?? []) known.add(id)
    this.discovery = new SplitDiscovery(
      {
        source: this.source,
        everyMs,
        context: this.context,
        open: split => this.openSplit(split),
        close: ({ reader }) => reader.close(),
        take: split => this.addSplit(split),
      },
      known,
    )
  }

  private discoverEveryMs(): number | undefined {
    const { operator } = this.context.vertex
    if (operator.kind !== 'source' || this.source.newSplits === undefined) return undefined
    return operator.source.discoverEveryMs
  }

  private async reopenSplit({ id, position, isEnded, watermark }: SplitState): Promise<void> {
    const split: Split = { id, position }
    const openSplit: OpenSplit = isEnded
      ? { split, reader: endedReader(position), time: undefined, catching: undefined, state: 'ended' }
      : await this.openSplit(split)
    this.addSplit(openSplit)
    openSplit.time?.restore(watermark)
    if (isEnded) openSplit.time?.end()
  }

  private addSplit(split: OpenSplit): void {
    split.time = this.times?.add(split.split.id)
    if (this.context.isAtMostOnce === true) split.catching = new CatchingOutput(split.time ?? this.output)
    this.splits.push(split)
  }

  private async openSplit(split: Split): Promise<OpenSplit> {
    let openSplit: OpenSplit | undefined
    const readerContext: ReaderContext = {
      jobName: this.context.jobName,
      isCheckpointed: this.context.isCheckpointed,
      subtaskIndex: this.context.subtaskIndex,
      parallelism: this.context.vertex.parallelism,
      clock: this.context.clock,
      logger: this.context.logger,
      wake: () => this.context.mailbox.post(() => openSplit?.state === 'sleeping' && this.wake(openSplit)),
    }
    const reader = await this.openReader(split, readerContext)
    openSplit = { split, reader, time: undefined, catching: undefined, state: 'ready' }
    return openSplit
  }

  private stateOf({ split, reader, time, state }: OpenSplit): SplitState {
    return {
      id: split.id,
      position: reader.position(),
      isEnded: state === 'ended',
      watermark: time?.place.watermark ?? -Infinity,
    }
  }

  private restore(splits: readonly SplitState[]): void {
    this.restored = splits
  }

  private async openReader(split: Split, readerContext: ReaderContext): Promise<SplitReader<unknown>> {
    try {
      return await this.source.open(split, readerContext)
    } catch (error) {
      const where = this.discovery === undefined ? 'the job did not start' : `it happened opening ${split.id}`
      throw atStep(this.context.vertex, 'SOURCE_FAILED', error, where)
    }
  }

  stopReading(): void {
    this.isStopping = true
  }

  splitStates(): readonly SplitState[] | undefined {
    return this.context.isAtMostOnce === true ? this.splits.map(split => this.stateOf(split)) : undefined
  }

  settleSnapshot(snapshotId: number, outcome: 'completed' | 'aborted'): void {
    for (const { id, position } of this.splitsPart.settled(snapshotId, outcome)) this.tellComplete(id, position)
  }

  private tellComplete(id: string, position: unknown): void {
    const open = this.splits.find(({ split }) => split.id === id)
    try {
      open?.reader.onSnapshotComplete?.(position)
    } catch (error) {
      const what = `the reader of ${id} failed when it was told of a complete snapshot`
      this.context.logger.log('warn', `${stepText(this.context.vertex)}: ${what}`, { error: errorText(error) })
    }
  }

  read(): 'busy' | 'waiting' | 'end' {
    const { capacity } = this.context
    if (this.isStopping) return 'end'
    for (let looked = 0; looked < this.splits.length && !capacity.isTimeNews; looked++) {
      if (capacity.blocked > 0 || capacity.budget <= 0) break
      const split = this.splits[this.nextSplit] as OpenSplit
      this.nextSplit = (this.nextSplit + 1) % this.splits.length
      if (split.state !== 'ready') continue
      if (split.time?.isAhead === true) this.pause(split, split.time)
      else this.readSplit(split)
    }
    if (this.splits.some(split => split.state === 'ready')) return 'busy'
    if (this.discovery !== undefined) return 'waiting'
    return this.splits.some(split => split.state !== 'ended') ? 'waiting' : 'end'
  }

  nextTimerMs(): number {
    let earliest = Math.min(this.times?.nextTimerMs() ?? Infinity, this.discovery?.nextTimerMs ?? Infinity)
    for (const { state, reader } of this.splits) {
      if (state === 'sleeping' && reader.wakeAtMs !== undefined && reader.wakeAtMs < earliest)
        earliest = reader.wakeAtMs
    }
    return earliest
  }

  onProcessingTime(nowMs: number): boolean {
    for (const split of this.splits) {
      if (split.state === 'sleeping' && (split.reader.wakeAtMs ?? Infinity) <= nowMs) this.wake(split)
    }
    this.times?.onProcessingTime(nowMs)
    this.discovery?.onProcessingTime(nowMs)
    return true
  }

  async close(): Promise<void> {
    this.reportLost()
    let failure: unknown
    const close = async (what: string, closes: { close(): void | Promise<void> }): Promise<void> => {
      try {
        await closes.close()
      } catch (error) {
        failure ??= this.closeFailure(what, error)
      }
    }
    for (const { reader, split } of this.splits) await close(split.id, reader)
    if (this.discovery !== undefined) await close('new splits', this.discovery)
    if (failure !== undefined) throw failure
  }

  // Whoever cannot go back loses what no snapshot holds: that is no news to who has read the plan, but how much it was is.
  private reportLost(): void {
    const { vertex, counters, isCheckpointed, logger } = this.context
    const { operator } = vertex
    if (!isCheckpointed || operator.kind !== 'source') return
    const { isReplayable = true, isLogged = false } = operator.source
    const records = counters.recordsOut - this.splitsPart.recordsComplete
    if (isReplayable || isLogged || records === 0) return
    const what = 'records that it gave are in no complete snapshot and cannot be given again'
    logger.log('warn', `${stepText(vertex)}: ${what}`, { records })
  }

  private closeFailure(what: string, error: unknown): StepFailure {
    const code = error instanceof StreamError ? error.code : 'SOURCE_FAILED'
    return new StepFailure(this.context.vertex, code, errorText(error), `it happened closing ${what}`, error)
  }

  private wake(split: OpenSplit): void {
    split.state = 'ready'
    split.time?.onWake()
  }

  private readSplit(split: OpenSplit): void {
    const { time, catching } = split
    time?.beforeRead()
    let status: ReadStatus
    try {
      status = split.reader.read(catching ?? time ?? this.output)
    } catch (error) {
      throw this.failure(split, catching?.caught?.error ?? error)
    }
    if (catching?.caught !== undefined) throw this.failure(split, catching.caught.error)
    time?.afterRead(status)
    if (status === 'waiting') split.state = 'sleeping'
    if (status === 'end') split.state = 'ended'
  }

  private pause(split: OpenSplit, time: SplitTime): void {
    split.state = 'paused'
    time.pause(() => {
      this.context.mailbox.post(() => {
        if (split.state === 'paused') split.state = 'ready'
      })
    })
  }

  private failure(split: OpenSplit, error: unknown): unknown {
    if (error instanceof StepFailure) return error
    const { vertex, counters } = this.context
    const where = `reading ${split.split.id} after ${counters.recordsOut} records`
    if (error instanceof StreamError)
      return new StepFailure(
        vertex,
        error.code,
        error.message.replace(`${error.code}: `, ''),
        `it happened ${where}`,
        error,
      )
    return new StepFailure(vertex, 'SOURCE_FAILED', errorText(error), `it happened ${where}`, error)
  }
}

/** Stands for the reader of a split that was at its end in the snapshot. */
function endedReader(position: unknown): SplitReader<unknown> {
  return { read: () => 'end', position: () => position, close: () => {} }
}

/** What readers emit into: counts, and says when to return. */
class CountingOutput implements SourceOutput<unknown> {
  private readonly context: OperatorContext
  private readonly record: CurrentRecord
  private readonly output: Emit

  constructor(context: OperatorContext) {
    this.context = context
    this.record = context.record
    this.output = context.output
  }

  emit(record: unknown, timestampMs: number = NO_TIMESTAMP, isRetraction = false): boolean {
    const { capacity, counters, clock } = this.context
    counters.recordsOut++
    this.record.timestamp = timestampMs
    this.record.isRetraction = isRetraction
    this.output(record)
    this.record.isRetraction = false
    return spend(capacity, clock)
  }
}
