// The random numbers of one event. They follow from the seed and the event's id alone, so any event can be made without those before it.

/** Letters of a random text besides a to z: one character in 13 is a blank. */
const BLANK_ONE_IN = 13
const TEXT_LENGTH_MIN = 3

/** A generator that is set to an event with `begin`. It is mulberry32. */
export class EventRandom {
  private readonly seed: number
  private state = 0

  constructor(seed: number) {
    this.seed = seed
  }

  /** Starts the numbers of the event with this id. */
  begin(eventId: number): void {
    // Neighbouring ids must not give neighbouring states: two rounds of a multiplicative hash keep them apart.
    let hash = Math.imul(eventId ^ (this.seed * 0x9e37_79b9), 0x85eb_ca6b) ^ Math.floor(eventId / 4_294_967_296)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35)
    this.state = hash ^ (hash >>> 16)
  }

  /** A number from 0 to below 1. */
  fraction(): number {
    this.state = (this.state + 0x6d2b_79f5) | 0
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit)
  }

  /** True in all but one of `ratio` cases: how the generator finds the hot ones. */
  isHot(ratio: number): boolean {
    return this.below(ratio) > 0
  }

  /** A price in cents: its logarithm is uniform, from 1 to 1,000,000 units. */
  price(): number {
    return Math.round(10 ** (this.fraction() * 6) * 100)
  }

  /** An element of the list. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  /** A text of 3 to below `lengthMax` letters, with `blank` in between. */
  text(lengthMax: number, blank = ' '): string {
    return this.letters(TEXT_LENGTH_MIN + this.below(lengthMax - TEXT_LENGTH_MIN), blank)
  }

  /** A text of exactly so many letters. */
  letters(length: number, blank?: string): string {
    const codes: number[] = []
    for (let i = 0; i < length; i++) {
      const isBlank = blank !== undefined && this.below(BLANK_ONE_IN) === 0
      codes.push(isBlank ? blank.charCodeAt(0) : 97 + this.below(26))
    }
    return String.fromCharCode(...codes)
  }

  /** Letters that bring an event of `currentBytes` to about `averageBytes`, 20 % more or less. */
  padding(currentBytes: number, averageBytes: number): string {
    const wanted = averageBytes - currentBytes
    if (wanted <= 0) return ''
    const delta = Math.round(wanted * 0.2)
    return this.letters(wanted - delta + (delta === 0 ? 0 : this.below(2 * delta)))
  }
}
