// What a key may be and how it is taken from a record. Keys compare by value.

/** A key: compared by value, in any nesting of tuples and plain objects. Never undefined. */
export type Key =
  | null
  | string
  | number
  | boolean
  | bigint
  | Uint8Array
  | readonly Key[]
  | { readonly [field: string]: Key }

/** How a keyed vertex takes the key from a record: by the named fields, or by a user function. */
export interface KeySelector {
  /** Field names when the key is made of fields (one field: its value; several: a tuple of their values). */
  readonly fields?: readonly string[]
  /** True when the key is a tuple of several fields even if only one is named. */
  readonly isTuple: boolean
  readonly select: (record: never) => unknown
}

/** A selector of one field's value. */
export function fieldSelector(field: string): KeySelector {
  const select = (record: Readonly<Record<string, unknown>>): unknown => record[field]
  return Object.freeze({ fields: Object.freeze([field]), isTuple: false, select: select as (record: never) => unknown })
}

/** A selector of a tuple of fields' values, in the order given. */
export function tupleSelector(fields: readonly string[]): KeySelector {
  const names = Object.freeze([...fields])
  const select = (record: Readonly<Record<string, unknown>>): unknown => names.map(name => record[name])
  return Object.freeze({ fields: names, isTuple: true, select: select as (record: never) => unknown })
}

/** A selector by a user function. */
export function functionSelector(select: (record: never) => unknown): KeySelector {
  return Object.freeze({ isTuple: false, select })
}

/** The field whose value is the key; undefined where a function or several fields give it. */
export function keyField(selector: KeySelector | undefined): string | undefined {
  return selector?.isTuple === false && selector.fields?.length === 1 ? selector.fields[0] : undefined
}

/** The selector in words, for plans and messages: `word`, `[city, day]` or `function`. */
export function keySelectorText(selector: KeySelector): string {
  return keyFieldsText(selector) ?? 'function'
}

/** The fields that a key is made of, in words: `word`, `[city, day]`; undefined for a function, of which that is not known. */
export function keyFieldsText(selector: KeySelector | undefined): string | undefined {
  if (selector?.fields === undefined) return undefined
  return selector.isTuple ? `[${selector.fields.join(', ')}]` : (selector.fields[0] as string)
}
