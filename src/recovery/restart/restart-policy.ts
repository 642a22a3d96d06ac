// Decides after each failure whether a job is restarted, and when: the strategies of model/ with Flink's semantics. It counts failures
// and compares times that it is given; it neither waits nor restarts anything.
import type { Prng } from '../../base/prng.ts'
import type { RestartStrategy } from '../../model/restart-strategy.ts'

/** What to do after a failure; the reason is for people and says which limit was met. */
export type RestartDecision =
  | { readonly kind: 'restart'; readonly delayMs: number }
  | { readonly kind: 'give-up'; readonly reason: string }

type FixedDelay = Extract<RestartStrategy, { readonly kind: 'fixed-delay' }>
type ExponentialDelay = Extract<RestartStrategy, { readonly kind: 'exponential-delay' }>
type FailureRate = Extract<RestartStrategy, { readonly kind: 'failure-rate' }>

/** The memory of one run of a job: it begins anew with the process, not with a restart. */
export class RestartPolicy {
  private readonly strategy: RestartStrategy
  private readonly prng: Prng
  /** Restarts that count against the limit. */
  private attempts = 0
  /** The next delay before jitter, ms. */
  private delayMs = 0
  /** When the last restart that was decided is due. */
  private restartAtMs = -Infinity
  /** The times of the last failures, oldest first. */
  private failures: readonly number[] = []

  constructor(strategy: RestartStrategy, prng: Prng) {
    this.strategy = strategy
    this.prng = prng
  }

  /** Decides about one failure. Times are ms on a clock that does not go back (monotonic). */
  onFailure(nowMs: number): RestartDecision {
    switch (this.strategy.kind) {
      case 'none':
        return { kind: 'give-up', reason: 'the restart strategy is noRestart()' }
      case 'fixed-delay':
        return this.afterFixedDelay(this.strategy)
      case 'exponential-delay':
        return this.afterExponentialDelay(this.strategy, nowMs)
      case 'failure-rate':
        return this.byFailureRate(this.strategy, nowMs)
    }
  }

  private afterFixedDelay({ attempts, delayMs }: FixedDelay): RestartDecision {
    return this.attempts++ < attempts ? { kind: 'restart', delayMs } : tooManyRestarts('fixedDelay()', attempts)
  }

  private afterExponentialDelay(strategy: ExponentialDelay, nowMs: number): RestartDecision {
    // Failures of several tasks before the restart are one failure, as in Flink since 1.19.
    if (nowMs < this.restartAtMs) return { kind: 'restart', delayMs: this.restartAtMs - nowMs }
    const { initialMs, maxMs, factor, resetAfterMs, attempts } = strategy
    if (nowMs - this.restartAtMs >= resetAfterMs) {
      this.attempts = 0
      this.delayMs = initialMs
    }
    if (this.attempts++ >= attempts)
      return tooManyRestarts('exponentialDelay()', attempts, ` without ${resetAfterMs} ms of running between`)
    const delayMs = this.withJitter(strategy)
    this.delayMs = Math.min(maxMs, this.delayMs * factor)
    this.restartAtMs = nowMs + delayMs
    return { kind: 'restart', delayMs }
  }

  private withJitter({ initialMs, maxMs, jitter }: ExponentialDelay): number {
    const share = (this.prng.nextUint32() / 0xffffffff) * 2 - 1
    const delayMs = Math.round(this.delayMs * (1 + share * jitter))
    return Math.min(maxMs, Math.max(initialMs, delayMs))
  }

  private byFailureRate({ failuresMax, intervalMs, delayMs }: FailureRate, nowMs: number): RestartDecision {
    this.failures = [...this.failures.filter(failedMs => nowMs - failedMs <= intervalMs), nowMs]
    if (this.failures.length <= failuresMax) return { kind: 'restart', delayMs }
    const reason = `failures within ${intervalMs} ms: ${this.failures.length}, more than the ${failuresMax} that failureRate() bears`
    return { kind: 'give-up', reason }
  }
}

function tooManyRestarts(strategy: string, attempts: number, condition = ''): RestartDecision {
  const restarts = attempts === 1 ? 'restart' : 'restarts'
  return { kind: 'give-up', reason: `all ${attempts} ${restarts} that ${strategy} allows${condition} are used up` }
}
