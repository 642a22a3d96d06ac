// The text of a record, for sinks that write lines for people: strings as they are, everything else as JSON on one line.
// It never throws and is not meant to be read back.

/** Nesting beyond this is cut, so that no record can exhaust the stack. */
const DEPTH_MAX = 64

/**
 * A record as text. Strings stay as they are (also with line ends inside); all else is JSON on one line, with what JSON lacks made visible:
 * a bigint is a string of its digits, NaN and the infinities are strings, a Map is an array of pairs, a Set and a typed array are arrays,
 * an Error is its name and message, a circular reference is "[circular]"; undefined alone is `undefined`.
 */
export function recordText(record: unknown): string {
  if (typeof record === 'string') return record
  if (record === undefined) return 'undefined'
  try {
    // Most records are flat objects of strings and finite numbers, which JSON writes as they are meant.
    return JSON.stringify(isPlain(record) ? record : jsonValue(record, [])) ?? String(record)
  } catch (error) {
    return `[unprintable: ${error instanceof Error ? error.message.replaceAll('\n', ' ') : 'unknown error'}]`
  }
}

/** What stands before each line of a printed stream, in Flink's format: `name:2> `, with parts left out where there is nothing to tell. */
export function linePrefix(options: {
  readonly name: string | undefined
  readonly subtaskIndex: number
  readonly parallelism: number
}): string {
  const { name, subtaskIndex, parallelism } = options
  if (parallelism === 1) return name === undefined ? '' : `${name}> `
  return name === undefined ? `${subtaskIndex + 1}> ` : `${name}:${subtaskIndex + 1}> `
}

// True for a value that JSON.stringify writes without loss at once: primitives, and plain objects of primitives.
function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return isPlainPrimitive(value)
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  for (const name in value) {
    const inner = (value as Record<string, unknown>)[name]
    if (inner !== undefined && !isPlainPrimitive(inner)) return false
  }
  return true
}

function isPlainPrimitive(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'boolean' || value === null || Number.isFinite(value)
}

// Values that JSON.stringify then writes without calling anything of the user's.
function jsonValue(value: unknown, ancestors: readonly object[]): unknown {
  switch (typeof value) {
    case 'bigint':
      return String(value)
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'symbol':
      return String(value)
    case 'function':
      return `[function ${value.name || 'anonymous'}]`
    case 'object':
      return value === null ? null : jsonObject(value, ancestors)
    default:
      return value
  }
}

function jsonObject(value: object, ancestors: readonly object[]): unknown {
  if (ancestors.includes(value)) return '[circular]'
  if (ancestors.length >= DEPTH_MAX) return '[nested too deep]'
  const path = [...ancestors, value]
  if (Array.isArray(value)) return Array.from(value, element => jsonValue(element, path))
  if (value instanceof Map) return Array.from(value, ([key, inner]) => [jsonValue(key, path), jsonValue(inner, path)])
  if (value instanceof Set) return Array.from(value, element => jsonValue(element, path))
  if (ArrayBuffer.isView(value)) return arrayOfView(value).map(element => jsonValue(element, path))
  const { toJSON } = value as { readonly toJSON?: unknown }
  if (typeof toJSON === 'function') return jsonValue(toJSON.call(value, ''), path)
  if (value instanceof Error) return { name: value.name, message: value.message }
  // Boxed primitives are written as their value, as JSON does.
  if (value instanceof Number || value instanceof String || value instanceof Boolean)
    return jsonValue(value.valueOf(), path)
  return jsonFields(value, path)
}

function jsonFields(value: object, path: readonly object[]): Record<string, unknown> {
  // Without a prototype a field named __proto__ is a field like any other.
  const fields: Record<string, unknown> = Object.create(null)
  for (const name of Object.keys(value)) {
    const inner = (value as Record<string, unknown>)[name]
    if (inner !== undefined) fields[name] = jsonValue(inner, path)
  }
  return fields
}

function arrayOfView(view: ArrayBufferView): unknown[] {
  if (view instanceof DataView) return Array.from(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
  return Array.from(view as unknown as ArrayLike<unknown>)
}
