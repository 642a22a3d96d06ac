// What becomes of a job after a failure, as data: whether it is restarted, how often, and after what delay. recovery/ gives it behaviour.
import { preview, StreamError } from '../base/errors.ts'

/** At most so many restarts over the whole run, each after the same delay. */
export interface FixedDelayOptions {
  /** Restarts, from 0; Infinity for no limit. */
  readonly attempts: number
  readonly delayMs: number
}

/** Delays that grow from restart to restart, until the job has run for a while. */
export interface ExponentialDelayOptions {
  /** The delay of the first restart, ms. Default 1000. */
  readonly initialMs?: number
  /** No delay is longer, ms. Default 60,000. */
  readonly maxMs?: number
  /** How many times longer each delay is than the one before, from 1. Default 1.5. */
  readonly factor?: number
  /** Delays are longer or shorter by up to this share (0 to 1), so that many jobs do not come back at once. Default 0.1. */
  readonly jitter?: number
  /** After so long without a failure delays and attempts begin anew, ms. Default one hour. */
  readonly resetAfterMs?: number
  /** Restarts without such a time between, from 0; Infinity, the default, for no limit. */
  readonly attempts?: number
}

/** Restarts as long as failures are rare: as Flink documents it (in Flink's code the last failure that is borne fails the job already). */
export interface FailureRateOptions {
  /** So many failures within the interval are borne; with one more the job fails. From 0. */
  readonly failuresMax: number
  readonly intervalMs: number
  readonly delayMs: number
}

/** When a job is restarted after a failure; made by noRestart(), fixedDelay(), exponentialDelay() or failureRate(). */
export type RestartStrategy =
  | { readonly kind: 'none' }
  | ({ readonly kind: 'fixed-delay' } & FixedDelayOptions)
  | ({ readonly kind: 'exponential-delay' } & Required<ExponentialDelayOptions>)
  | ({ readonly kind: 'failure-rate' } & FailureRateOptions)

/**
 * The first failure ends the job.
 * @example
 * ```ts
 * import { noRestart } from 'millrace'
 * console.log(noRestart().kind) // none
 * ```
 */
export function noRestart(): RestartStrategy {
  return Object.freeze({ kind: 'none' })
}

/**
 * Restarts after the same delay each time, so many times over the whole run. Throws OPTION_INVALID.
 * @example
 * ```ts
 * import { fixedDelay, seconds } from 'millrace'
 * console.log(fixedDelay({ attempts: 3, delayMs: seconds(10) }).kind) // fixed-delay
 * ```
 */
export function fixedDelay(options: FixedDelayOptions): RestartStrategy {
  const { attempts, delayMs } = checked('fixedDelay', options, { attempts: COUNT, delayMs: DURATION })
  return Object.freeze({ kind: 'fixed-delay', attempts, delayMs })
}

/**
 * Restarts after a delay that grows from failure to failure; both begin anew after a while without one. Throws OPTION_INVALID.
 * @example
 * ```ts
 * import { exponentialDelay, seconds } from 'millrace'
 * console.log(exponentialDelay({ initialMs: 500, maxMs: seconds(30), factor: 2 }).kind) // exponential-delay
 * ```
 */
export function exponentialDelay(options: ExponentialDelayOptions = {}): RestartStrategy {
  const strategy = checked('exponentialDelay', options, EXPONENTIAL_RULES, EXPONENTIAL_DEFAULTS)
  if (strategy.maxMs < strategy.initialMs)
    throw invalid('exponentialDelay', 'maxMs', strategy.maxMs, `at least initialMs, which is ${strategy.initialMs}`)
  const { initialMs, maxMs, factor, jitter, resetAfterMs, attempts } = strategy
  return Object.freeze({ kind: 'exponential-delay', initialMs, maxMs, factor, jitter, resetAfterMs, attempts })
}

/**
 * Restarts after the same delay each time, while no more than so many failures fall into any interval. Throws OPTION_INVALID.
 * @example
 * ```ts
 * import { failureRate, minutes, seconds } from 'millrace'
 * console.log(failureRate({ failuresMax: 3, intervalMs: minutes(5), delayMs: seconds(10) }).kind) // failure-rate
 * ```
 */
