// Record path (bench/micro/timestamps.ts). Gives records their event time and makes watermarks from it. Watermarks from upstream end here,
// but for the last one.
import type { WatermarkStrategy } from '../model/watermark-strategy.ts'
import { ListPart } from '../state/list-part.ts'
import type { StatePart } from '../state/state-part.ts'
import { GeneratorPlace, TimestampAssigner, WatermarkTicks } from './event-time.ts'
import type { Emit, Operator, OperatorContext, TimeHolder } from './operator.ts'

/**
 * The operator of a watermark strategy. Unless the strategy says otherwise the task asks for the watermark after each batch, so a record
 * that is out of order within one batch is never late because of it.
 */
export function timestampsOperator(strategy: WatermarkStrategy<unknown>, context: OperatorContext): Operator {
  return new TimestampsOperator(strategy, context)
}

class TimestampsOperator implements Operator {
  readonly inputs: readonly Emit[]
  readonly parts: readonly StatePart[]
  private readonly place: GeneratorPlace
  private readonly ticks: WatermarkTicks
  private readonly isPerBatch: boolean
  private readonly idleTimeoutMs: number
  private records = 0
  private recordsSeen = 0
  private activeMs: number
  /** A due time-out is announced when the task has looked at its input after it: what waits there may be the record that was missed. */
  private idleness: 'counting' | 'due' | 'announced' = 'counting'

  constructor(strategy: WatermarkStrategy<unknown>, context: OperatorContext) {
    const { emit = 'per-batch', idleTimeoutMs = Infinity } = strategy
    this.place = new GeneratorPlace(context.vertex.name, strategy, context)
    this.ticks = new WatermarkTicks(strategy, context)
    // A generator starts anew after a restore, but the watermark does not go back behind what it said.
    this.parts = [
      new ListPart(
        'generator',
        'union',
        'generator',
        () => [this.place.watermark],
        watermarks => this.place.advance(Math.min(...(watermarks as readonly number[]))),
      ),
    ]
    this.isPerBatch = emit === 'per-batch'
    this.idleTimeoutMs = idleTimeoutMs
    this.activeMs = context.clock.now()
    const input = this.input(new TimestampAssigner(strategy, context), context)
    this.inputs = [emit === 'per-record' ? this.punctuated(input, context) : input]
  }

  outputWatermark(inputWatermark: number): number {
    if (inputWatermark === Infinity) this.place.advance(Infinity)
    else if (this.isPerBatch) this.place.sample()
    return this.place.watermark
  }

  isIdle(lookedAtMs: number): boolean {
    if (this.records !== this.recordsSeen) {
      this.recordsSeen = this.records
      this.activeMs = lookedAtMs
      this.idleness = 'counting'
    }
    if (lookedAtMs - this.activeMs >= this.idleTimeoutMs) this.idleness = 'announced'
    this.place.isIdle = this.idleness === 'announced'
    return this.place.isIdle
  }

  nextTimerMs(): number {
    const idleAtMs = this.idleness === 'counting' ? this.activeMs + this.idleTimeoutMs : Infinity
    return Math.min(idleAtMs, this.ticks.nextMs)
  }

  onProcessingTime(nowMs: number): boolean {
    if (this.ticks.take(nowMs)) this.place.sample()
    if (this.idleness === 'counting' && this.activeMs + this.idleTimeoutMs <= nowMs) this.idleness = 'due'
    return true
  }

  onDrained(): void {
    if (this.idleness === 'due') this.idleness = 'counting'
  }

  timeHolder(): TimeHolder {
    return { splits: [this.place.reading()] }
  }

  private input(assigner: TimestampAssigner, { record: current, output }: OperatorContext): Emit {
    const { place } = this
    return record => {
      const before = current.timestamp
      this.records++
      current.timestamp = assigner.assign(record, before, place)
      output(record)
      current.timestamp = before
    }
  }

  private punctuated(input: Emit, { capacity }: OperatorContext): Emit {
    const { place } = this
    return record => {
      input(record)
      if (place.sample()) capacity.isTimeNews = true
    }
  }
}
