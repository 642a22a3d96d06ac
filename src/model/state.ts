// Descriptors of state (declared up front with the operator) and the handles that functions get for them.

import { StreamError } from '../base/errors.ts'

/** State that holds one value per key. */
export interface ValueDescriptor<V> {
  readonly kind: 'value'
  /** Makes the value that `get` returns while nothing was set. */
  readonly initial: () => V
}

/** State that holds a list per key. */
export interface ListDescriptor<V> {
  readonly kind: 'list'
  readonly element?: V
}

/** State that holds a map per key; its keys are strings, numbers, booleans or bigints. */
export interface MapDescriptor<MK extends MapKey, V> {
  readonly kind: 'map'
  readonly entry?: readonly [MK, V]
}

/** What a key inside map state may be. */
export type MapKey = string | number | boolean | bigint

/** State that holds, per key, elements in the order of a time. */
export interface OrderedListDescriptor<V> {
  readonly kind: 'ordered-list'
  readonly element?: V
}

/** Any declared state. */
export type StateDescriptor =
  | ValueDescriptor<unknown>
  | ListDescriptor<unknown>
  | MapDescriptor<MapKey, unknown>
  | OrderedListDescriptor<unknown>

/** The declared state of an operator, by name. */
export type StateDescriptors = Readonly<Record<string, StateDescriptor>>

/**
 * Declares state of one value per key, with the value that `get` returns while nothing was set (or a function that makes it).
 * @example
 * ```ts
 * import { value } from 'millrace'
 * const state = { count: value(0), seen: value(() => new Set<string>()) }
 * console.log(state.count.kind)
 * ```
 */
export function value<V>(initial: V | (() => V)): ValueDescriptor<V>
export function value<V>(): ValueDescriptor<V | undefined>
export function value(initial?: unknown): ValueDescriptor<unknown> {
  if (typeof initial === 'object' && initial !== null && !Object.isFrozen(initial)) {
    throw new StreamError(
      'OPTION_INVALID',
      'value() was given an object, which all keys would share; give a function that makes it: value(() => ({ ... }))',
    )
  }
  const make = typeof initial === 'function' ? (initial as () => unknown) : () => initial
  return Object.freeze({ kind: 'value', initial: make })
}

/**
 * Declares state of one list per key.
 * @example
 * ```ts
 * import { list } from 'millrace'
 * console.log(list<number>().kind)
 * ```
 */
export function list<V>(): ListDescriptor<V> {
  return Object.freeze({ kind: 'list' })
}

/**
 * Declares state of one map per key.
 * @example
 * ```ts
 * import { map } from 'millrace'
 * console.log(map<string, number>().kind)
 * ```
 */
export function map<MK extends MapKey, V>(): MapDescriptor<MK, V> {
  return Object.freeze({ kind: 'map' })
}

/**
 * Declares state of one list per key that is ordered by a time: for what is searched by time, and let go of from the oldest.
 * @example
 * ```ts
 * import { orderedList } from 'millrace'
 * console.log(orderedList<string>().kind)
 * ```
 */
export function orderedList<V>(): OrderedListDescriptor<V> {
  return Object.freeze({ kind: 'ordered-list' })
}

/**
 * The value of the current key. State owns what it is given: do not change an object after `set`. To set undefined is to clear:
 * `get` then returns the initial value again.
 */
export interface ValueState<V> {
  get(): V
  set(value: V): void
  clear(): void
}

/** The list of the current key. */
export interface ListState<V> {
  /** The elements in the order added; empty when none. Do not keep it beyond the call. */
  get(): readonly V[]
  add(element: V): void
  set(elements: readonly V[]): void
  clear(): void
}

/** The map of the current key. Iteration follows insertion. */
export interface MapState<MK extends MapKey, V> {
  get(key: MK): V | undefined
  set(key: MK, value: V): void
  has(key: MK): boolean
  delete(key: MK): boolean
  keys(): IterableIterator<MK>
  entries(): IterableIterator<[MK, V]>
  readonly size: number
  clear(): void
}

/**
 * The elements of the current key in the order of their times (epoch ms, or any other number); equal times in the order added. To add
 * at the end, to read and to take from the front is cheap; to add far from the end moves what comes after.
 */
export interface OrderedListState<V> {
  readonly size: number
  /** The time of the first element; Infinity when there is none. */
  firstTimeMs(): number
  /** Adds an element behind those of the same time. Throws TIMESTAMP_INVALID when the time is not a number. */
  add(timeMs: number, element: V): void
  /** Removes the first element and returns it; undefined when there is none. */
  shift(): V | undefined
  /** The last element at or before the time; undefined when there is none. */
  floor(timeMs: number): V | undefined
  /** The time of the last element at or before the time; -Infinity when there is none. */
  floorTimeMs(timeMs: number): number
  /** Visits the elements from one time to another, both included, in order. The visitor must not add or remove elements. */
  forEach(visit: (element: V, timeMs: number) => void, fromMs?: number, toMs?: number): void
  /** Removes the elements from one time to another, both included. */
  remove(fromMs: number, toMs: number): void
  clear(): void
}

/** The handle that belongs to a descriptor. */
export type StateHandle<D> =
  D extends ValueDescriptor<infer V>
    ? ValueState<V>
    : D extends ListDescriptor<infer V>
      ? ListState<V>
      : D extends MapDescriptor<infer MK, infer V>
        ? MapState<MK, V>
        : D extends OrderedListDescriptor<infer V>
          ? OrderedListState<V>
          : never

/** The handles of all declared state, by name. */
export type StateHandles<S> = { readonly [Name in keyof S]: StateHandle<S[Name]> }
