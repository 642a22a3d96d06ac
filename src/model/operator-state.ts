// State of an operator that belongs to no key: a few elements in each subtask, such as positions in what it reads by itself.
import { checkedStoredOptions, type StoredValueOptions } from './state-options.ts'

/** State of elements that are dealt out again to all subtasks when a job starts from a snapshot. */
export interface OperatorListDescriptor<V> extends StoredValueOptions<V> {
  readonly kind: 'operator-list'
  readonly element?: V
}

/** State of elements that every subtask gets all of when a job starts from a snapshot. */
export interface OperatorUnionDescriptor<V> extends StoredValueOptions<V> {
  readonly kind: 'operator-union'
  readonly element?: V
}

/** Any declared state without key. */
export type OperatorStateDescriptor = OperatorListDescriptor<unknown> | OperatorUnionDescriptor<unknown>

/** The declared state without key of a function, by name. */
export type OperatorStateDescriptors = Readonly<Record<string, OperatorStateDescriptor>>

/** For functions that declare none. */
export type NoOperatorState = Record<never, never>

/**
 * Declares a list of elements in each subtask. A job that starts from a snapshot deals the elements of all subtasks out again, whatever its
 * parallelism.
 * @example
 * ```ts
 * import { operatorList } from 'millrace'
 * console.log(operatorList<string>().kind)
 * ```
 */
export function operatorList<V>(options?: StoredValueOptions<V>): OperatorListDescriptor<V> {
  return Object.freeze({ ...checkedStoredOptions('operatorList()', options), kind: 'operator-list' })
}

/**
 * Declares a list of elements in each subtask. Each subtask of a job that starts from a snapshot gets the elements of all, and keeps what it
 * wants of them.
 * @example
 * ```ts
 * import { operatorUnion } from 'millrace'
 * console.log(operatorUnion<string>().kind)
 * ```
 */
export function operatorUnion<V>(options?: StoredValueOptions<V>): OperatorUnionDescriptor<V> {
  return Object.freeze({ ...checkedStoredOptions('operatorUnion()', options), kind: 'operator-union' })
}

/** The elements of this subtask. They are written whole with every snapshot: keep them few. */
export interface OperatorState<V> {
  /** The elements in order; those of a snapshot are there before the first record, in no particular order. Do not keep it beyond the call. */
  get(): readonly V[]
  add(element: V): void
  set(elements: readonly V[]): void
  clear(): void
}

/** The handles of all declared state without key, by name. */
export type OperatorStateHandles<P> = {
  readonly [Name in keyof P]: P[Name] extends OperatorListDescriptor<infer V>
    ? OperatorState<V>
    : P[Name] extends OperatorUnionDescriptor<infer V>
      ? OperatorState<V>
      : never
}
