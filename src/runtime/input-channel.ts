// The channels into a task, and what comes over them.
import type { Batch } from './batch.ts'
import type { Channel } from './channel.ts'

/** One channel into a task. */
export interface InputChannel {
  /** The input of the task's first vertex that it feeds. */
  readonly input: number
  readonly channel: Channel
  /** Feedback takes no part in watermarks, statuses and the end of input. */
  readonly isFeedback: boolean
}

/** A batch and where it came from. */
export interface ReceivedBatch {
  readonly batch: Batch
  readonly from: InputChannel
}
