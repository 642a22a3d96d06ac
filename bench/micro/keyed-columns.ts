// Sums by key in columns against entries and a Map, with snapshots of all keys and without: `node bench/micro/keyed-columns.ts`.
import { sumOf } from '../../src/functions/field-aggregates.ts'
import type { Vertex } from '../../src/model/graph.ts'
import { type CurrentRecord, NO_TIMESTAMP, type OperatorContext } from '../../src/operators/operator.ts'
import { rollingOperator } from '../../src/operators/rolling.ts'
import type { StatePart } from '../../src/state/state-part.ts'
import { nextState, pick } from '../workloads.ts'
import { measure } from './measure.ts'

const OPERATIONS = 10_000_000
const RECORDS_PER_SNAPSHOT = 2_500_000
const ROWS_PER_SLICE = 1000

interface Reading {
  readonly key: number
  readonly n: number
}

function run(keys: number, isInColumns: boolean, hasSnapshots: boolean): number {
  const record: CurrentRecord = { timestamp: NO_TIMESTAMP, key: undefined, isRetraction: false }
  let sum = 0
  const { inputs, parts } = rollingOperator(
    sumOf('n') as never,
    {
      vertex: { name: 'step', maxParallelism: 128 } as Vertex,
      record,
      output: value => {
        sum += (value as Reading).n
      },
      isCheckpointed: hasSnapshots,
      takesRetractions: !isInColumns,
      keyOf: () => (reading: Reading) => reading.key,
    } as Partial<OperatorContext> as OperatorContext,
  )
  const [input, part] = [inputs[0] as (reading: Reading) => void, (parts as readonly StatePart[])[0] as StatePart]
  let state = 1
  let id = 0
  let isEncoding = false
  for (let i = 0; i < OPERATIONS; i++) {
    state = nextState(state)
    input({ key: pick(state, keys), n: 1 })
    if (!hasSnapshots || i % ROWS_PER_SLICE !== 0) continue
    if (isEncoding && part.advance(ROWS_PER_SLICE)) {
      part.take()
      part.settle(id, 'completed')
      isEncoding = false
    }
    if (i % RECORDS_PER_SNAPSHOT !== 0 || isEncoding) continue
    part.begin(++id, true)
    isEncoding = true
  }
  return sum
}

for (const keys of [10_000, 1_000_000]) {
  for (const isInColumns of [true, false]) {
    for (const hasSnapshots of [false, true]) {
      const name = `${isInColumns ? 'columns' : 'entries'}, ${keys} keys${hasSnapshots ? ', snapshots' : ''}`
      measure(name, OPERATIONS, () => run(keys, isInColumns, hasSnapshots))
    }
  }
}
