// Record path (bench/micro/record-codec.ts). Strings of bytes by Node's own decoders, which also read shared memory: what the record codec
// takes as its TextDecoding.
import { Buffer } from 'node:buffer'

/** Methods of every Buffer that work on any Uint8Array, and that the types do not know. */
interface Slices {
  latin1Slice(this: Uint8Array, from: number, to: number): string
  ucs2Slice(this: Uint8Array, from: number, to: number): string
}

const { latin1Slice, ucs2Slice } = Buffer.prototype as unknown as Slices

/** Makes strings of Latin-1 and of little-endian UTF-16; positions are in bytes. */
export const NODE_TEXT_DECODING = {
  latin1: (bytes: Uint8Array, from: number, to: number): string => latin1Slice.call(bytes, from, to),
  utf16: (bytes: Uint8Array, from: number, to: number): string => ucs2Slice.call(bytes, from, to),
}
