// The triggers of windows as users call them: checked data, after Beam's and Flink's names.
import { preview } from '../../base/errors.ts'
import type { TimeWindow } from '../../model/functions.ts'
import { innerTriggers, type Trigger, type TriggerSpec } from '../../model/trigger-spec.ts'
import { optionInvalid, requireFunction, requireMethods, requireWhole } from './arguments.ts'

/** More parts make no trigger that anybody can read. */
const TRIGGER_PARTS_MAX = 30

declare const recordType: unique symbol

/** Says when a window emits; made by `afterWatermark()` and its siblings. */
export interface WindowTrigger<T = unknown> {
  readonly spec: TriggerSpec
  [recordType]?(record: T): void
}

/** What every window does unless told otherwise: it emits at its end, and again for each late record within the allowed lateness. */
export function onWindowEnd(): WindowTrigger {
  return trigger({ kind: 'on-window-end' })
}

/**
 * Emits at the end of the window; before it whenever `early` says so, after it whenever `late` does. Both repeat. Without `late` nothing is
 * emitted for late records before the window's last pane (Beam's AfterWatermark.pastEndOfWindow).
 * @example
 * ```ts
 * import { afterCount, afterWatermark, environment, forMonotonousTimestamps, seconds, tumblingWindows } from 'millrace'
 * const env = environment()
 * const panes = env
 *   .fromElements({ k: 'a', at: 1 }, { k: 'a', at: 2 }, { k: 'a', at: 3 })
 *   .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: record => record.at }))
 *   .keyBy('k')
 *   .window(tumblingWindows(seconds(5)))
 *   .trigger(afterWatermark({ early: afterCount(2) }))
 *   .process({ onWindow: (elements, ctx, out) => out.collect(`${ctx.pane.timing}: ${elements.length}`) })
 * console.log(await panes.executeAndCollect())
 * ```
 */
export function afterWatermark<T = unknown>(
  options: { readonly early?: WindowTrigger<T>; readonly late?: WindowTrigger<T> } = {},
): WindowTrigger<T> {
  const early = options.early === undefined ? {} : { early: specOf('afterWatermark(): early', options.early) }
  const late = options.late === undefined ? {} : { late: specOf('afterWatermark(): late', options.late) }
  return trigger({ kind: 'after-watermark', ...early, ...late })
}

/** Emits when so many records came, once; `repeatedly(afterCount(n))` every n records. OPTION_INVALID unless the count is from 1. */
export function afterCount(count: number): WindowTrigger {
  requireWhole(`afterCount(${String(count)})`, 'the count', count, { min: 1 })
  return trigger({ kind: 'after-count', count })
}

/** When to emit in processing time. */
export interface ProcessingTimeOptions {
  /** How long after the pane's first record, in ms; 0 unless given. */
  readonly delayMs?: number
  /** Waits on to the next multiple of this, in ms, so that many windows emit together. */
  readonly alignMs?: number
}

/** Emits so long after the first record of the pane, in processing time, once. OPTION_INVALID for durations that are not whole. */
export function afterProcessingTime({ delayMs = 0, alignMs }: ProcessingTimeOptions = {}): WindowTrigger {
  requireWhole('afterProcessingTime()', 'delayMs', delayMs, { min: 0 })
  if (alignMs === undefined) return trigger({ kind: 'after-processing-time', delayMs })
  requireWhole('afterProcessingTime()', 'alignMs', alignMs, { min: 1 })
  return trigger({ kind: 'after-processing-time', delayMs, alignMs })
}

/** Emits at every multiple of the interval at which there is news, and at the end of the window; never finishes. */
export function continuousEventTime(intervalMs: number): WindowTrigger {
  requireWhole(`continuousEventTime(${String(intervalMs)})`, 'the interval in milliseconds', intervalMs, { min: 1 })
  return trigger({ kind: 'continuous-event-time', intervalMs })
}

/** As `continuousEventTime`, by the clock of the machine. */
export function continuousProcessingTime(intervalMs: number): WindowTrigger {
  requireWhole(`continuousProcessingTime(${String(intervalMs)})`, 'the interval in milliseconds', intervalMs, {
    min: 1,
  })
  return trigger({ kind: 'continuous-processing-time', intervalMs })
}

/** Emits when a record differs by more than the threshold from the one of the last firing. Not for merging windows. */
export function afterDelta<T>(threshold: number, delta: (from: T, to: T) => number): WindowTrigger<T> {
  if (typeof threshold !== 'number' || Number.isNaN(threshold)) {
    throw optionInvalid('afterDelta()', `the threshold is ${preview(threshold)}; give a number`)
  }
  requireFunction('afterDelta()', delta)
  return trigger({ kind: 'delta', threshold, delta: delta as (from: never, to: never) => number })
}

