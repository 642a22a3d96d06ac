// Record path. What a reader emits into where nothing may be read twice: a failure of the steps behind the source does not go through the reader,
// which so comes to stand behind the record that failed, however it keeps its position.
import type { SourceOutput } from '../model/connector.ts'

/** Passes records on until one of them fails. */
export class CatchingOutput implements SourceOutput<unknown> {
  /** The first failure; whoever called the reader throws it when that has returned. */
  caught: { readonly error: unknown } | undefined = undefined
  private readonly output: SourceOutput<unknown>

  constructor(output: SourceOutput<unknown>) {
    this.output = output
  }

  emit(record: unknown, timestampMs?: number, isRetraction?: boolean): boolean {
    // A reader that goes on all the same emits nothing: its task has failed.
    if (this.caught !== undefined) return false
    try {
      return this.output.emit(record, timestampMs, isRetraction)
    } catch (error) {
      this.caught = { error }
      return false
    }
  }
}
