// The contracts of functions over a stream and a broadcast one: what they are given, and who may change the broadcast state.
import type { Collector, KeyedContext, OpenContext, RecordContext, TimerContext } from './functions.ts'
import type { MapDescriptor, MapKey, MapState, StateDescriptors, StateHandle, StateHandles } from './state.ts'

/** The declared broadcast state of a step, by name: maps only. */
export type BroadcastDescriptors = Readonly<Record<string, MapDescriptor<MapKey, unknown>>>

/** A broadcast map as the records of the other stream see it. */
export type ReadOnlyMapState<MK extends MapKey, V> = Pick<MapState<MK, V>, 'get' | 'has' | 'keys' | 'entries' | 'size'>

/** The broadcast maps, by name, for reading. */
export type ReadOnlyHandles<B> = {
  readonly [Name in keyof B]: B[Name] extends MapDescriptor<infer MK, infer V> ? ReadOnlyMapState<MK, V> : never
}

/** What a function without key gets beside a record of its own stream. */
export interface BroadcastReadContext<B extends BroadcastDescriptors> extends RecordContext {
  /** To be read. All subtasks get the same broadcast records, so what `onBroadcast` makes of them is the same everywhere. */
  readonly broadcast: ReadOnlyHandles<B>
}

/** What a function gets beside a broadcast record; there is no key. */
export interface BroadcastWriteContext<B extends BroadcastDescriptors> extends RecordContext {
  /** To be read and changed. Use nothing here that differs between subtasks, or they will disagree. */
  readonly broadcast: StateHandles<B>
}

/** What a keyed function gets beside a record of its own stream. */
export interface KeyedBroadcastReadContext<K, S extends StateDescriptors, B extends BroadcastDescriptors>
  extends KeyedContext<K, S> {
  readonly broadcast: ReadOnlyHandles<B>
}

/** What a keyed function gets beside a timer. */
export interface BroadcastTimerContext<K, S extends StateDescriptors, B extends BroadcastDescriptors>
  extends TimerContext<K, S> {
  readonly broadcast: ReadOnlyHandles<B>
}

/** What a keyed function gets beside a broadcast record. */
export interface KeyedBroadcastWriteContext<K, S extends StateDescriptors, B extends BroadcastDescriptors>
  extends BroadcastWriteContext<B> {
  /** Calls the function for every key of this subtask that has something in the named state. Costs O(keys). */
  applyToKeyedState<Name extends keyof S>(name: Name, fn: (key: K, state: StateHandle<S[Name]>) => void): void
}

/** A function over a stream without key and a broadcast one. */
export interface BroadcastProcessFunction<T, U, O, B extends BroadcastDescriptors> {
  open?(context: OpenContext): void
  onRecord(record: T, ctx: BroadcastReadContext<B>, out: Collector<O>): void
  onBroadcast(record: U, ctx: BroadcastWriteContext<B>, out: Collector<O>): void
  close?(): void
}

/** A function over a keyed stream, with state and timers, and a broadcast one. */
export interface KeyedBroadcastProcessFunction<
  K,
  T,
  U,
  O,
  B extends BroadcastDescriptors,
  S extends StateDescriptors = Record<never, never>,
> {
  readonly state?: S
  open?(context: OpenContext): void
  onRecord(record: T, ctx: KeyedBroadcastReadContext<K, S, B>, out: Collector<O>): void
  onBroadcast(record: U, ctx: KeyedBroadcastWriteContext<K, S, B>, out: Collector<O>): void
  onTimer?(timestampMs: number, ctx: BroadcastTimerContext<K, S, B>, out: Collector<O>): void
  close?(): void
}
