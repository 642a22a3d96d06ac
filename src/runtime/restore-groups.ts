// Which key groups a subtask has, in the words of snapshots.
import { keyGroupRange } from '../model/key-groups.ts'
import type { GroupRange } from '../recovery/snapshot/manifest.ts'

/** The key groups of a subtask, as snapshots name them. */
export function groupsOf(subtaskIndex: number, parallelism: number, maxParallelism: number): GroupRange {
  const { from, to } = keyGroupRange(subtaskIndex, parallelism, maxParallelism)
  return { from, to: to - 1 }
}
