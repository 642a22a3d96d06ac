// The hash that decides the key group, by kind of key: `node bench/micro/key-hash.ts`.
import { hashKey } from '../../src/serde/key-encoding.ts'
import { measure } from './measure.ts'

const OPERATIONS = 5_000_000

function hashAll(keys: readonly unknown[]): number {
  let folded = 0
  for (let i = 0; i < OPERATIONS; i++) folded ^= hashKey(keys[i & 1023])
  return folded
}

const indexes = Array.from({ length: 1024 }, (_, index) => index)
measure('whole numbers', OPERATIONS, () => hashAll(indexes))
measure('words of 8 letters', OPERATIONS, () => hashAll(indexes.map(index => `word${String(index).padStart(4, '0')}`)))
measure('words beyond ASCII', OPERATIONS, () => hashAll(indexes.map(index => `wört${String(index).padStart(4, '0')}`)))
measure('tuples of a word and a number', OPERATIONS, () => hashAll(indexes.map(index => [`word${index}`, index])))
