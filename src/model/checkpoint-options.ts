// What a job says about its checkpoints, as data: how often, how barriers travel, how long one may take, how many are kept.
import { preview } from '../base/errors.ts'

/**
 * What a recovery makes of the records behind the checkpoint. `exactly-once`: they are read again, and count once in state: barriers are aligned, or
 * carry what they overtook. `at-least-once`: they are read again, and may count twice in state: no input waits at a barrier. `at-most-once`: after a
 * failure that the process survives they are not read again: state goes back to the checkpoint, and sources go on behind the last record that they
 * emitted, so that what was read in between is lost from state, and from sinks what had not got there. A new process, or a thread in place
 * of one that was lost, knows the checkpoint alone: it reads from there, as with `at-least-once`.
 */
export type CheckpointMode = 'exactly-once' | 'at-least-once' | 'at-most-once'

/** When and how a job takes checkpoints. A failed checkpoint never restarts a healthy job. */
export interface CheckpointOptions {
  /** From one trigger to the next, ms; Infinity for none but those asked for and the one at the end of all input. */
  readonly intervalMs: number
  /** What holds after a failure; `exactly-once` unless said otherwise. */
  readonly mode?: CheckpointMode
  /** From the end of one to the trigger of the next, ms, however long the first took. Default 0. */
  readonly minPauseMs?: number
  /** A snapshot that takes longer is given up, ms; Infinity for no limit. Default 10 minutes. */
  readonly timeoutMs?: number
  /** One checkpoint more than this may fail in a row before the job fails with CHECKPOINT_FAILED. Default Infinity: it never does. */
  readonly tolerableFailures?: number
  /** A barrier that waits longer than this for its fellows overtakes records, ms. Default Infinity: it never does. */
  readonly alignmentTimeoutMs?: number
  /** True: barriers overtake records at once, and checkpoints hold the records overtaken. Default false. */
  readonly isUnaligned?: boolean
  /** How many complete checkpoints are kept. Default 3. */
  readonly retained?: number
}

/** Checkpoint options with every default filled in. */
export type CheckpointSettings = Required<CheckpointOptions>

/** What holds where the options say nothing. */
export const CHECKPOINT_DEFAULTS: CheckpointSettings = Object.freeze({
  intervalMs: Infinity,
  mode: 'exactly-once',
  minPauseMs: 0,
  timeoutMs: 600_000,
  tolerableFailures: Infinity,
  alignmentTimeoutMs: Infinity,
  isUnaligned: false,
  retained: 3,
})

/** The first mistake of the options in words, with the mend; undefined when there is none. */
export function checkpointOptionsMistake(options: CheckpointOptions): string | undefined {
  if (typeof options !== 'object' || options === null)
    return `checkpoint options are ${preview(options)}; give an object, as in { intervalMs: 10_000 }`
  for (const [name, value] of Object.entries(options)) {
    const rule = Object.hasOwn(RULES, name) ? RULES[name as keyof CheckpointOptions] : undefined
    if (rule === undefined) return `checkpoint options have no ${name}; they have ${Object.keys(RULES).join(', ')}`
    // Only the interval must be there; the others may be given as undefined.
    if (value === undefined && name !== 'intervalMs') continue
    if (!rule.isValid(value)) return `checkpoint option ${name} is ${preview(value)}; give ${rule.expected}`
  }
  if (options.intervalMs === undefined)
    return `checkpoint option intervalMs is missing; give ${RULES.intervalMs.expected}`
  return contradiction(options)
}

/** The options with all defaults in; none at all: only the snapshot at the end of all input. The options must have no mistake. */
export function checkpointSettings(options?: CheckpointOptions): CheckpointSettings {
  const given = Object.entries(options ?? {}).filter(([, value]) => value !== undefined)
  return Object.freeze({ ...CHECKPOINT_DEFAULTS, ...Object.fromEntries(given) })
}

interface Rule {
  readonly isValid: (value: unknown) => boolean
  readonly expected: string
}

const RULES: Readonly<Record<keyof CheckpointOptions, Rule>> = {
  intervalMs: { isValid: value => isFrom(value, 1), expected: 'milliseconds from 1, or Infinity for on request only' },
  mode: {
    isValid: value => value === 'exactly-once' || value === 'at-least-once' || value === 'at-most-once',
    expected: "'exactly-once', 'at-least-once' or 'at-most-once'",
  },
  minPauseMs: { isValid: value => isFrom(value, 0) && value !== Infinity, expected: 'finite milliseconds from 0' },
  timeoutMs: { isValid: value => isFrom(value, 1), expected: 'milliseconds from 1, or Infinity for no limit' },
  tolerableFailures: { isValid: value => isCount(value, 0), expected: 'a whole number from 0, or Infinity' },
  alignmentTimeoutMs: { isValid: value => isFrom(value, 0), expected: 'milliseconds from 0, or Infinity for never' },
  isUnaligned: { isValid: value => typeof value === 'boolean', expected: 'true or false' },
  retained: { isValid: value => isCount(value, 1) && value !== Infinity, expected: 'a whole number from 1' },
}

function isFrom(value: unknown, min: number): value is number {
  return typeof value === 'number' && value >= min
}

function isCount(value: unknown, min: number): boolean {
  return isFrom(value, min) && (Number.isInteger(value) || value === Infinity)
}

// Each of these would leave one of two options without effect, and nobody would know.
function contradiction({ mode, isUnaligned, alignmentTimeoutMs = Infinity }: CheckpointOptions): string | undefined {
  const overtakes = isUnaligned === true ? 'isUnaligned is true' : `alignmentTimeoutMs is ${alignmentTimeoutMs}`
  const isAligned = mode === undefined || mode === 'exactly-once'
  if (!isAligned && (isUnaligned === true || alignmentTimeoutMs !== Infinity))
    return `checkpoint option ${overtakes}, but ${mode} does not align barriers; leave it out, or use mode 'exactly-once'`
  if (isUnaligned === true && alignmentTimeoutMs !== Infinity && alignmentTimeoutMs !== 0)
    return `checkpoint option alignmentTimeoutMs is ${alignmentTimeoutMs}, but with isUnaligned nothing is aligned; leave one of them out`
  return undefined
}
