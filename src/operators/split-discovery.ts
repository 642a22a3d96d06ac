// Asks a source for new splits while its job runs. Every subtask asks for itself and takes those that its share of the ids falls on, so none
// is read twice; it does not read them.
import { hashText } from '../base/hash.ts'
import type { Source, Split } from '../model/connector.ts'
import type { OperatorContext } from './operator.ts'
import { atStep } from './user-failure.ts'

/** What a discovery works with. */
export interface SplitDiscoveryInit<R> {
  readonly source: Source<unknown>
  /** From an answer to the next question. */
  readonly everyMs: number
  readonly context: OperatorContext
  /** Opens the reader of a split. */
  readonly open: (split: Split) => Promise<R>
  /** Closes one that nobody takes any more. */
  readonly close: (reader: R) => void | Promise<void>
  /** Takes an open reader, in a step of the task. */
  readonly take: (reader: R) => void
}

/** Looks for new splits for one subtask. */
export class SplitDiscovery<R> {
  private readonly init: SplitDiscoveryInit<R>
  /** All splits of the source, whoever reads them: those that the job started with, and what was found since. */
  private readonly known: Set<string>
  private dueMs: number
  /** Readers that are open and not taken yet. */
  private opened: R[] = []
  private isClosed = false

  /** `known` are the ids of the splits of all subtasks. */
  constructor(init: SplitDiscoveryInit<R>, known: Iterable<string>) {
    this.init = init
    this.known = new Set(known)
    this.dueMs = init.context.clock.now() + init.everyMs
  }

  /** When to ask next, epoch ms; Infinity while the answer is awaited. */
  get nextTimerMs(): number {
    return this.dueMs
  }

  onProcessingTime(nowMs: number): void {
    if (nowMs < this.dueMs) return
    this.dueMs = Infinity
    this.ask().then(
      () => this.init.context.mailbox.post(() => this.deliver()),
      (error: unknown) => this.init.context.mailbox.post(() => this.fail(error)),
    )
  }

  /** Nothing is taken any more. What a question under way still opens is closed when it comes. */
  async close(): Promise<void> {
    this.isClosed = true
    for (const reader of this.opened.splice(0)) await this.init.close(reader)
  }

  private async ask(): Promise<void> {
    const { source, context, open, close } = this.init
    for (const split of (await source.newSplits?.(this.known)) ?? []) {
      if (this.isClosed) return
      if (this.known.has(split.id)) continue
      this.known.add(split.id)
      if (!isOf(context, split.id)) continue
      const reader = await open(split)
      // A method, because the compiler does not expect it to change during an await.
      if (this.hasClosed()) return close(reader)
      this.opened.push(reader)
    }
  }

  private hasClosed(): boolean {
    return this.isClosed
  }

  private deliver(): void {
    if (this.isClosed) return
    for (const reader of this.opened.splice(0)) this.init.take(reader)
    this.dueMs = this.init.context.clock.now() + this.init.everyMs
  }

  private fail(error: unknown): never {
    throw atStep(this.init.context.vertex, 'SOURCE_FAILED', error, 'it happened looking for new splits')
  }
}

// All subtasks come to the same answer without talking to each other, whatever each of them has found so far.
function isOf({ subtaskIndex, vertex }: OperatorContext, splitId: string): boolean {
  return hashText(splitId) % vertex.parallelism === subtaskIndex
}
