// Record path (bench/micro/timestamps.ts). Event time at a source: each split has a generator of its own, and the subtask's watermark is the
// smallest of those that are neither idle nor ended. Splits that are aligned with others wait while they are ahead.
import type { ReadStatus, SourceOutput } from '../model/connector.ts'
import type { WatermarkStrategy } from '../model/watermark-strategy.ts'
import type { AlignmentMember } from '../time/alignment-coordinator.ts'
import { WatermarkMerger } from '../time/watermark-merger.ts'
import { GeneratorPlace, TimestampAssigner, WatermarkTicks } from './event-time.ts'
import { NO_TIMESTAMP, type OperatorContext, spend, type TimeHolder, type TimePlace } from './operator.ts'

/** The event time of one subtask's splits. */
export class SplitTimes {
  readonly context: OperatorContext
  readonly strategy: WatermarkStrategy<unknown>
  readonly assigner: TimestampAssigner
  merger: WatermarkMerger
  private readonly ticks: WatermarkTicks
  private readonly splits: SplitTime[] = []
  private expected = 0

  constructor(strategy: WatermarkStrategy<unknown>, context: OperatorContext) {
    this.context = context
    this.strategy = strategy
    this.assigner = new TimestampAssigner(strategy, context)
    this.merger = new WatermarkMerger(context.splits.length)
    this.ticks = new WatermarkTicks(strategy, context)
  }

  /** How many splits are to come. `isOpenEnded`: others may be found later, so that the end of all of these is not the end of time. */
  expect(splitCount: number, { isOpenEnded = false }: { readonly isOpenEnded?: boolean } = {}): void {
    this.expected = splitCount
    this.merger = new WatermarkMerger(splitCount)
    // What is not found yet is like a split without records: it neither holds the watermark back nor has it ended.
    if (isOpenEnded) this.merger.setIdle(this.merger.add(), true)
  }

  /** The time of the next split. */
  add(splitId: string): SplitTime {
    const index = this.splits.length < this.expected ? this.splits.length : this.merger.add()
    const split = new SplitTime(this, index, splitId)
    this.splits.push(split)
    return split
  }

  outputWatermark(inputWatermark: number): number {
    return inputWatermark === Infinity ? Infinity : this.merger.watermark
  }

  nextTimerMs(): number {
    let earliest = this.ticks.nextMs
    for (const split of this.splits) if (split.idleAtMs < earliest) earliest = split.idleAtMs
    return earliest
  }

  onProcessingTime(nowMs: number): void {
    const isTick = this.ticks.take(nowMs)
    for (const split of this.splits) {
      if (isTick) split.sample()
      if (split.idleAtMs <= nowMs) split.setIdle(true)
    }
  }

  timeHolder(): TimeHolder {
    return { splits: this.splits.map(split => split.reading()) }
  }
}

/** The event time of one split: what its reader emits into. */
export class SplitTime implements SourceOutput<unknown> {
  readonly place: GeneratorPlace
  /** Undefined where the strategy aligns nothing. */
  private readonly member: AlignmentMember | undefined
  private readonly times: SplitTimes
  private readonly context: OperatorContext
  private readonly index: number
  private readonly isPerRecord: boolean
  private readonly isPerBatch: boolean
  private readonly idleTimeoutMs: number
  private recordsBefore = 0
  /** Since when (processing time) its reader has found nothing; Infinity while it finds records, or is not asked. */
  private quietSinceMs = Infinity
  /** True when the reader's last answer was that nothing is there. */
  private isQuiet = false

  constructor(times: SplitTimes, index: number, splitId: string) {
    const { strategy, context } = times
    const { emit = 'per-batch', alignment, idleTimeoutMs = Infinity } = strategy
    this.times = times
    this.context = context
    this.index = index
    this.place = new GeneratorPlace(splitId, strategy, context)
    this.member = alignment === undefined ? undefined : context.alignment.join(alignment)
    this.isPerRecord = emit === 'per-record'
    this.isPerBatch = emit === 'per-batch'
    this.idleTimeoutMs = idleTimeoutMs
  }

