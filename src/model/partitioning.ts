// How records of an edge are spread over the subtasks of its target.
import type { KeySelector } from './key.ts'
import { keySelectorText } from './key.ts'

/**
 * The ways to spread records:
 * - `forward`: subtask i to subtask i (equal parallelism); `rebalance`: in turn over all; `rescale`: in turn over a local share of them
 * - `shuffle`: at random; `broadcast`: to all; `global`: to the first; `local-or-shuffle`: as forward where the target has as many subtasks, else at random
 * - `hash`: by key group of the key; `partial-key`: by the less loaded of two choices of the key
 * - `direct`: to the subtask index that the record names; `custom`: by a user function of key and subtask count
 */
export type Partitioning =
  | { readonly kind: 'forward' | 'rebalance' | 'rescale' | 'shuffle' | 'broadcast' | 'global' | 'local-or-shuffle' }
  | { readonly kind: 'hash' | 'partial-key'; readonly key: KeySelector }
  | { readonly kind: 'direct'; readonly target: (record: never) => number }
  | {
      readonly kind: 'custom'
      readonly key: KeySelector
      readonly partition: (key: never, subtaskCount: number) => number
    }

/** The kinds of partitioning. */
export type PartitioningKind = Partitioning['kind']

/** The partitioning in words, for plans: `hash(word)`. */
export function partitioningText(partitioning: Partitioning): string {
  return 'key' in partitioning ? `${partitioning.kind}(${keySelectorText(partitioning.key)})` : partitioning.kind
}
