// What the tagged codec says of a value that it cannot write: where in the value it is, what was found there, and the mend.
import { preview, StreamError } from '../base/errors.ts'
import { NESTING_MAX } from './value-tags.ts'

/**
 * The way from a value to one inside it, a step for each level: the name of a field, the index in an array or set; in a map twice the
 * index of an entry for its key, and one more for its value.
 */
export type ValuePath = readonly (string | number)[]

const PATH_LENGTH_MAX = 120

/** The STATE_NOT_SERIALIZABLE of what stands at a path of a value. */
export function unwritableError(root: unknown, path: ValuePath): StreamError {
  const ancestors = new Set<unknown>()
  let text = ''
  let value = root
  for (const step of path) {
    if (ancestors.has(value)) return refusal(text, 'leads back to a value around it', mendOf(undefined))
    ancestors.add(value)
    text += stepText(value, step)
    value = childOf(value, step)
  }
  if (path.length >= NESTING_MAX && typeof value === 'object')
    return refusal(text, `is nested deeper than ${NESTING_MAX} levels`, mendOf(undefined))
  return refusal(text, `is ${nameOf(value)}`, mendOf(value))
}

function refusal(path: string, what: string, mend: string): StreamError {
  const shown = path.length > PATH_LENGTH_MAX ? `${path.slice(0, PATH_LENGTH_MAX)}...` : path
  return new StreamError('STATE_NOT_SERIALIZABLE', `${shown === '' ? 'the value' : shown} ${what}; ${mend}`)
}

function nameOf(value: unknown): string {
  if (typeof value === 'symbol') return String(value)
  if (typeof value !== 'object' || value === null) return preview(value)
  if (value instanceof Promise) return 'a promise'
  const maker: unknown = value.constructor
  return `an instance of ${(typeof maker === 'function' && maker.name) || 'a class'}`
}

function mendOf(value: unknown): string {
  if (value instanceof Promise) return 'await it first, and store what it gives'
  if (value instanceof Uint8Array) return 'store new Uint8Array(bytes), or declare the state with a codec'
  return 'store plain data, or declare the state with a codec'
}

function stepText(parent: unknown, step: string | number): string {
  if (typeof step === 'string') return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(step) ? `.${step}` : `[${preview(step, 40)}]`
  if (parent instanceof Set) return `.values()[${step}]`
  if (!(parent instanceof Map)) return `[${step}]`
  const index = Math.floor(step / 2)
  return step % 2 === 0 ? `.keys()[${index}]` : `.get(${preview([...parent.keys()][index], 40)})`
}

function childOf(parent: unknown, step: string | number): unknown {
  if (parent instanceof Set) return [...parent][step as number]
  if (parent instanceof Map) return [...parent][Math.floor((step as number) / 2)]?.[(step as number) % 2]
  return (parent as Readonly<Record<string | number, unknown>>)[step]
}
