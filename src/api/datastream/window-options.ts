// What may be said of a windowing beside its assigner and its function, checked and turned into data.
import type { TimeWindow } from '../../model/functions.ts'
import type { OutputTag } from '../../model/output-tag.ts'
import type { LateRecord } from '../../model/window-functions.ts'
import type { Accumulation, TimestampCombiner, WindowSpec } from '../../model/window-spec.ts'
import { optionInvalid, requireText, requireWhole } from './arguments.ts'
import { requireChoice } from './window-assigners.ts'
import { evictorSpec, type WindowEvictor } from './window-evictors.ts'
import { specOf, type WindowTrigger } from './window-triggers.ts'

/** When a window emits, what its panes are to each other, and what becomes of late records. */
export interface WindowOptions<T, W extends TimeWindow = TimeWindow> {
  /** When the window emits: at its end, and again for each late record, unless given. */
  readonly trigger?: WindowTrigger<T>
  /** Which elements leave the window before its function sees the others. The window then keeps all its elements. */
  readonly evictor?: WindowEvictor<T>
  /** How long after its end (event time, ms) a window takes late records; 0 unless given. */
  readonly allowedLatenessMs?: number
  /**
   * What a pane is to the one before it: `accumulating` (Flink's default and ours) replaces it, `discarding` adds to it, `retracting`
   * replaces it and takes it back first.
   */
  readonly accumulation?: Accumulation
  /**
   * Whether the pane at the end of the window leaves even if nothing came since the last one: `always` (as in Beam), or `if-not-empty`,
   * which is the default for discarding windows.
   */
  readonly onTimePane?: 'always' | 'if-not-empty'
  /**
   * Whether a last pane leaves when the window closes: `if-not-empty`, if it holds what was in no pane (the default); `always`; or `never`: what is
   * left is counted as `unfiredRecordsDropped` (Flink drops it).
   */
  readonly finalPane?: 'always' | 'if-not-empty' | 'never'
  /** The timestamp of results: the window's end - 1, or that of the pane's earliest or latest record, which holds the watermark back. */
  readonly timestampCombiner?: TimestampCombiner
  /** Whether a record too late for all its windows is counted (`drop`, the default) or fails the job with RECORD_LATE. */
  readonly lateRecords?: 'drop' | 'fail'
  /** Takes late records as they are; read it with `sideOutput(tag)`. */
  readonly lateOutput?: OutputTag<T>
  /** Takes late records with their window and lateness; read it with `sideOutput(tag)`. */
  readonly lateDetails?: OutputTag<LateRecord<T, W>>
  /**
   * Whether overlapping windows keep one accumulator for what they share (`shared`, the default): records are then joined in the order of time
   * slices rather than of arrival, and `merge()` is called.
   */
  readonly slices?: 'shared' | 'separate'
  /** Whether merging windows take back the results of windows that are no more (Kafka's tombstones): `stay` unless given. */
  readonly mergedPanes?: 'stay' | 'retract'
}

type Settings = Omit<WindowSpec, 'function' | 'assigner' | 'timeDomain' | 'inputs'>

/** The windowing with the options applied. Throws OPTION_INVALID for each that has a value it cannot have. */
export function withOptions<S extends Settings, T, W extends TimeWindow>(
  call: string,
  spec: S,
  options: WindowOptions<T, W>,
): S {
  return Object.freeze({ ...spec, ...checked(call, spec, options as unknown as WindowOptions<never, never>) })
}

function checked(call: string, spec: Settings, options: WindowOptions<never, never>): Partial<Settings> {
  const { trigger, evictor, allowedLatenessMs, lateOutput, lateDetails } = options
  requireChoices(call, options)
  if (allowedLatenessMs !== undefined) requireWhole(call, 'allowedLatenessMs', allowedLatenessMs, { min: 0 })
  if (lateOutput !== undefined) requireText(call, 'the id of lateOutput', lateOutput.id)
  if (lateDetails !== undefined) requireText(call, 'the id of lateDetails', lateDetails.id)
  requireDistinctTags(call, lateOutput?.id ?? spec.lateOutputTag, lateDetails?.id ?? spec.lateDetailsTag)
  const { accumulation = spec.accumulation } = options
  const isDiscarding = accumulation === 'discarding'
  return {
    ...defined(options, [
      'allowedLatenessMs',
      'finalPane',
      'timestampCombiner',
      'lateRecords',
      'slices',
      'mergedPanes',
    ]),
    accumulation,
    onTimePane: options.onTimePane ?? (isDiscarding ? 'if-not-empty' : spec.onTimePane),
    ...(trigger === undefined ? {} : { trigger: specOf(`${call}: trigger`, trigger) }),
    ...(evictor === undefined ? {} : { evictor: evictorSpec(`${call}: evictor`, evictor) }),
    ...(lateOutput === undefined ? {} : { lateOutputTag: lateOutput.id }),
    ...(lateDetails === undefined ? {} : { lateDetailsTag: lateDetails.id }),
  }
}

/** Throws OPTION_INVALID where late records would go to one tag both as they are and with details. */
export function requireDistinctTags(call: string, output: string | undefined, details: string | undefined): void {
  if (output === undefined || output !== details) return
  throw optionInvalid(call, `lateOutput and lateDetails have the same id "${output}"; give each its own tag`)
}

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  accumulation: ['discarding', 'accumulating', 'retracting'],
  onTimePane: ['always', 'if-not-empty'],
  finalPane: ['always', 'if-not-empty', 'never'],
  timestampCombiner: ['end-of-window', 'earliest', 'latest'],
  lateRecords: ['drop', 'fail'],
  slices: ['shared', 'separate'],
  mergedPanes: ['stay', 'retract'],
}

function requireChoices(call: string, options: WindowOptions<never, never>): void {
  for (const [name, choices] of Object.entries(CHOICES)) {
    const value = options[name as keyof typeof options]
    if (value !== undefined) requireChoice(call, name, value, choices)
  }
}

function defined<O extends object, K extends keyof O>(options: O, names: readonly K[]): Partial<Pick<O, K>> {
  const entries = names.filter(name => options[name] !== undefined).map(name => [name, options[name]])
  return Object.fromEntries(entries) as Partial<Pick<O, K>>
}
