// Equality of plain data for the test kit, which may not use a host's assertions. It knows no classes beyond Map and Set.

/** True when two values are equal in every nesting of arrays, plain objects, maps and sets; NaN equals NaN. */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false
  if (a instanceof Map || a instanceof Set) return deepEqual([...a], [...(b as Iterable<unknown>)])
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  return keys.every(key => Object.hasOwn(b, key) && deepEqual(a[key as never], b[key as never]))
}