/** Emits nothing by itself: what the window holds leaves with its last pane, when it closes (Kafka's final results). */
export function never(): WindowTrigger {
  return trigger({ kind: 'never' })
}

/** Begins the trigger anew whenever it finishes. */
export function repeatedly<T>(inner: WindowTrigger<T>): WindowTrigger<T> {
  return trigger({ kind: 'repeatedly', trigger: specOf('repeatedly()', inner) })
}

/** As the trigger; and the window forgets its records at each firing, whatever its accumulation. */
export function purging<T>(inner: WindowTrigger<T>): WindowTrigger<T> {
  return trigger({ kind: 'purging', trigger: specOf('purging()', inner) })
}

/** One trigger after the other. */
export function afterEach<T>(...inner: readonly WindowTrigger<T>[]): WindowTrigger<T> {
  return trigger({ kind: 'after-each', triggers: specsOf('afterEach()', inner) })
}

/** When all the triggers want to fire, once. */
export function afterAll<T>(...inner: readonly WindowTrigger<T>[]): WindowTrigger<T> {
  return trigger({ kind: 'after-all', triggers: specsOf('afterAll()', inner) })
}

/** When one of the triggers wants to fire, once. */
export function afterFirst<T>(...inner: readonly WindowTrigger<T>[]): WindowTrigger<T> {
  return trigger({ kind: 'after-first', triggers: specsOf('afterFirst()', inner) })
}

/** As the trigger, until the other one fires, which ends it. */
export function orFinally<T>(inner: WindowTrigger<T>, until: WindowTrigger<T>): WindowTrigger<T> {
  return trigger({ kind: 'or-finally', trigger: specOf('orFinally()', inner), until: specOf('orFinally()', until) })
}

/**
 * A trigger of your own, in the manner of Flink.
 * @example
 * ```ts
 * import { customTrigger, environment, globalWindows } from 'millrace'
 * const env = environment()
 * const onStop = customTrigger<string>({ onRecord: word => (word === 'stop' ? 'fire-and-purge' : 'continue') })
 * const sentences = env
 *   .fromElements('to', 'be', 'stop', 'or', 'stop')
 *   .keyBy(() => 'all')
 *   .window(globalWindows())
 *   .trigger(onStop)
 *   .reduce((a, b) => `${a} ${b}`)
 * console.log(await sentences.executeAndCollect())
 * ```
 */
export function customTrigger<T, S = undefined, W extends TimeWindow = TimeWindow>(
  custom: Trigger<T, S, W>,
): WindowTrigger<T> {
  const optional = ['create', 'onEventTime', 'onProcessingTime', 'merge']
  requireMethods('customTrigger()', custom, { required: ['onRecord'], optional })
  return trigger({ kind: 'custom', trigger: custom as unknown as Trigger<never, never, never> })
}

/** The trigger as data. Throws OPTION_INVALID for what was not made by one of the functions above, or has too many parts. */
export function specOf(call: string, value: WindowTrigger<never>): TriggerSpec {
  const spec = (value as Partial<WindowTrigger> | null | undefined)?.spec
  if (typeof spec !== 'object' || spec === null || !('kind' in spec)) {
    throw optionInvalid(call, `expected a trigger such as afterCount(100), got ${preview(value)}`)
  }
  const parts = partCount(spec)
  if (parts <= TRIGGER_PARTS_MAX) return spec
  throw optionInvalid(
    call,
    `the trigger has ${parts} parts, ${TRIGGER_PARTS_MAX} at most; write it with customTrigger()`,
  )
}

// The early and late parts of afterWatermark repeat, which makes them two parts each.
function partCount(spec: TriggerSpec): number {
  const own = spec.kind === 'after-watermark' ? 1 + innerTriggers(spec).length : 1
  return innerTriggers(spec).reduce((sum, inner) => sum + partCount(inner), own)
}

function specsOf(call: string, inner: readonly WindowTrigger<never>[]): readonly TriggerSpec[] {
  if (inner.length === 0) throw optionInvalid(call, 'it has no trigger inside; give one at least')
  return inner.map(each => specOf(call, each))
}

function trigger<T>(spec: TriggerSpec): WindowTrigger<T> {
  return Object.freeze({ spec: Object.freeze(spec) })
}
