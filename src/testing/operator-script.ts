// The words in which a test says what reaches an operator and what leaves it. Data only: operator-harness.ts plays it.

/** A record, with its event time in epoch ms where it has one. */
export interface RecordElement {
  readonly kind: 'record'
  readonly value: unknown
  readonly timestamp: number | undefined
  /** The input of the operator, from 0. */
  readonly input: number
}

/** What an operator may receive. Without `input` an element goes to all inputs. */
export type ScriptElement =
  | RecordElement
  | { readonly kind: 'watermark'; readonly watermark: number; readonly input: number | undefined }
  | { readonly kind: 'status'; readonly isIdle: boolean; readonly input: number | undefined }
  | { readonly kind: 'end'; readonly mode: 'finish' | 'stop'; readonly input: number | undefined }
  | { readonly kind: 'processing-time'; readonly timeMs: number }
  | { readonly kind: 'action'; readonly action: () => void }

/** What an operator may emit. */
export type OutputElement =
  | { readonly kind: 'record'; readonly value: unknown; readonly timestamp: number | undefined }
  | { readonly kind: 'watermark'; readonly watermark: number }
  | { readonly kind: 'status'; readonly isIdle: boolean }

/** A record; its timestamp in epoch ms. In the expected output, one without timestamp matches only records that have none. */
export function record(
  value: unknown,
  options: { readonly timestamp?: number; readonly input?: number } = {},
): RecordElement {
  return { kind: 'record', value, timestamp: options.timestamp, input: options.input ?? 0 }
}

/** The watermark: no record with a timestamp at or below it (epoch ms) follows. */
export function watermark(
  timestampMs: number,
  options: { readonly input?: number } = {},
): Extract<ScriptElement, { readonly kind: 'watermark' }> {
  return { kind: 'watermark', watermark: timestampMs, input: options.input }
}

/** The input has no records for now and holds no watermark back. */
export function idle(options: { readonly input?: number } = {}): Extract<ScriptElement, { readonly kind: 'status' }> {
  return { kind: 'status', isIdle: true, input: options.input }
}

/** The input has records again, or may have. */
export function active(options: { readonly input?: number } = {}): Extract<ScriptElement, { readonly kind: 'status' }> {
  return { kind: 'status', isIdle: false, input: options.input }
}

/** Processing time moves on to the given epoch ms. */
export function processingTime(timeMs: number): ScriptElement {
  return { kind: 'processing-time', timeMs }
}

/** The end of the data: the final watermark, then the end. What is pending fires. */
export function end(options: { readonly input?: number } = {}): ScriptElement {
  return { kind: 'end', mode: 'finish', input: options.input }
}

/** A graceful stop: pending windows and timers do not fire. A source is asked to stop. */
export function stop(options: { readonly input?: number } = {}): ScriptElement {
  return { kind: 'end', mode: 'stop', input: options.input }
}

/** Does something outside the operator at this point of the script: feeds a fake, resolves a promise. */
export function action(run: () => void): ScriptElement {
  return { kind: 'action', action: run }
}
