// The usual ways to make watermarks from timestamps. Where late records go is the window operator's business, not theirs.
import { preview, StreamError } from '../base/errors.ts'
import type {
  WatermarkAlignment,
  WatermarkEmission,
  WatermarkGenerator,
  WatermarkStrategy,
} from '../model/watermark-strategy.ts'

/** What is common to the strategies below. Throws OPTION_INVALID for a duration that is none. */
export interface WatermarkOptions<T> {
  /** The record's event time in epoch ms; without it the timestamps of the source stay. */
  readonly timestamp?: (record: T, previousTimestampMs: number | undefined) => number
  /**
   * When the watermark goes on: `per-batch` (the default) after each batch of its step; `per-record` after each record and before the
   * next one; `{ everyMs }` periodically, in processing time.
   */
  readonly emit?: WatermarkEmission
  /** Without records for this long (processing time, ms) a subtask, or a split of a source, is idle and holds no watermark back. */
  readonly idleTimeoutMs?: number
  /**
   * Reads no split whose watermark is more than `maxDriftMs` ahead of the smallest of its group, over all sources of the job. Only for a
   * strategy that is given to a source. Give `idleTimeoutMs` too where a split may be silent: it would hold the others for ever.
   */
  readonly alignment?: WatermarkAlignment
  /**
   * How far ahead of processing time (ms) a timestamp may move the watermark: beyond it the record goes on as it is, the generator sees
   * the limit, and it is counted (`futureTimestamps` in the metrics) and logged. A day unless said otherwise, and then only where the
   * clock shows a time after September 2001: a virtual clock at 0 knows no present. Infinity switches the limit off.
   */
  readonly futureLimitMs?: number
}

/** What a strategy of your own generator may say. */
export interface GeneratorOptions<T> extends WatermarkOptions<T> {
  /** In words, for plans; `custom watermarks` unless said otherwise. */
  readonly description?: string
}

/**
 * For records that come in the order of their timestamps: the watermark is the newest timestamp less one millisecond,
 * since records with that very timestamp may follow.
 * @example
 * ```ts
 * import { environment, forMonotonousTimestamps } from 'millrace'
 * const env = environment()
 * const timed = env
 *   .fromElements({ at: 1000 }, { at: 2000 })
 *   .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: (r) => r.at }))
 * console.log(await timed.executeAndCollect())
 * ```
 */
export function forMonotonousTimestamps<T>(options: WatermarkOptions<T> = {}): WatermarkStrategy<T> {
  return strategy('monotonous timestamps', () => new DelayedMaximum(0), options)
}

/**
 * For records that come at most `outOfOrdernessMs` milliseconds late: the watermark stays that far (and one millisecond)
 * behind the newest timestamp. Throws OPTION_INVALID for a negative duration.
 * @example
 * ```ts
 * import { environment, forBoundedOutOfOrderness, seconds } from 'millrace'
 * const env = environment()
 * // Given to the source, the strategy makes a watermark for each of its splits; the smallest counts.
 * const clicks = env.from([{ user: 'ann', at: 2000 }, { user: 'bob', at: 1000 }], {
 *   watermarks: forBoundedOutOfOrderness(seconds(5), { timestamp: click => click.at, idleTimeoutMs: seconds(30) }),
 * })
 * console.log(await clicks.executeAndCollect())
 * ```
 */
export function forBoundedOutOfOrderness<T>(
  outOfOrdernessMs: number,
  options: WatermarkOptions<T> = {},
): WatermarkStrategy<T> {
  if (!(Number.isFinite(outOfOrdernessMs) && outOfOrdernessMs >= 0)) {
    throw new StreamError('OPTION_INVALID', `forBoundedOutOfOrderness(${outOfOrdernessMs}): give milliseconds from 0`)
  }
  const description = `bounded out-of-orderness ${outOfOrdernessMs} ms`
  return strategy(description, () => new DelayedMaximum(outOfOrdernessMs), options)
}

