// Record path (bench/micro/aggregates.ts). What makes two values the same for distinct counts and sets: they compare by value, as keys do.
import { StreamError } from '../base/errors.ts'
import { encodeKeyText } from '../serde/key-encoding.ts'

/** Encoded values begin with one of the control characters below this one, so a text that begins with one is encoded too. */
const PLAIN_FIRST = 0x20

/**
 * A primitive that is equal (as keys of a Map are) for equal values only. Throws KEY_INVALID for what cannot be a key, naming the call;
 * costs O(size) for tuples and objects.
 */
export function identityOf(call: string, value: unknown): unknown {
  switch (typeof value) {
    case 'number':
    case 'boolean':
    case 'bigint':
      return value
    case 'string':
      return value.charCodeAt(0) < PLAIN_FIRST ? encodeKeyText(value) : value
    default:
      return encoded(call, value)
  }
}

/** True for null and undefined, which no count or set of values takes in (as SQL's aggregates leave out NULL). */
export function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined
}

function encoded(call: string, value: unknown): string {
  try {
    return encodeKeyText(value)
  } catch (error) {
    if (!(error instanceof StreamError)) throw error
    throw new StreamError(
      error.code,
      `${call} compares values as keys: ${error.message.replace(`${error.code}: `, '')}`,
    )
  }
}
