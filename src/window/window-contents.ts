// Record path. What a window holds per key, and what it gives when it fires: an accumulator, or the elements themselves.
import { StreamError } from '../base/errors.ts'
import type { AggregateFunction, Collector, TimeWindow } from '../model/functions.ts'
import type { Key } from '../model/key.ts'
import type { WindowSpec } from '../model/window-spec.ts'
import { KeyEntry } from '../state/keyed-table.ts'

/** What a window keeps for one key. */
export class WindowEntry extends KeyEntry {
  /** The accumulator, or the elements; undefined when there is nothing. */
  content: unknown = undefined
  /** Records since the last firing, for count triggers. */
  count = 0

  isEmpty(): boolean {
    return this.content === undefined && this.count === 0
  }
}

/** Adds a record to the contents of a key in a window. */
export type AddToWindow = (entry: WindowEntry, record: unknown) => void

/** Emits the result of a key's contents. */
export type EmitWindow = (entry: WindowEntry, window: TimeWindow, out: Collector<unknown>) => void

/** The accumulator that a user's `add` returned. Throws USER_FUNCTION_RESULT when it forgot to return one. */
export function checkAccumulator(accumulator: unknown): unknown {
  if (accumulator !== undefined) return accumulator
  throw new StreamError(
    'USER_FUNCTION_RESULT',
    'add() of the aggregate returned undefined; let it return the accumulator',
  )
}

/** The behaviour of a windowing's function. */
export interface WindowContents {
  readonly add: AddToWindow
  readonly emit: EmitWindow
}

/** The contents for a windowing: incremental where the function allows it, all elements where an evictor or `apply` needs them. */
export function windowContents(spec: WindowSpec): WindowContents {
  const { function: definition, evictor } = spec
  if (definition.kind === 'aggregate' && evictor === undefined) return incremental(definition.aggregate)
  const keepNewest = evictor === undefined ? Infinity : evictor.count
  return buffered(spec, keepNewest)
}

function incremental(aggregate: AggregateFunction<unknown, unknown, unknown>): WindowContents {
  return {
    add: (entry, record) => {
      const before = entry.content
      const accumulator = aggregate.add(before === undefined ? aggregate.create() : before, record)
      if (accumulator !== before || accumulator === undefined) entry.content = checkAccumulator(accumulator)
    },
    emit: (entry, _window, out) => {
      out.collect(aggregate.result(entry.content))
    },
  }
}

function buffered(spec: WindowSpec, keepNewest: number): WindowContents {
  const { function: definition } = spec
  return {
    add: (entry, record) => {
      const elements = entry.content as unknown[] | undefined
      if (elements === undefined) entry.content = [record]
      else elements.push(record)
    },
    emit: (entry, window, out) => {
      const elements = entry.content as unknown[]
      if (elements.length > keepNewest) elements.splice(0, elements.length - keepNewest)
      if (definition.kind === 'apply') {
        // A copy: the function may keep what it is given, while the window goes on collecting.
        definition.apply(entry.key as Key, window, elements.slice() as never[], out)
        return
      }
      const aggregate: AggregateFunction<unknown, unknown, unknown> = definition.aggregate
      let accumulator: unknown = aggregate.create()
      for (const element of elements) accumulator = checkAccumulator(aggregate.add(accumulator, element))
      out.collect(aggregate.result(accumulator))
    },
  }
}
