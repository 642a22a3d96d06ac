// Record path (bench/micro/aggregates.ts). The number of different values in bounded memory: HyperLogLog (Flajolet and others, 2007) with the estimator of Ertl ("New
// cardinality estimation algorithms for HyperLogLog sketches", 2017, algorithm 6), which needs no tables and no cases by size.
import { preview } from '../base/errors.ts'
import type { AggregateFunction } from '../model/functions.ts'
import { argumentInvalid, callText, valueReader } from './field-values.ts'
import { hash64, hashHigh, hashLow } from './value-hash.ts'
import { identityOf, isAbsent } from './value-identity.ts'

const STANDARD_ERROR_DEFAULT = 0.02
const STANDARD_ERROR_MIN = 0.002
const STANDARD_ERROR_MAX = 0.25
/** A register holds a byte, a listed one an entry of a Map: beyond this share of listed registers the array is smaller. */
const LISTED_SHARE_MAX = 1 / 16

/** How exact an approximate count is. */
export interface ApproximationOptions {
  /**
   * The standard error as a share of the count: two of three results are within it, 95 of 100 within the double. 0.02 unless said
   * otherwise (4,096 registers of a byte); from 0.002 (524,288) to 0.25 (32). Half the error costs four times the memory.
   */
  readonly standardError?: number
}

/** What approximateDistinctCount remembers: registers, as a list of those that are not 0 while there are few. */
export interface DistinctSketch {
  listed: Map<number, number> | undefined
  registers: Uint8Array | undefined
  /** How many registers hold each value. */
  readonly histogram: Int32Array
}

/**
 * About how many different values a field has (or the function returns), in bounded memory; null and undefined are left out. The standard
 * error is 2 % unless said otherwise, and nearly nothing while there are few. Values compare as keys do; KEY_INVALID for what cannot be a key. It cannot take
 * records back: a register does not know how many values set it.
 * @example
 * ```ts
 * import { approximateDistinctCount, environment } from 'millrace'
 * const env = environment()
 * const visits = env.fromElements({ page: '/', user: 'ann' }, { page: '/', user: 'bob' }, { page: '/', user: 'ann' })
 * visits.keyBy('page').aggregate(approximateDistinctCount('user', { standardError: 0.01 })).print()
 * await env.execute()
 * ```
 */
export function approximateDistinctCount<F extends string>(
  field: F,
  options?: ApproximationOptions,
): AggregateFunction<Readonly<Record<F, unknown>>, unknown, number>
export function approximateDistinctCount<T>(
  selector: (record: T) => unknown,
  options?: ApproximationOptions,
): AggregateFunction<T, unknown, number>
export function approximateDistinctCount(
  selector: unknown,
  options: ApproximationOptions = {},
): AggregateFunction<never, unknown, number> {
  const call = callText('approximateDistinctCount', selector)
  const read = valueReader('approximateDistinctCount', selector)
  const indexBits = indexBitsFor(call, options.standardError ?? STANDARD_ERROR_DEFAULT)
  const aggregate: AggregateFunction<unknown, DistinctSketch, number> = {
    create: () => emptySketch(indexBits),
    add: (sketch, record) => {
      const value = read(record)
      if (isAbsent(value)) return sketch
      hash64(identityOf(call, value))
      raise(sketch, hashHigh() >>> (32 - indexBits), rankOf(hashHigh() << indexBits, hashLow(), indexBits), indexBits)
      return sketch
    },
    merge: (a, b) => {
      if (b.listed !== undefined) for (const [index, rank] of b.listed) raise(a, index, rank, indexBits)
      const { registers } = b
      if (registers !== undefined) {
        for (let i = 0; i < registers.length; i++) raise(a, i, registers[i] as number, indexBits)
      }
      return a
    },
    result: sketch => Math.round(estimate(sketch.histogram, indexBits)),
  }
  return Object.freeze(aggregate as AggregateFunction<never, unknown, number>)
}

function indexBitsFor(call: string, standardError: unknown): number {
  const isInRange =
    typeof standardError === 'number' && standardError >= STANDARD_ERROR_MIN && standardError <= STANDARD_ERROR_MAX
  if (isInRange) return Math.ceil(Math.log2((1.04 / standardError) ** 2))
  throw argumentInvalid(
    call,
    `standardError is ${preview(standardError)}; give a number from ${STANDARD_ERROR_MIN} to ${STANDARD_ERROR_MAX}`,
  )
}

function emptySketch(indexBits: number): DistinctSketch {
  const histogram = new Int32Array(64 - indexBits + 2)
  histogram[0] = 2 ** indexBits
  return { listed: new Map(), registers: undefined, histogram }
}

// One more than the zeros that the rest of the hash begins with. `highRest` has the rest of the high word in its upper bits.
function rankOf(highRest: number, low: number, indexBits: number): number {
  const highZeros = Math.clz32(highRest)
  const highBits = 32 - indexBits
  return highZeros < highBits ? highZeros + 1 : highBits + Math.clz32(low) + 1
}

function raise(sketch: DistinctSketch, index: number, rank: number, indexBits: number): void {
  const { listed, registers, histogram } = sketch
  const before = registers === undefined ? (listed?.get(index) ?? 0) : (registers[index] as number)
  if (rank <= before) return
  histogram[before] = (histogram[before] as number) - 1
  histogram[rank] = (histogram[rank] as number) + 1
  if (registers !== undefined) registers[index] = rank
  else if (listed !== undefined) {
    listed.set(index, rank)
    if (listed.size > 2 ** indexBits * LISTED_SHARE_MAX) toRegisters(sketch, listed, indexBits)
  }
}

function toRegisters(sketch: DistinctSketch, listed: ReadonlyMap<number, number>, indexBits: number): void {
  const registers = new Uint8Array(2 ** indexBits)
  for (const [index, rank] of listed) registers[index] = rank
  sketch.registers = registers
  sketch.listed = undefined
}

function estimate(histogram: Int32Array, indexBits: number): number {
  const count = 2 ** indexBits
  const last = histogram.length - 1
  let z = count * tau(1 - (histogram[last] as number) / count)
  for (let rank = last - 1; rank >= 1; rank--) z = 0.5 * (z + (histogram[rank] as number))
  z += count * sigma((histogram[0] as number) / count)
  return ((count / (2 * Math.LN2)) * count) / z
}

// Corrects for registers that are still 0: x + the sum of x^(2^k) 2^(k-1).
function sigma(x: number): number {
  if (x === 1) return Infinity
  let power = x
  let weight = 1
  let sum = x
  for (let before = -1; before !== sum; ) {
    before = sum
    power *= power
    sum += power * weight
    weight += weight
  }
  return sum
}

// Corrects for registers that cannot go higher.
function tau(x: number): number {
  if (x === 0 || x === 1) return 0
  let root = x
  let weight = 1
  let rest = 1 - x
  for (let before = -1; before !== rest; ) {
    before = rest
    root = Math.sqrt(root)
    weight *= 0.5
    rest -= (1 - root) ** 2 * weight
  }
  return rest / 3
}
