// 32-bit hashing over bytes: FNV-1a with the finaliser of MurmurHash3, so that the low bits are usable for key groups.
// The values decide where keyed state lives, so they may never change (golden values in serde/key-encoding.spec.ts).

/** The state of a hash before any byte. */
export const HASH_SEED = 0x811c9dc5 | 0

/** Folds one byte (0 to 255) into a hash. */
export function hashByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193)
}

/** Spreads the entropy of a folded hash over all bits; the result is an unsigned 32-bit integer. */
export function finishHash(hash: number): number {
  let mixed = hash
  mixed ^= mixed >>> 16
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, 0xc2b2ae35)
  mixed ^= mixed >>> 16
  return mixed >>> 0
}

/** The hash of a byte sequence as an unsigned 32-bit integer. */
export function hashBytes(bytes: Uint8Array): number {
  let hash = HASH_SEED
  for (let i = 0; i < bytes.length; i++) hash = hashByte(hash, bytes[i] as number)
  return finishHash(hash)
}

/** The hash of a text over its UTF-16 units, low byte first; for identities such as the graph's, not for keys. */
export function hashText(text: string): number {
  let hash = HASH_SEED
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    hash = hashByte(hashByte(hash, unit & 0xff), unit >>> 8)
  }
  return finishHash(hash)
}
