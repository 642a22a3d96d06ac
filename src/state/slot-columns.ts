// The contents of a slot as columns, whatever the kind of its state: the values, and what they are found by. Between what the heap keeps and
// what snapshots hold.
import { BytesCorruptError } from '../base/byte-reader.ts'
import { preview } from '../base/errors.ts'
import type { StateDescriptor } from '../model/state.ts'
import { type Dated, DatedElements } from './dated.ts'
import { OrderedElements } from './ordered-elements.ts'

type Kind = StateDescriptor['kind']

/** The values of a slot. */
export interface SlotColumns {
  /** The keys of a map or the times of an ordered list, beside their values; undefined for other kinds. */
  readonly keys: readonly unknown[] | undefined
  readonly values: readonly unknown[]
}

/** What the heap keeps, as columns; of state with a time-to-live the values are dated. */
export function columnsOf(kind: Kind, stored: unknown): SlotColumns {
  switch (kind) {
    case 'value':
    case 'reducing':
    case 'aggregating':
      return { keys: undefined, values: [stored] }
    case 'list':
      return { keys: undefined, values: stored as readonly unknown[] }
    case 'map': {
      const map = stored as ReadonlyMap<unknown, unknown>
      return { keys: [...map.keys()], values: [...map.values()] }
    }
    case 'ordered-list':
      return orderedColumns(stored instanceof DatedElements ? stored.elements : (stored as OrderedElements<unknown>))
  }
}

function orderedColumns(elements: OrderedElements<unknown>): SlotColumns {
  const { times, elements: values } = elements.toRows()
  return { keys: times, values }
}

/** What snapshots hold: a value, an array, a Map, or `{ times, elements }`. */
export function toPlain(kind: Kind, { keys = [], values }: SlotColumns): unknown {
  switch (kind) {
    case 'value':
    case 'reducing':
    case 'aggregating':
      return values[0]
    case 'list':
      return values
    case 'map':
      return new Map(keys.map((key, at) => [key, values[at]]))
    case 'ordered-list':
      return { times: keys, elements: values }
  }
}

/** Throws BytesCorruptError for what `toPlain` did not make. */
export function fromPlain(kind: Kind, plain: unknown): SlotColumns {
  switch (kind) {
    case 'value':
    case 'reducing':
    case 'aggregating':
      return { keys: undefined, values: [plain] }
    case 'list':
      if (Array.isArray(plain)) return { keys: undefined, values: plain as unknown[] }
      break
    case 'map':
      if (plain instanceof Map) return { keys: [...plain.keys()], values: [...plain.values()] }
      break
    case 'ordered-list':
      if (isOrdered(plain)) return { keys: plain.times, values: plain.elements }
      break
  }
  throw new BytesCorruptError(`${preview(plain)} is not what state of kind ${kind} holds`)
}

function isOrdered(
  plain: unknown,
): plain is { readonly times: readonly number[]; readonly elements: readonly unknown[] } {
  const { times, elements } = (plain ?? {}) as { readonly times?: unknown; readonly elements?: unknown }
  if (!Array.isArray(times) || !Array.isArray(elements) || times.length !== elements.length) return false
  return times.every(timeMs => typeof timeMs === 'number' && !Number.isNaN(timeMs))
}

/** What the heap keeps; undefined when there is no value. */
export function toSlot(kind: Kind, { keys = [], values }: SlotColumns, isDated: boolean): unknown {
  if (values.length === 0) return undefined
  switch (kind) {
    case 'value':
    case 'reducing':
    case 'aggregating':
      return values[0]
    case 'list':
      return [...values]
    case 'map':
      return new Map(keys.map((key, at) => [key, values[at]]))
    case 'ordered-list': {
      const elements = isDated ? new DatedElements() : new OrderedElements<unknown>()
      for (const [at, timeMs] of keys.entries()) elements.add(timeMs as number, values[at] as Dated)
      return elements
    }
  }
}
