// What happens to an operator in a test and what comes of it, as data: records, watermarks, passing time and the end, in the order written.
// Nothing runs here.
import type { EndMode } from '../operators/operator.ts'

/** One line of a script. */
export type ScriptStep =
  | {
      readonly kind: 'record'
      readonly value: unknown
      readonly timestamp: number | undefined
      readonly input: number
      readonly isRetraction: boolean
    }
  | { readonly kind: 'watermark'; readonly watermark: number; readonly input: number | undefined }
  | { readonly kind: 'status'; readonly isIdle: boolean; readonly input: number }
  | { readonly kind: 'processing-time'; readonly timeMs: number }
  | { readonly kind: 'end'; readonly mode: EndMode }

/** A record arrives, with a timestamp (epoch ms) if given, on input 0 unless said otherwise. */
export function record(
  value: unknown,
  options: { readonly timestamp?: number; readonly input?: number; readonly isRetraction?: boolean } = {},
): ScriptStep {
  const { timestamp, input = 0, isRetraction = false } = options
  return { kind: 'record', value, timestamp, input, isRetraction }
}

/** A watermark (epoch ms) arrives, on all inputs unless said otherwise. */
export function watermark(watermark: number, options: { readonly input?: number } = {}): ScriptStep {
  return { kind: 'watermark', watermark, input: options.input }
}

/** The sender of an input is idle. */
export function idle(input = 0): ScriptStep {
  return { kind: 'status', isIdle: true, input }
}

/** The sender of an input is active again. */
export function active(input = 0): ScriptStep {
  return { kind: 'status', isIdle: false, input }
}

/** What came so far is worked off, then processing time (epoch ms) moves on. */
export function processingTime(timeMs: number): ScriptStep {
  return { kind: 'processing-time', timeMs }
}

/** The end of all inputs; for a source: it is read until it ends by itself. */
export const end: ScriptStep = Object.freeze({ kind: 'end', mode: 'finish' })

/** A graceful stop reaches the operator over all inputs; a source is asked to end. */
export const stop: ScriptStep = Object.freeze({ kind: 'end', mode: 'stop' })

/** One thing that an operator sends on: a record with its timestamp, a watermark, a status. */
export type OutputElement =
  | { readonly value: unknown; readonly timestamp: number | undefined; readonly isRetraction?: true }
  | { readonly watermark: number }
  | { readonly isIdle: boolean }

/** A record that the operator emits, with its timestamp (epoch ms) if it has one. */
export function out(value: unknown, timestamp?: number): OutputElement {
  return { value, timestamp }
}

/** A record that takes back one emitted before. */
export function retracted(value: unknown, timestamp?: number): OutputElement {
  return { value, timestamp, isRetraction: true }
}

/** A watermark that the operator sends on. */
export function watermarkOut(watermark: number): OutputElement {
  return { watermark }
}

/** A change of the idle status that the operator sends on. */
export function statusOut(isIdle: boolean): OutputElement {
  return { isIdle }
}
