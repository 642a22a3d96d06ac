// Threads build the graph of a job each for itself; a thread that builds another one must not run it.
import { StreamError } from '../../../base/errors.ts'

/** GRAPH_MISMATCH with the first line in which two texts of graphs differ; undefined for equal ones. */
export function graphMismatch(expected: string, found: string, thread: number): StreamError | undefined {
  if (expected === found) return undefined
  const [ours, theirs] = [expected.split('\n'), found.split('\n')]
  const at = ours.findIndex((line, index) => line !== theirs[index])
  const line = at < 0 ? ours.length : at
  const text = (lines: readonly string[]): string => (lines[line] === undefined ? 'nothing' : `"${lines[line]}"`)
  return new StreamError(
    'GRAPH_MISMATCH',
    `thread ${thread} built another graph: the main thread has ${text(ours)}, it has ${text(theirs)}; let job() build the same graph each time: from its arguments alone, not from the time, randomness, or what else may differ`,
  )
}
