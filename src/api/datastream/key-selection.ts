// How fields and keys are typed: what may be named as a field, and what key a selector gives.
import type { FieldOf, NumberFieldOf } from '../../model/field.ts'
import { fieldSelector, functionSelector, type KeySelector, tupleSelector } from '../../model/key.ts'
import { optionInvalid, requireFunction, requireText } from './arguments.ts'

export type { FieldOf, NumberFieldOf }

/** The key that a selector gives: a field's type, a tuple of them, or what the function returns. */
export type KeyOf<T, S> = S extends (record: never) => infer K
  ? K
  : S extends FieldOf<T>
    ? T[S]
    : S extends readonly FieldOf<T>[]
      ? { readonly [I in keyof S]: T[S[I] & keyof T] }
      : never

/** The selector as data. Throws OPTION_INVALID when it is none of the three forms. */
export function keySelector(call: string, selector: unknown): KeySelector {
  if (Array.isArray(selector)) {
    if (selector.length === 0) throw optionInvalid(call, 'the list of fields is empty; name at least one field')
    for (const field of selector) requireText(call, 'a field of the key', field)
    return tupleSelector(selector as readonly string[])
  }
  if (typeof selector === 'function') {
    requireFunction(call, selector)
    return functionSelector(selector as (record: never) => unknown)
  }
  requireText(call, 'the field of the key', selector)
  return fieldSelector(selector as string)
}
