// The handles of declared state with a watch around each: what goes in and what comes out of the state is told to the watch.
import type {
  ListState,
  MapKey,
  MapState,
  OrderedListState,
  ReducingState,
  StateDescriptor,
  ValueState,
} from '../model/state.ts'

/** Told of the objects of one state. */
export interface Watcher {
  /** The state hands it out. */
  out<V>(value: V): V
  /** It is given to the state. */
  in<V>(value: V): V
  /** It is no more part of the state. */
  gone(value: unknown): void
}

/** The handle, watched. What is aggregated stays in the state, so there is nothing to watch. */
export function watchedHandle(handle: unknown, descriptor: StateDescriptor, watcher: Watcher): unknown {
  switch (descriptor.kind) {
    case 'value':
      return watchedValue(handle as ValueState<unknown>, watcher)
    case 'list':
      return watchedList(handle as ListState<unknown>, watcher)
    case 'map':
      return watchedMap(handle as MapState<MapKey, unknown>, watcher)
    case 'ordered-list':
      return watchedOrderedList(handle as OrderedListState<unknown>, watcher)
    case 'reducing':
      return watchedReducing(handle as ReducingState<unknown>, watcher)
    case 'aggregating':
      return handle
  }
}

function watchedValue(state: ValueState<unknown>, watcher: Watcher): ValueState<unknown> {
  return {
    get: () => watcher.out(state.get()),
    set: value => {
      watcher.gone(state.get())
      state.set(watcher.in(value))
    },
    clear: () => {
      watcher.gone(state.get())
      state.clear()
    },
  }
}

function watchedList(state: ListState<unknown>, watcher: Watcher): ListState<unknown> {
  const replaced = (): void => state.get().forEach(watcher.gone)
  return {
    get: () => {
      const elements = state.get()
      elements.forEach(watcher.out)
      return elements
    },
    add: element => state.add(watcher.in(element)),
    set: elements => {
      replaced()
      elements.forEach(watcher.in)
      state.set(elements)
    },
    clear: () => {
      replaced()
      state.clear()
    },
  }
}

function watchedMap(state: MapState<MapKey, unknown>, watcher: Watcher): MapState<MapKey, unknown> {
  return {
    get size() {
      return state.size
    },
    get: key => watcher.out(state.get(key)),
    set: (key, value) => {
      watcher.gone(state.get(key))
      state.set(key, watcher.in(value))
    },
    has: key => state.has(key),
    delete: key => {
      watcher.gone(state.get(key))
      return state.delete(key)
    },
    keys: () => state.keys(),
    entries: () => {
      for (const [, value] of state.entries()) watcher.out(value)
      return state.entries()
    },
    clear: () => {
      for (const [, value] of state.entries()) watcher.gone(value)
      state.clear()
    },
  }
}

function watchedOrderedList(state: OrderedListState<unknown>, watcher: Watcher): OrderedListState<unknown> {
  return {
    get size() {
      return state.size
    },
    firstTimeMs: () => state.firstTimeMs(),
    add: (timeMs, element) => state.add(timeMs, watcher.in(element)),
    shift: () => {
      const first = state.shift()
      watcher.gone(first)
      return first
    },
    floor: timeMs => watcher.out(state.floor(timeMs)),
    floorTimeMs: timeMs => state.floorTimeMs(timeMs),
    forEach: (visit, fromMs, toMs) => {
      state.forEach((element, timeMs) => visit(watcher.out(element), timeMs), fromMs, toMs)
    },
    remove: (fromMs, toMs) => {
      state.forEach(watcher.gone, fromMs, toMs)
      state.remove(fromMs, toMs)
    },
    clear: () => {
      state.forEach(watcher.gone)
      state.clear()
    },
  }
}

function watchedReducing(state: ReducingState<unknown>, watcher: Watcher): ReducingState<unknown> {
  return {
    get: () => watcher.out(state.get()),
    add: value => {
      // The sum of the two may be either of them.
      watcher.gone(state.get())
      state.add(watcher.in(value))
    },
    clear: () => {
      watcher.gone(state.get())
      state.clear()
    },
  }
}
