// How values of declared state become bytes, where the job says so itself. State without a codec is written as tagged values.
import { BytesCorruptError } from '../base/byte-reader.ts'
import { errorText, preview, StreamError } from '../base/errors.ts'
import { decodeUtf8, encodeUtf8 } from '../base/utf8.ts'

/**
 * Writes values as bytes and reads them again: `decode(encode(value))` equals `value`, in every later version of the job too. `encode`
 * gives bytes that nobody changes afterwards; `decode` may keep no view of the bytes that it is given, and throws for bytes that are no value. Both are synchronous and
 * have no side effects.
 * @example
 * ```ts
 * import type { Codec } from 'millrace'
 * const celsius: Codec<number> = {
 *   name: 'celsius',
 *   encode: degrees => new Uint8Array(new Float64Array([degrees]).buffer),
 *   decode: bytes => new Float64Array(bytes.slice().buffer)[0] as number,
 * }
 * console.log(celsius.decode(celsius.encode(21.5)))
 * ```
 */
export interface Codec<V> {
  /** Names the format. It is kept in snapshots: state written by a codec of another name is refused. */
  readonly name: string
  encode(value: V): Uint8Array
  decode(bytes: Uint8Array): V
}

/**
 * A codec of UTF-8 JSON, named `json`. It keeps what JSON keeps: a Date is read as a text, NaN as null, and fields that are undefined are
 * gone. `encode` throws STATE_NOT_SERIALIZABLE for what JSON cannot write (undefined, functions, bigints, cycles); `decode` throws
 * BytesCorruptError for bytes that are no JSON.
 * @example
 * ```ts
 * import { jsonCodec } from 'millrace'
 * const codec = jsonCodec<{ readonly user: string }>()
 * console.log(codec.decode(codec.encode({ user: 'ann' })).user)
 * ```
 */
export function jsonCodec<V>(): Codec<V> {
  return Object.freeze({ name: 'json', encode: encodeJson, decode: decodeJson as (bytes: Uint8Array) => V })
}

function encodeJson(value: unknown): Uint8Array {
  const text = jsonOf(value)
  if (text !== undefined) return encodeUtf8(text)
  throw new StreamError(
    'STATE_NOT_SERIALIZABLE',
    `${preview(value)} is not JSON; store null or plain data, or declare the state with another codec`,
  )
}

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value) as string | undefined
  } catch (cause) {
    throw new StreamError(
      'STATE_NOT_SERIALIZABLE',
      `${preview(value)} cannot be written as JSON (${errorText(cause)}); store plain data, or declare the state with another codec`,
      { cause },
    )
  }
}

function decodeJson(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes)
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw new BytesCorruptError(`${preview(text, 40)} is not JSON (${errorText(cause)})`)
  }
}
