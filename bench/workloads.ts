// The inputs of the benchmarks: a linear congruential generator, and lines of words drawn by Zipf's law. Everyone who uses the same
// definitions gets the same sums, so engines can be held against each other. The events of W4 are in ad-events.ts.

/** Lines in the pool that the source goes through again and again. */
export const LINE_POOL = 65_536
/** Words in a line. */
export const WORDS_PER_LINE = 8
/** Different words in the lines, `word0` and so on. */
export const VOCABULARY = 10_000
/** How far in the pool of lines a split begins behind the split before it. */
export const SPLIT_SHIFT = 32_768
const LINE_SEED = 42

/** The next state of the generator s * 1664525 + 1013904223 (mod 2^32), as a signed 32-bit integer. */
export function nextState(state: number): number {
  return (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
}

/** A number from 0 to n - 1 from a state of the generator. */
export function pick(state: number, n: number): number {
  return Math.floor(((state >>> 0) * n) / 4_294_967_296)
}

let pool: readonly string[] | undefined

/** The pool of lines `word<i> word<j> ...`, where i follows Zipf's law with exponent 1 over the vocabulary. It is made once. */
export function makeLines(): readonly string[] {
  pool ??= zipfLines()
  return pool
}

function zipfLines(): readonly string[] {
  const cumulative = zipfCumulative()
  const lines: string[] = []
  let state = LINE_SEED
  for (let i = 0; i < LINE_POOL; i++) {
    const words: string[] = []
    for (let w = 0; w < WORDS_PER_LINE; w++) {
      state = nextState(state)
      words.push(`word${zipfIndex(cumulative, state)}`)
    }
    // Through bytes, so that the string is flat as one that came from a file.
    lines.push(Buffer.from(words.join(' '), 'latin1').toString('latin1'))
  }
  return lines
}

function zipfCumulative(): Float64Array {
  const cumulative = new Float64Array(VOCABULARY)
  let total = 0
  for (let i = 0; i < VOCABULARY; i++) {
    total += 1 / (i + 1)
    cumulative[i] = total
  }
  return cumulative
}

function zipfIndex(cumulative: Float64Array, state: number): number {
  const target = ((state >>> 0) / 4_294_967_296) * (cumulative[VOCABULARY - 1] as number)
  let low = 0
  let high = VOCABULARY - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((cumulative[middle] as number) > target) high = middle
    else low = middle + 1
  }
  return low
}
