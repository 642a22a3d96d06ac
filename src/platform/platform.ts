// What a runner is given of the place where it runs. Each place has a folder of its own beside this file.
import type { Clock } from '../base/clock.ts'
import type { EventLoop } from '../base/event-loop.ts'
import type { Logger } from '../base/logger.ts'
import type { TextOutput } from '../base/text-output.ts'

/** The ports of one thread. */
export interface Platform {
  readonly clock: Clock
  readonly eventLoop: EventLoop
  readonly logger: Logger
  /** Where printed records go. */
  readonly text: TextOutput
}
