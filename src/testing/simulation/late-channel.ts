// A channel of a simulated job that may give nothing for a while: what other channels carry overtakes it. Nothing is lost or changes its order.
import type { Element } from '../../runtime/batch.ts'
import type { ChannelInit } from '../../runtime/channel.ts'
import { CheckedChannel } from '../mutation-channel.ts'
import type { MutationLedger } from '../mutation-ledger.ts'

/** A channel that can be held up. */
export class LateChannel extends CheckedChannel {
  private readonly steps: () => number
  private untilStep = 0

  /** `steps` counts the steps of the run. */
  constructor(init: ChannelInit, steps: () => number, ledger?: MutationLedger) {
    super(init, ledger)
    this.steps = steps
  }

  /** Gives nothing until so many steps were made in all. */
  holdUntil(step: number): void {
    this.untilStep = step
  }

  override poll(): Element | undefined {
    return this.steps() < this.untilStep ? undefined : super.poll()
  }
}