  /** When it becomes idle if nothing comes. Only a reader that was asked and had nothing can be: not one that waits to be asked. */
  get idleAtMs(): number {
    return this.isQuiet && !this.place.isIdle ? this.quietSinceMs + this.idleTimeoutMs : Infinity
  }

  /** True while the split is too far ahead of its alignment group to be read. */
  get isAhead(): boolean {
    return this.member?.isAhead === true
  }

  emit(record: unknown, timestampMs: number = NO_TIMESTAMP): boolean {
    const { place } = this
    const { capacity, counters, clock, record: current, output } = this.context
    const { assigner } = this.times
    counters.recordsOut++
    current.timestamp = assigner.assign(record, timestampMs, place)
    output(record)
    if (this.isPerRecord) this.punctuate()
    const hasRoom = spend(capacity, clock)
    return hasRoom && (this.member === undefined || this.mayGoOn(this.member))
  }

  /** Goes on from the watermark of a snapshot. */
  restore(watermark: number): void {
    if (watermark > -Infinity && this.place.advance(watermark)) this.times.merger.advance(this.index, watermark)
  }

  /** Before each call of its reader. */
  beforeRead(): void {
    this.recordsBefore = this.context.counters.recordsOut
  }

  /** After each call of its reader. */
  afterRead(status: ReadStatus): void {
    const hasEmitted = this.context.counters.recordsOut > this.recordsBefore
    // The group hears of the new watermark first: of the old one it would hear only to stop others for a moment.
    this.member?.advance(this.place.current())
    if (hasEmitted) this.setIdle(false)
    if (this.isPerBatch && !this.place.isIdle) this.sample()
    if (status === 'end') this.end()
    else this.noteQuiet(hasEmitted, status)
  }

  /** Its reader asked to be read: what it has may end the quiet. */
  onWake(): void {
    this.isQuiet = false
  }

  /** Waits until the others have caught up; time in which nobody reads it is no time without records. */
  pause(onCaughtUp: () => void): void {
    this.isQuiet = false
    this.quietSinceMs = Infinity
    this.member?.whenCaughtUp(onCaughtUp)
  }

  /** How it stands, as plain data. */
  reading(): TimePlace {
    const alignmentGroup = this.isAhead ? this.times.strategy.alignment?.group : undefined
    return alignmentGroup === undefined ? this.place.reading() : { ...this.place.reading(), alignmentGroup }
  }

  setIdle(isIdle: boolean): void {
    const { place, times } = this
    if (place.isIdle === isIdle) return
    place.isIdle = isIdle
    times.merger.setIdle(this.index, isIdle)
    this.member?.setIdle(isIdle)
  }

  /** Takes the generator's watermark. */
  sample(): void {
    if (this.place.watermark < Infinity && this.place.sample()) this.merge()
  }

  // The slowest moves the limit by its own advance, so the group hears of it before the split counts as ahead.
  private mayGoOn(member: AlignmentMember): boolean {
    const watermark = this.place.current()
    if (watermark <= member.limitMs) return true
    member.advance(watermark)
    return !member.isAhead
  }

  private punctuate(): void {
    const { merger } = this.times
    if (!this.place.sample()) return
    this.setIdle(false)
    const before = merger.watermark
    this.merge()
    if (merger.watermark > before) this.context.capacity.isTimeNews = true
  }

  // An idle split whose watermark advances (its generator goes by more than records) stays idle.
  private merge(): void {
    const { merger } = this.times
    merger.advance(this.index, this.place.watermark)
    if (this.place.isIdle) merger.setIdle(this.index, true)
  }

  /** Its reader has come to its end. */
  end(): void {
    this.isQuiet = false
    this.place.advance(Infinity)
    this.place.isIdle = false
    this.times.merger.advance(this.index, Infinity)
    this.member?.end()
  }

  private noteQuiet(hasEmitted: boolean, status: ReadStatus): void {
    this.isQuiet = status === 'waiting' || !hasEmitted
    if (hasEmitted || !this.isQuiet) this.quietSinceMs = Infinity
    if (this.isQuiet && this.quietSinceMs === Infinity && this.idleTimeoutMs < Infinity) {
      this.quietSinceMs = this.context.clock.now()
    }
  }
}