/**
 * For watermarks that only your own code can tell: `make` gives each subtask (or each split of a source) a generator, which sees
 * every record and is asked for the watermark as `emit` says. Throws OPTION_INVALID unless `make` is a function.
 * @example
 * ```ts
 * import { environment, forGenerator } from 'millrace'
 * const env = environment()
 * // Punctuated watermarks: some records tell that nothing older follows.
 * const strategy = forGenerator<{ at: number; isMarker: boolean }>(
 *   () => {
 *     let watermark = -Infinity
 *     return {
 *       onRecord(timestampMs, record) {
 *         if (record.isMarker) watermark = timestampMs
 *       },
 *       current: () => watermark,
 *     }
 *   },
 *   { timestamp: record => record.at, emit: 'per-record', description: 'markers' },
 * )
 * const timed = env
 *   .fromElements({ at: 2000, isMarker: false }, { at: 1000, isMarker: true })
 *   .assignTimestampsAndWatermarks(strategy)
 * console.log(await timed.executeAndCollect())
 * ```
 */
export function forGenerator<T>(
  make: () => WatermarkGenerator<T>,
  options: GeneratorOptions<T> = {},
): WatermarkStrategy<T> {
  if (typeof make !== 'function') {
    const mend = 'give a function that returns a new generator each time it is called'
    throw new StreamError('OPTION_INVALID', `forGenerator(): expected a function, got ${preview(make)}; ${mend}`)
  }
  const { description = 'custom watermarks', ...rest } = options
  return strategy(description, make, rest)
}

/** What is wrong with the options of a strategy, in words; undefined when nothing is. */
export function watermarkOptionsMistake(options: Partial<WatermarkStrategy<never>>): string | undefined {
  const { emit, idleTimeoutMs, alignment, futureLimitMs } = options
  if (idleTimeoutMs !== undefined && !isPositive(idleTimeoutMs)) {
    return `idleTimeoutMs is ${preview(idleTimeoutMs)}; give milliseconds above 0, or leave it out`
  }
  if (emit !== undefined && emit !== 'per-batch' && emit !== 'per-record' && !isPositive(emit?.everyMs)) {
    return `emit is ${preview(emit)}; give 'per-batch', 'per-record', or { everyMs } with milliseconds above 0`
  }
  if (alignment !== undefined) {
    const { group, maxDriftMs } = alignment ?? {}
    if (typeof group !== 'string' || group === '') {
      return `alignment.group is ${preview(group)}; give the name that aligned sources share`
    }
    if (!(typeof maxDriftMs === 'number' && Number.isFinite(maxDriftMs) && maxDriftMs >= 0)) {
      return `alignment.maxDriftMs is ${preview(maxDriftMs)}; give milliseconds from 0`
    }
  }
  if (futureLimitMs !== undefined && !(typeof futureLimitMs === 'number' && futureLimitMs >= 0)) {
    return `futureLimitMs is ${preview(futureLimitMs)}; give milliseconds from 0, or Infinity for no limit`
  }
  return undefined
}

function isPositive(durationMs: unknown): boolean {
  return typeof durationMs === 'number' && Number.isFinite(durationMs) && durationMs > 0
}

function strategy<T>(
  description: string,
  generator: () => WatermarkGenerator<T>,
  options: WatermarkOptions<T>,
): WatermarkStrategy<T> {
  const mistake = watermarkOptionsMistake(options as Partial<WatermarkStrategy<never>>)
  if (mistake !== undefined) throw new StreamError('OPTION_INVALID', mistake)
  return Object.freeze({ description, generator, ...options })
}

class DelayedMaximum implements WatermarkGenerator {
  private newest = -Infinity
  private readonly delayMs: number

  constructor(delayMs: number) {
    this.delayMs = delayMs
  }

  onRecord(timestampMs: number): void {
    if (timestampMs > this.newest) this.newest = timestampMs
  }

  current(): number {
    return this.newest - this.delayMs - 1
  }
}
