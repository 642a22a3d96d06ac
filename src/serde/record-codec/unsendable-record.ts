// What the record codec says of a record that cannot go to another thread: where in it the culprit is, what was found, and the mend.

import { ByteWriter } from '../../base/byte-writer.ts'
import { preview, StreamError } from '../../base/errors.ts'
import { writeValue } from '../value-codec.ts'

const PATH_LENGTH_MAX = 120
const DEPTH_MAX = 200
const MEND =
  'send plain data (objects, arrays, Map, Set, Date, typed arrays), or run the job with one thread (--threads 1)'

/**
 * The RECORD_NOT_SERIALIZABLE of the first value of a column that no codec takes; undefined when all can be written. `what` says what the
 * values are: 'record' or 'key'.
 */
export function unsendableError(
  edge: string,
  what: string,
  values: readonly unknown[],
  cause: unknown,
): StreamError | undefined {
  const out = new ByteWriter()
  for (const value of values) {
    out.reset()
    try {
      writeValue(out, value)
    } catch {
      const found = culprit(value, '', [])
      const where = found.path === '' ? `the ${what}` : `${shortened(found.path)} of the ${what}`
      return new StreamError(
        'RECORD_NOT_SERIALIZABLE',
        `${edge}: ${where} ${found.what}, which cannot go to another thread; ${MEND}`,
        { cause },
      )
    }
  }
  return undefined
}

interface Found {
  readonly path: string
  readonly what: string
}

/** The first value inside that is neither a leaf nor a container of the tagged codec. */
function culprit(value: unknown, path: string, ancestors: readonly unknown[]): Found {
  return search(value, path, ancestors) ?? { path, what: 'holds a value that no codec takes' }
}

function search(value: unknown, path: string, ancestors: readonly unknown[]): Found | undefined {
  if (typeof value === 'function' || typeof value === 'symbol') return { path, what: `is ${nameOf(value)}` }
  if (typeof value !== 'object' || value === null) return undefined
  if (ancestors.includes(value)) return { path, what: 'leads back to a value around it' }
  if (ancestors.length >= DEPTH_MAX) return { path, what: `is nested deeper than ${DEPTH_MAX} levels` }
  const steps = stepsOf(value)
  if (steps === undefined) return { path, what: `is ${nameOf(value)}` }
  const around = [...ancestors, value]
  for (const [step, inner] of steps) {
    const found = search(inner, path + step, around)
    if (found !== undefined) return found
  }
  return undefined
}

/** What a container holds, each with the text of the way there; nothing for leaves; undefined for what is neither. */
function stepsOf(value: object): (readonly [step: string, inner: unknown])[] | undefined {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) {
    return Object.entries(value).map(([name, inner]) => [fieldStep(name), inner])
  }
  if (prototype === Array.prototype) return Array.from(value as unknown[], (inner, index) => [`[${index}]`, inner])
  if (prototype === Set.prototype) return [...(value as Set<unknown>)].map((inner, i) => [`.values()[${i}]`, inner])
  if (prototype === Map.prototype) {
    return [...(value as Map<unknown, unknown>)].flatMap(([key, inner], index) => [
      [`.keys()[${index}]`, key] as const,
      [`.get(${preview(key, 40)})`, inner] as const,
    ])
  }
  return isLeaf(value) ? [] : undefined
}

function isLeaf(value: object): boolean {
  try {
    writeValue(new ByteWriter(), value)
    return true
  } catch {
    return false
  }
}

function fieldStep(name: string): string {
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(name) ? `.${name}` : `[${preview(name, 40)}]`
}

function nameOf(value: unknown): string {
  if (typeof value === 'symbol') return String(value)
  if (typeof value !== 'object' || value === null) return preview(value)
  if (value instanceof Promise) return 'a promise'
  const maker: unknown = value.constructor
  return `an instance of ${(typeof maker === 'function' && maker.name) || 'a class'}`
}

function shortened(path: string): string {
  return path.length > PATH_LENGTH_MAX ? `${path.slice(0, PATH_LENGTH_MAX)}...` : path
}
