// The head of an iteration: passes on the records of its input and those that come back over the feedback edge. The end of input
// waits until the loop is empty; the task finds that out with end markers and tells the head by `release`.
import { LoopLog } from './loop-log.ts'
import type { Emit, Operator, OperatorContext } from './operator.ts'

/** A feedback head holds the last watermark while records may still come round. */
export interface FeedbackOperator extends Operator {
  /** What comes back while the barrier of a snapshot is in the loop. */
  readonly log: LoopLog
  /** The loop is empty: lets the final watermark pass. */
  release(): void
}

/** The operator of a feedback head. */
export function feedbackOperator(context: OperatorContext): FeedbackOperator {
  const input: Emit = record => context.output(record)
  let isReleased = false
  let newest = -Infinity
  const log = new LoopLog()
  return {
    inputs: [input],
    log,
    parts: [log],
    outputWatermark: inputWatermark => {
      if (inputWatermark !== Infinity || isReleased) newest = inputWatermark
      return newest
    },
    release: () => {
      isReleased = true
    },
  }
}
