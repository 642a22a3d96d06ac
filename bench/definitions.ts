// The workloads as data: the records of the normative pass and what it must give, the floors, and how fast the floors were when they were
// first measured, which tells whether one of them has become slow.
import { EVENT_POOL, makeAdEvents } from './ad-events.ts'
import { campaignByteFloor, keyedSumTypedFloor, rollingByteFloor, toByteLines, windowByteFloor } from './byte-floors.ts'
import { campaignFloor, keyedSumFloor, type PassResult, rollingFloor, windowFloor } from './floors.ts'
import type { WorkloadId } from './jobs.ts'
import { campaignOracle, type Extent, keyedSumOracle, rollingOracle, windowOracle } from './oracles.ts'
import { makeLines, WORDS_PER_LINE } from './workloads.ts'

/** A hand-written program for a workload. */
export type FloorKind = 'idiomatic' | 'bytes'

/** A workload that is timed as fast as it goes. */
export interface Workload {
  readonly id: WorkloadId
  readonly title: string
  /** Of the normative pass. */
  readonly records: number
  readonly expected: PassResult
  /** A count of records must be a multiple of this, for each split. */
  readonly recordsStep: number
  /** What any other number of records must give. */
  readonly oracle: (extent: Extent) => PassResult
  /** One pass with fresh state over one split. */
  readonly floors: Readonly<Record<FloorKind, (records: number) => PassResult>>
  /** Million records per CPU second of the floors in the reference, Node on a quiet machine of two cores. */
  readonly reference: Readonly<Record<FloorKind, number>>
}

const MILLION = 1_000_000

function keyedSum(
  id: WorkloadId,
  keys: number,
  rest: Pick<Workload, 'records' | 'expected' | 'reference' | 'title'>,
): Workload {
  return {
    ...rest,
    id,
    recordsStep: 1,
    oracle: extent => keyedSumOracle(keys, extent),
    floors: {
      idiomatic: records => keyedSumFloor(keys, records),
      bytes: records => keyedSumTypedFloor(keys, records),
    },
  }
}

/** W1 to W4, in the order of the report. */
export const WORKLOADS: readonly Workload[] = [
  {
    id: 'W1',
    title: 'rolling word count',
    records: 10 * MILLION,
    expected: { rows: 10 * MILLION, sum: 862_179_303_793 },
    recordsStep: WORDS_PER_LINE,
    oracle: rollingOracle,
    floors: {
      idiomatic: records => rollingFloor(makeLines(), records),
      bytes: records => rollingByteFloor(byteLines(), records),
    },
    reference: { idiomatic: 10.5, bytes: 40 },
  },
  {
    id: 'W2',
    title: 'word count in 5 s windows',
    records: 20 * MILLION,
    expected: { rows: 3_077_592, sum: 20 * MILLION },
    recordsStep: WORDS_PER_LINE,
    oracle: windowOracle,
    floors: {
      idiomatic: records => windowFloor(makeLines(), records),
      bytes: records => windowByteFloor(byteLines(), records),
    },
    reference: { idiomatic: 6.5, bytes: 38.1 },
  },
  keyedSum('W3-10k', 10_000, {
    title: 'keyed sum, 10 thousand keys',
    records: 20 * MILLION,
    expected: { rows: 20 * MILLION, sum: 20_020_092_160 },
    reference: { idiomatic: 37, bytes: 150 },
  }),
  keyedSum('W3-1M', MILLION, {
    title: 'keyed sum, 1 million keys',
    records: 6 * MILLION,
    expected: { rows: 6 * MILLION, sum: 23_994_596 },
    reference: { idiomatic: 4.9, bytes: 17 },
  }),
  {
    id: 'W4',
    title: 'Yahoo streaming benchmark, in process',
    records: 5 * MILLION,
    expected: { rows: 5000, sum: 1_684_050 },
    // A lap of the pool is a window.
    recordsStep: EVENT_POOL,
    oracle: campaignOracle,
    floors: {
      idiomatic: records => campaignFloor(makeAdEvents(0), records),
      bytes: records => campaignByteFloor(makeAdEvents(0), records),
    },
    reference: { idiomatic: 1.36, bytes: 4.5 },
  },
]

let bytes: ReturnType<typeof toByteLines> | undefined

function byteLines(): ReturnType<typeof toByteLines> {
  bytes ??= toByteLines(makeLines())
  return bytes
}

/** The workload of an id; undefined for none. W5 is W3 at a rate. */
export function workloadOf(id: string): Workload | undefined {
  const timed = id.replace('W5', 'W3')
  return WORKLOADS.find(workload => workload.id === timed)
}
