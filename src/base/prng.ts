// Seeded pseudo-random numbers (mulberry32): the only source of randomness in the pure folders, so that a seed repeats a run.

/** A repeatable generator: equal seeds give equal sequences. Not for secrets. */
export class Prng {
  private state: number

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  /** The next unsigned 32-bit integer. */
  nextUint32(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let mixed = this.state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }

  /** A whole number from 0 to `exclusiveMax` - 1. */
  below(exclusiveMax: number): number {
    return Math.floor((this.nextUint32() / 4294967296) * exclusiveMax)
  }
}