export function failureRate(options: FailureRateOptions): RestartStrategy {
  const rules = { failuresMax: FINITE_COUNT, intervalMs: INTERVAL, delayMs: DURATION }
  const { failuresMax, intervalMs, delayMs } = checked('failureRate', options, rules)
  return Object.freeze({ kind: 'failure-rate', failuresMax, intervalMs, delayMs })
}

/** A strategy in words, for plans: `up to 3 restarts, 10000 ms after each failure`. */
export function restartText(strategy: RestartStrategy): string {
  switch (strategy.kind) {
    case 'none':
      return 'no restart'
    case 'fixed-delay':
      return `${attemptsText(strategy.attempts)}, ${strategy.delayMs} ms after each failure`
    case 'exponential-delay': {
      const { initialMs, maxMs, factor, resetAfterMs, attempts } = strategy
      return `${attemptsText(attempts)}, ${initialMs} to ${maxMs} ms after a failure (times ${factor} each), anew after ${resetAfterMs} ms without one`
    }
    case 'failure-rate':
      return `restarts up to ${strategy.failuresMax} failures in ${strategy.intervalMs} ms, ${strategy.delayMs} ms after each`
  }
}

function attemptsText(attempts: number): string {
  return attempts === Infinity ? 'restarts without limit' : `up to ${attempts} restart${attempts === 1 ? '' : 's'}`
}

interface Rule {
  readonly isValid: (value: number) => boolean
  readonly expected: string
}

const DURATION: Rule = {
  isValid: value => value >= 0 && value !== Infinity,
  expected: 'finite milliseconds from 0',
}
const INTERVAL: Rule = {
  isValid: value => value >= 1 && value !== Infinity,
  expected: 'finite milliseconds from 1',
}
const COUNT: Rule = {
  isValid: value => value >= 0 && (Number.isInteger(value) || value === Infinity),
  expected: 'a whole number from 0, or Infinity',
}
// Each failure within the interval is remembered, so their number has a bound.
const FINITE_COUNT: Rule = {
  isValid: value => value >= 0 && value <= 1e6 && Number.isInteger(value),
  expected: 'a whole number from 0 to 1000000',
}

const EXPONENTIAL_RULES: Readonly<Record<keyof ExponentialDelayOptions, Rule>> = {
  initialMs: INTERVAL,
  maxMs: INTERVAL,
  factor: { isValid: value => value >= 1 && value !== Infinity, expected: 'a finite number from 1' },
  jitter: { isValid: value => value >= 0 && value <= 1, expected: 'a number from 0 to 1' },
  resetAfterMs: INTERVAL,
  attempts: COUNT,
}
const EXPONENTIAL_DEFAULTS: Required<ExponentialDelayOptions> = {
  initialMs: 1000,
  maxMs: 60_000,
  factor: 1.5,
  jitter: 0.1,
  resetAfterMs: 3_600_000,
  attempts: Infinity,
}

/** The options with the defaults for those that are not given, each checked by its rule. */
function checked<Name extends string>(
  strategy: string,
  options: Readonly<Partial<Record<Name, number>>>,
  rules: Readonly<Record<Name, Rule>>,
  defaults?: Readonly<Record<Name, number>>,
): Record<Name, number> {
  if (typeof options !== 'object' || options === null)
    throw new StreamError('OPTION_INVALID', `${strategy}(${preview(options)}): give an object of options`)
  const names = Object.keys(rules) as Name[]
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(rules, name))
      throw new StreamError(
        'OPTION_INVALID',
        `${strategy}(): there is no option ${name}; there are ${names.join(', ')}`,
      )
  }
  return Object.fromEntries(
    names.map(name => {
      const value = options[name] ?? defaults?.[name]
      const { isValid, expected } = rules[name]
      if (typeof value !== 'number' || !isValid(value)) throw invalid(strategy, name, value, expected)
      return [name, value]
    }),
  ) as Record<Name, number>
}

function invalid(strategy: string, name: string, found: unknown, expected: string): StreamError {
  return new StreamError('OPTION_INVALID', `${strategy}(): ${name} is ${preview(found)}; give ${expected}`)
}
