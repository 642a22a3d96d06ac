// How the values of one column of a frame are written. Frames live between two threads of one process, so kinds may change at any time.

/** Each value by the tagged codec: what has no form of its own here (Map, Set), or no common one. */
export const TAGGED = 0
/** Four bytes each; -0 is none of them. */
export const INT32 = 1
/** Eight bytes each. */
export const FLOAT64 = 2
/** One byte each. */
export const BOOLEAN = 3
/** A length each; the units stand in the text areas of the frame. */
export const STRING = 4
/** No bytes: all are undefined. */
export const UNDEFINED = 5
/** No bytes: all are null. */
export const NULL = 6
/** Eight bytes each: those that fit in 64 bits. */
export const BIGINT = 7
/** Epoch ms, eight bytes each. */
export const DATE = 8
/** Uint8Arrays: a length each, with its bytes. */
export const BYTES = 9
/** Plain objects of the same fields, or arrays of the same length: the shape once, then a column for each field. */
export const SHAPED = 10

/** The kind that suits a value. */
export function kindOf(value: unknown): number {
  switch (typeof value) {
    case 'number':
      return isInt32(value) ? INT32 : FLOAT64
    case 'string':
      return STRING
    case 'boolean':
      return BOOLEAN
    case 'undefined':
      return UNDEFINED
    case 'bigint':
      return BIGINT
    case 'object':
      return value === null ? NULL : kindOfObject(value)
    default:
      return TAGGED
  }
}

function isInt32(value: number): boolean {
  return (value | 0) === value && (value !== 0 || 1 / value > 0)
}

// By the prototype, not by instanceof, as the tagged codec does: what extends a class would arrive as an instance of the class alone.
function kindOfObject(value: object): number {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === Array.prototype) return SHAPED
  if (prototype === Date.prototype) return DATE
  return prototype === Uint8Array.prototype ? BYTES : TAGGED
}
