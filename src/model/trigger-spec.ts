// When a window emits, as data: the triggers of Flink and of Beam in one grammar, and the contract of triggers that users write.
// The window folder gives it behaviour.
import type { TimeWindow } from './functions.ts'

/**
 * A trigger decides, per key and window, when a pane leaves. A trigger that has done its part is finished: the window then takes no more
 * records of the key. The kinds:
 * - `on-window-end`: at the end of the window, in its own time domain, and again for each late record; never finishes
 * - `after-watermark`: at the end of the window; before it as often as `early` fires, after it as often as `late` does; finishes at the end
 *   of the window when there is no `late`
 * - `after-count`: when so many records came; once
 * - `after-processing-time`: so long after the pane's first record, or at the next multiple of `alignMs` after that; once
 * - `continuous-event-time`, `continuous-processing-time`: at every multiple of the interval at which the pane has news, and at the end
 * - `delta`: when a record differs by more than the threshold from the one at the last firing
 * - `never`; `repeatedly`: begins anew whenever the inner one finishes
 * - `after-each`: one after the other; `after-all`: when all want to; `after-first`: when one wants to; the last two once
 * - `or-finally`: as the first, until the second fires, which ends it
 * - `purging`: as the inner one, and the window forgets its records at each firing
 */
export type TriggerSpec =
  | { readonly kind: 'on-window-end' }
  | { readonly kind: 'after-watermark'; readonly early?: TriggerSpec; readonly late?: TriggerSpec }
  | { readonly kind: 'after-count'; readonly count: number }
  | { readonly kind: 'after-processing-time'; readonly delayMs: number; readonly alignMs?: number }
  | { readonly kind: 'continuous-event-time' | 'continuous-processing-time'; readonly intervalMs: number }
  | { readonly kind: 'delta'; readonly threshold: number; readonly delta: (from: never, to: never) => number }
  | { readonly kind: 'never' }
  | { readonly kind: 'repeatedly' | 'purging'; readonly trigger: TriggerSpec }
  | { readonly kind: 'after-each' | 'after-all' | 'after-first'; readonly triggers: readonly TriggerSpec[] }
  | { readonly kind: 'or-finally'; readonly trigger: TriggerSpec; readonly until: TriggerSpec }
  | { readonly kind: 'custom'; readonly trigger: Trigger<never, never, never> }

/** What a trigger says: go on collecting, emit a pane, forget the records, or both of these. */
export type TriggerResult = 'continue' | 'fire' | 'purge' | 'fire-and-purge'

/** What a trigger of your own can reach. State and timers are those of one key and window. */
export interface TriggerContext<S, W extends TimeWindow = TimeWindow> {
  readonly window: W
  /** The window's watermark in epoch ms; -Infinity before the first one. */
  currentWatermark(): number
  /** Processing time in epoch ms. */
  currentProcessingTime(): number
  readonly state: S
  setState(state: S): void
  registerEventTimeTimer(timestampMs: number): void
  deleteEventTimeTimer(timestampMs: number): void
  registerProcessingTimeTimer(timestampMs: number): void
  deleteProcessingTimeTimer(timestampMs: number): void
}

/**
 * A trigger of your own, in the manner of Flink. Its calls come one at a time; the end of the window is an event-time timer that it has to
 * register itself. A window with a trigger that has no `merge` cannot be a merging one.
 */
export interface Trigger<T, S = undefined, W extends TimeWindow = TimeWindow> {
  /** In words, for plans. */
  readonly description?: string
  /** The state to begin with. */
  create?(): S
  onRecord(record: T, timestampMs: number, ctx: TriggerContext<S, W>): TriggerResult
  onEventTime?(timestampMs: number, ctx: TriggerContext<S, W>): TriggerResult
  onProcessingTime?(timestampMs: number, ctx: TriggerContext<S, W>): TriggerResult
  /** Joins the states of merged windows; timers are joined by the engine. */
  merge?(a: S, b: S): S
}

/** The trigger in words, for plans: `after watermark early (after count 2)`. */
export function triggerText(trigger: TriggerSpec): string {
  switch (trigger.kind) {
    case 'after-watermark':
      return `after watermark${inner(' early', trigger.early)}${inner(' late', trigger.late)}`
    case 'after-count':
      return `after count ${trigger.count}`
    case 'after-processing-time':
      return `after processing time ${trigger.delayMs} ms${trigger.alignMs === undefined ? '' : ` aligned to ${trigger.alignMs} ms`}`
    case 'continuous-event-time':
    case 'continuous-processing-time':
      return `${words(trigger.kind)} ${trigger.intervalMs} ms`
    case 'delta':
      return `delta ${trigger.threshold}`
    case 'repeatedly':
    case 'purging':
      return `${trigger.kind} (${triggerText(trigger.trigger)})`
    case 'after-each':
    case 'after-all':
    case 'after-first':
      return `${words(trigger.kind)} (${trigger.triggers.map(triggerText).join(', ')})`
    case 'or-finally':
      return `${triggerText(trigger.trigger)} or finally (${triggerText(trigger.until)})`
    case 'custom':
      return trigger.trigger.description ?? 'custom trigger'
    default:
      return words(trigger.kind)
  }
}

/** The triggers directly inside a trigger. */
export function innerTriggers(trigger: TriggerSpec): readonly TriggerSpec[] {
  switch (trigger.kind) {
    case 'after-watermark':
      return [trigger.early, trigger.late].filter(part => part !== undefined)
    case 'repeatedly':
    case 'purging':
      return [trigger.trigger]
    case 'after-each':
    case 'after-all':
    case 'after-first':
      return trigger.triggers
    case 'or-finally':
      return [trigger.trigger, trigger.until]
    default:
      return []
  }
}

function inner(label: string, trigger: TriggerSpec | undefined): string {
  return trigger === undefined ? '' : `${label} (${triggerText(trigger)})`
}

function words(kind: string): string {
  return kind.replaceAll('-', ' ')
}
