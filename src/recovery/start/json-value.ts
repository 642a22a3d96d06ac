// Values of state as JSON that people can read. What JSON has no form for becomes an object with one field that begins with $, as in
// { "$bigint": "1" }; keys are read in the same form.
import { StreamError } from '../../base/errors.ts'
import { fromBase64, toBase64 } from './base64.ts'

/** What JSON.stringify writes as it is. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [name: string]: JsonValue }

/** A value that `readValue` gave, as JSON. */
export function toJson(value: unknown): JsonValue {
  switch (typeof value) {
    case 'undefined':
      return { $undefined: true }
    case 'bigint':
      return { $bigint: String(value) }
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { $number: Object.is(value, -0) ? '-0' : String(value) }
    case 'string':
    case 'boolean':
      return value
    default:
      return value === null ? null : objectJson(value as object)
  }
}

/** A key as people write it in JSON. Throws OPTION_INVALID for text that is none. */
export function keyFromJson(text: string): unknown {
  try {
    return revived(JSON.parse(text) as JsonValue)
  } catch (cause) {
    const mend = `give JSON, as in --key '"ann"', --key 7 or --key '["ann", 7]'`
    throw new StreamError('OPTION_INVALID', `the key ${text} is not JSON; ${mend}`, { cause })
  }
}

function objectJson(value: object): JsonValue {
  if (Array.isArray(value)) return value.map(toJson)
  if (value instanceof Map) return { $map: [...value].map(([key, each]) => [toJson(key), toJson(each)]) }
  if (value instanceof Set) return { $set: [...value].map(toJson) }
  if (Object.getPrototypeOf(value) === Date.prototype) return { $date: dateText(value as Date) }
  if (value instanceof Uint8Array) return { $bytes: toBase64(value) }
  if (value instanceof ArrayBuffer) return { $buffer: toBase64(new Uint8Array(value)) }
  if (ArrayBuffer.isView(value)) {
    return { [`$${value.constructor.name}`]: [...(value as unknown as Iterable<unknown>)].map(toJson) }
  }
  return fieldsJson(value as Readonly<Record<string, unknown>>)
}

function dateText(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'invalid' : date.toISOString()
}

// A field that is undefined is not there, as in JSON itself. A record whose only field looks like one of ours is told by a $ more.
function fieldsJson(record: Readonly<Record<string, unknown>>): JsonValue {
  const fields = Object.entries(record).filter(([, value]) => value !== undefined)
  return Object.fromEntries(fields.map(([name, value]) => [name.startsWith('$') ? `$${name}` : name, toJson(value)]))
}

function revived(value: JsonValue): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(revived)
  const entries = Object.entries(value as Readonly<Record<string, JsonValue>>)
  const [only] = entries
  if (entries.length === 1 && only !== undefined && typeof only[1] === 'string') {
    if (only[0] === '$bigint') return BigInt(only[1])
    if (only[0] === '$number') return Number(only[1])
    if (only[0] === '$bytes') return fromBase64(only[1])
  }
  return Object.fromEntries(
    entries.map(([name, each]) => [name.startsWith('$$') ? name.slice(1) : name, revived(each)]),
  )
}
