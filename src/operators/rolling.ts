// Record path (bench/micro/keyed-table.ts). A keyed aggregation that emits its result after every record, and after every record that is
// taken back.
import { StreamError } from '../base/errors.ts'
import type { AggregateFunction } from '../model/functions.ts'
import { readValue, writeValue } from '../serde/value-codec.ts'
import { type EntryRows, KeyedPart } from '../state/keyed-part.ts'
import { KeyEntry, KeyedTable } from '../state/keyed-table.ts'
import { checkAccumulator } from '../window/window-contents.ts'
import type { Emit, Operator, OperatorContext } from './operator.ts'
import { failOnRecord } from './user-failure.ts'

class RollingEntry extends KeyEntry {
  accumulator: unknown = undefined
  /** Records added and not taken back. An accumulator need not know: one that holds none is dropped. */
  count = 0

  isEmpty(): boolean {
    return this.count === 0
  }
}

/** The operator of a rolling aggregation. */
export function rollingOperator(
  aggregate: AggregateFunction<unknown, unknown, unknown>,
  context: OperatorContext,
): Operator {
  const { vertex, output, record: current } = context
  const keyOf = context.keyOf(0)
  const part: KeyedPart<RollingEntry> = new KeyedPart(
    'accumulators',
    accumulatorRows(() => table),
  )
  if (context.isCheckpointed) part.changes.enable()
  const table: KeyedTable<RollingEntry> = new KeyedTable(
    vertex.maxParallelism,
    (key, group) => new RollingEntry(key, group),
    part.changes,
  )
  const takeBack = retraction(aggregate, context, table)
  const input = (record: unknown): void => {
    if (current.isRetraction) {
      takeBack(record)
      return
    }
    let result: unknown
    try {
      const entry = table.ensure(keyOf(record as never))
      const before = entry.accumulator
      const accumulator = aggregate.add(before === undefined ? aggregate.create() : before, record)
      if (accumulator !== before || accumulator === undefined) entry.accumulator = checkAccumulator(accumulator)
      entry.count++
      result = aggregate.result(accumulator)
    } catch (error) {
      failOnRecord(vertex, record, error)
    }
    output(result)
  }
  return { inputs: [input], parts: [part] }
}

function accumulatorRows(table: () => KeyedTable<RollingEntry>): EntryRows<RollingEntry> {
  return {
    schema: { layout: 'accumulators', states: [] },
    all: () => table().entries(),
    count: () => table().size,
    writeIdentity: (entry, out) => writeValue(out, entry.key),
    writePayload(entry, out) {
      if (entry.isEmpty()) return false
      writeValue(out, entry.count)
      writeValue(out, entry.accumulator)
      return true
    },
    restorer: () => ({
      row(_keyGroup, identity, payload) {
        const entry = table().ensure(readValue(identity))
        entry.count = readValue(payload) as number
        entry.accumulator = readValue(payload)
      },
    }),
  }
}

// The new result replaces the one before, as after every record: it takes nothing back itself. A key left without records is forgotten;
// it emits the result of no records, where there is one.
function retraction(
  aggregate: AggregateFunction<unknown, unknown, unknown>,
  { vertex, output, record: current, keyOf }: OperatorContext,
  table: KeyedTable<RollingEntry>,
): Emit {
  const keyOfRecord = keyOf(0)
  const resultWithout = (entry: RollingEntry, record: unknown): unknown => {
    const { accumulator } = entry
    if (aggregate.retract === undefined) throw cannotTakeBack()
    const changed = aggregate.retract(accumulator, record)
    if (changed === undefined) throw forgotten()
    entry.accumulator = changed
    if (--entry.count > 0) return aggregate.result(changed)
    table.releaseIfEmpty(entry)
    return aggregate.needsRecords === true ? NO_RESULT : aggregate.result(aggregate.create())
  }
  return record => {
    let result: unknown
    try {
      const entry = table.find(keyOfRecord(record as never))
      if (entry === undefined) throw retractionUnmatched()
      result = resultWithout(entry, record)
    } catch (error) {
      failOnRecord(vertex, record, error)
    }
    if (result === NO_RESULT) return
    current.isRetraction = false
    output(result)
    current.isRetraction = true
  }
}

const NO_RESULT = Symbol('no result')

/** Something is taken back that is not there. */
export function retractionUnmatched(): StreamError {
  return new StreamError(
    'RETRACTION_UNMATCHED',
    'a record is taken back whose key (or window) holds no records; let functions and key selectors before it depend on the record alone',
  )
}

function forgotten(): StreamError {
  return new StreamError(
    'USER_FUNCTION_RESULT',
    'retract() of the aggregate returned undefined; let it return the accumulator',
  )
}

function cannotTakeBack(): StreamError {
  return new StreamError(
    'USER_FUNCTION_RESULT',
    'the aggregate has no retract(), and a record is taken back; give it one, or do not accumulate and retract before it',
  )
}
