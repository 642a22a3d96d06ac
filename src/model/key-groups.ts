// Key groups: the unit in which keyed state is divided and moved. A key belongs to one for the life of the state.

/** A range of key groups, `from` included, `to` excluded. */
export interface KeyGroupRange {
  readonly from: number
  readonly to: number
}

/** The key group of a key with the given (unsigned 32-bit) hash. */
export function keyGroupOf(hash: number, maxParallelism: number): number {
  return hash % maxParallelism
}

/** The subtask that owns a key group, by contiguous ranges. */
export function subtaskOfKeyGroup(keyGroup: number, parallelism: number, maxParallelism: number): number {
  return Math.floor((keyGroup * parallelism) / maxParallelism)
}

/** The key groups that a subtask owns; together the subtasks own each group exactly once. */
export function keyGroupRange(subtaskIndex: number, parallelism: number, maxParallelism: number): KeyGroupRange {
  return {
    from: Math.ceil((subtaskIndex * maxParallelism) / parallelism),
    to: Math.ceil(((subtaskIndex + 1) * maxParallelism) / parallelism),
  }
}
