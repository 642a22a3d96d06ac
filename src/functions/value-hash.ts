// Record path (bench/micro/aggregates.ts). 64 bits of hash of a primitive, for sketches: the 32 bits that key groups go by would collide from some ten thousand values on.
// It decides nothing that lasts longer than an accumulator.

const double = new Float64Array(1)
const words = new Uint32Array(double.buffer)
const NUMBER = 1
const OTHER = 2
const TEXT = 3

let high = 0
let low = 0

/** Hashes a string, number, boolean or bigint; 0 and -0 are the same. The words are then in `hashHigh` and `hashLow`. */
export function hash64(value: unknown): void {
  if (typeof value === 'number') {
    begin(NUMBER)
    // Every NaN is the same one, and -0 is 0.
    double[0] = Number.isNaN(value) ? NaN : value + 0
    fold(words[0] as number)
    fold(words[1] as number)
  } else {
    const text = String(value)
    begin(typeof value === 'string' ? TEXT : OTHER)
    for (let i = 0; i < text.length; i++) fold(text.charCodeAt(i))
  }
  finish()
}

/** The upper 32 bits of the last hash, unsigned. */
export function hashHigh(): number {
  return high >>> 0
}

/** The lower 32 bits of the last hash, unsigned. */
export function hashLow(): number {
  return low >>> 0
}

function begin(tag: number): void {
  high = 0xdeadbeef ^ tag
  low = 0x41c6ce57 ^ tag
}

// Two multiplicative hashes side by side, mixed at the end (as in cyrb53); rotations let high bits reach low ones between words.
function fold(word: number): void {
  high = Math.imul(high ^ word, 0x9e3779b1)
  high = (high << 13) | (high >>> 19)
  low = Math.imul(low ^ word, 0x5f356495)
  low = (low << 17) | (low >>> 15)
}

function finish(): void {
  const a = mixed(high ^ Math.imul(low, 0x9e3779b1))
  const b = mixed(low ^ Math.imul(a, 0x85ebca77))
  high = a
  low = b
}

function mixed(word: number): number {
  let bits = word
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return bits ^ (bits >>> 16)
}
