// What it costs to track changes: declared state of one number, and of one object changed in place, untracked, tracked, and with a snapshot
// begun after every 100,000 records and encoded between them; and state that expires: `node bench/micro/change-tracker.ts`.
import { type StateDescriptors, type ValueState, value } from '../../src/model/state.ts'
import { KeyedState } from '../../src/state/keyed-state.ts'
import { nextState, pick } from '../workloads.ts'
import { measure } from './measure.ts'

const OPERATIONS = 4_000_000
const RECORDS_PER_SNAPSHOT = 100_000
const RECORDS_PER_SLICE = 100
const ROWS_PER_SLICE = 1000

type Tracking = 'untracked' | 'tracked' | 'snapshots'

interface Bench {
  readonly keys: number
  readonly tracking: Tracking
  readonly descriptors: StateDescriptors
  readonly change: (count: ValueState<unknown>) => void
}

function run({ keys, tracking, descriptors, change }: Bench): number {
  const state = new KeyedState(descriptors, 128, { isTracked: tracking !== 'untracked', nowMs: () => 0 })
  const count = state.handles['count'] as ValueState<unknown>
  let random = 1
  let snapshotId = 0
  for (let i = 0; i < OPERATIONS; i++) {
    random = nextState(random)
    state.select(pick(random, keys))
    change(count)
    state.release()
    if (tracking === 'snapshots' && i % RECORDS_PER_SLICE === 0) snapshotId = slice(state, snapshotId, i)
  }
  return state.table.size
}

/** Begins a snapshot, encodes some of it, or ends it; returns the id of the one that is running. */
function slice({ part }: KeyedState, snapshotId: number, record: number): number {
  if (record % RECORDS_PER_SNAPSHOT === 0) {
    while (!part.advance(ROWS_PER_SLICE));
    if (snapshotId > 0) {
      part.take()
      part.settle(snapshotId, 'completed')
    }
    part.begin(snapshotId + 1, false)
    return snapshotId + 1
  }
  part.advance(ROWS_PER_SLICE)
  return snapshotId
}

const addOne = (count: ValueState<unknown>): void => count.set((count.get() as number) + 1)
const addInPlace = (count: ValueState<unknown>): void => {
  const box = count.get() as { n: number }
  box.n++
}

for (const keys of [10_000, 1_000_000]) {
  for (const tracking of ['untracked', 'tracked', 'snapshots'] as const) {
    const numbers: Bench = { keys, tracking, descriptors: { count: value(0) }, change: addOne }
    measure(`a number, ${keys} keys, ${tracking}`, OPERATIONS, () => run(numbers))
    const objects: Bench = { keys, tracking, descriptors: { count: value(() => ({ n: 0 })) }, change: addInPlace }
    measure(`an object in place, ${keys} keys, ${tracking}`, OPERATIONS, () => run(objects))
  }
  const ttl = { durationMs: 1000 }
  const expiring: Bench = { keys, tracking: 'tracked', descriptors: { count: value(0, { ttl }) }, change: addOne }
  measure(`a number that expires, ${keys} keys, tracked`, OPERATIONS, () => run(expiring))
}
