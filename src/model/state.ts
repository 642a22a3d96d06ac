// Descriptors of state (declared up front with the operator) and the handles that functions get for them.

import { preview, StreamError } from '../base/errors.ts'
import type { AggregateFunction } from './aggregate-function.ts'
import { checkedStateOptions, type StateOptions } from './state-options.ts'

/** State that holds one value per key. */
export interface ValueDescriptor<V> extends StateOptions<V> {
  readonly kind: 'value'
  /** Makes the value that `get` returns while nothing was set. */
  readonly initial: () => V
}

/** State that holds a list per key. */
export interface ListDescriptor<V> extends StateOptions<V> {
  readonly kind: 'list'
  readonly element?: V
}

/** State that holds a map per key; its keys are strings, numbers, booleans or bigints. */
export interface MapDescriptor<MK extends MapKey, V> extends StateOptions<V> {
  readonly kind: 'map'
  readonly entry?: readonly [MK, V]
}

/** What a key inside map state may be. */
export type MapKey = string | number | boolean | bigint

/** State that holds, per key, elements in the order of a time. */
export interface OrderedListDescriptor<V> extends StateOptions<V> {
  readonly kind: 'ordered-list'
  readonly element?: V
}

/** State that holds, per key, what all its values come to when they are joined two by two. */
export interface ReducingDescriptor<V> extends StateOptions<V> {
  readonly kind: 'reducing'
  reduce(a: V, b: V): V
}

/** State that holds, per key, the accumulator of an aggregation: what is written to snapshots, and what the options are about. */
export interface AggregatingDescriptor<T, A, R> extends StateOptions<A> {
  readonly kind: 'aggregating'
  readonly aggregate: AggregateFunction<T, A, R>
}

/** Any declared state. */
export type StateDescriptor =
  | ValueDescriptor<unknown>
  | ListDescriptor<unknown>
  | MapDescriptor<MapKey, unknown>
  | OrderedListDescriptor<unknown>
  | ReducingDescriptor<unknown>
  | AggregatingDescriptor<unknown, unknown, unknown>

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
export function value<V>(initial: V | (() => V), options?: StateOptions<V>): ValueDescriptor<V>
export function value<V>(initial?: undefined, options?: StateOptions<V>): ValueDescriptor<V | undefined>
export function value(initial?: unknown, options?: StateOptions<unknown>): ValueDescriptor<unknown> {
  if (typeof initial === 'object' && initial !== null && !Object.isFrozen(initial)) {
    throw new StreamError(
      'OPTION_INVALID',
      'value() was given an object, which all keys would share; give a function that makes it: value(() => ({ ... }))',
    )
  }
  const make = typeof initial === 'function' ? (initial as () => unknown) : () => initial
  return Object.freeze({ ...checkedStateOptions('value()', options), kind: 'value', initial: make })
}

/**
 * Declares state of one list per key.
 * @example
 * ```ts
 * import { list } from 'millrace'
 * console.log(list<number>().kind)
 * ```
 */
export function list<V>(options?: StateOptions<V>): ListDescriptor<V> {
  return Object.freeze({ ...checkedStateOptions('list()', options), kind: 'list' })
}

/**
 * Declares state of one map per key.
 * @example
 * ```ts
 * import { map } from 'millrace'
 * console.log(map<string, number>().kind)
 * ```
 */
export function map<MK extends MapKey, V>(options?: StateOptions<V>): MapDescriptor<MK, V> {
  return Object.freeze({ ...checkedStateOptions('map()', options), kind: 'map' })
}

/**
 * Declares state of one list per key that is ordered by a time: for what is searched by time, and let go of from the oldest.
 * @example
 * ```ts
 * import { orderedList } from 'millrace'
 * console.log(orderedList<string>().kind)
 * ```
 */
export function orderedList<V>(options?: StateOptions<V>): OrderedListDescriptor<V> {
  return Object.freeze({ ...checkedStateOptions('orderedList()', options), kind: 'ordered-list' })
}

/**
 * Declares state of one value per key, into which values are joined two by two. The function may not change the values it is given.
 * @example
 * ```ts
 * import { reducing } from 'millrace'
 * const state = { longest: reducing<string>((a, b) => (b.length > a.length ? b : a)) }
 * console.log(state.longest.kind)
 * ```
 */
export function reducing<V>(reduce: (a: V, b: V) => V, options?: StateOptions<V>): ReducingDescriptor<V> {
  if (typeof reduce !== 'function')
    throw new StreamError('OPTION_INVALID', `reducing() was given ${preview(reduce)}; give a function of two values`)
  return Object.freeze({ ...checkedStateOptions('reducing()', options), kind: 'reducing', reduce })
}

/**
 * Declares state of one accumulator per key, to which records are added. The options are about the accumulators: a codec writes them, and
 * `migrate` gets them.
 * @example
 * ```ts
 * import { aggregating, count } from 'millrace'
 * const state = { seen: aggregating(count()) }
 * console.log(state.seen.kind)
 * ```
 */
export function aggregating<T, A, R>(
  aggregate: AggregateFunction<T, A, R>,
  options?: StateOptions<A>,
): AggregatingDescriptor<T, A, R> {
  for (const name of ['create', 'add', 'result'] as const) {
    if (typeof aggregate?.[name] === 'function') continue
    throw new StreamError('OPTION_INVALID', `aggregating() was given an aggregate without ${name}(); give it one`)
  }
  return Object.freeze({ ...checkedStateOptions('aggregating()', options), kind: 'aggregating', aggregate })
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

/** What the values added for the current key come to. */
export interface ReducingState<V> {
  /** Undefined while nothing was added. */
  get(): V | undefined
  add(value: V): void
  clear(): void
}

/** The aggregation of what was added for the current key. */
export interface AggregatingState<T, R> {
  /** The result so far; undefined while nothing was added. */
  get(): R | undefined
  add(record: T): void
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
          : D extends ReducingDescriptor<infer V>
            ? ReducingState<V>
            : D extends AggregatingDescriptor<infer T, infer _A, infer R>
              ? AggregatingState<T, R>
              : never

/** The handles of all declared state, by name. */
export type StateHandles<S> = { readonly [Name in keyof S]: StateHandle<S[Name]> }
