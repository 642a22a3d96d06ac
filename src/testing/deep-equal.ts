// Compares what came out with what was expected, and pictures both for people. For plain data, not for cyclic structures.

/** True when both are the same plain data: -0 is 0, NaN is NaN; maps and sets count in order. */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false
  if (a instanceof Map || a instanceof Set) return deepEqual([...a], [...(b as typeof a)])
  // Dates and boxed primitives have no fields; what they stand for is their value.
  const value: unknown = primitiveOf(a)
  if (value !== undefined) return deepEqual(value, primitiveOf(b))
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length &&
    keys.every(key => Object.hasOwn(b, key) && deepEqual(a[key as keyof typeof a], b[key as keyof typeof b]))
  )
}

/** The value on one line, so that different values look different. */
export function picture(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`
  if (typeof value !== 'object' || value === null) return String(value)
  if (Array.isArray(value)) return `[${value.map(picture).join(', ')}]`
  if (value instanceof Map) return `Map { ${[...value].map(([k, v]) => `${picture(k)} => ${picture(v)}`).join(', ')} }`
  if (value instanceof Set) return `Set { ${[...value].map(picture).join(', ')} }`
  const name = value.constructor === undefined || value.constructor === Object ? '' : value.constructor.name
  const primitive = primitiveOf(value)
  if (primitive !== undefined) return `${name}(${picture(primitive)})`
  const fields = Object.entries(value).map(([key, inner]) => `${key}: ${picture(inner)}`)
  return `${name === '' ? '' : `${name} `}${fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`}`
}

function primitiveOf(value: object): unknown {
  const primitive: unknown = typeof value.valueOf === 'function' ? value.valueOf() : undefined
  return typeof primitive === 'object' ? undefined : primitive
}
