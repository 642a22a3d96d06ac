// Record path (bench/micro/keyed-table.ts). A keyed aggregation that emits its result after every record, and after every record that is
// taken back.
import { StreamError } from '../base/errors.ts'
import type { AggregateFunction } from '../model/functions.ts'
import { keyField } from '../model/key.ts'
import { type ReplacedField, replacedField } from '../model/replaced-field.ts'
import { readValue, writeValue } from '../serde/value-codec.ts'
import { KeyedColumns } from '../state/keyed-columns.ts'
import { type EntryRows, KeyedPart } from '../state/keyed-part.ts'
import { KeyEntry, KeyedTable } from '../state/keyed-table.ts'
import { RecordForm } from '../state/record-form.ts'
import { OwnFinder } from '../state/row-finder.ts'
import { checkAccumulator } from '../window/window-contents.ts'
import type { Emit, Operator, OperatorContext } from './operator.ts'
import { failOnRecord } from './user-failure.ts'

type Fields = Readonly<Record<string, unknown>>

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
  const state = new RollingState(aggregate, context)
  const { table, part } = state
  const takeBack = retraction(aggregate, context, table)
  const addToEntry = (key: unknown, record: unknown): unknown => {
    const entry = table.ensure(key)
    const before = entry.accumulator
    const accumulator = aggregate.add(before === undefined ? aggregate.create() : before, record)
    if (accumulator !== before || accumulator === undefined) entry.accumulator = checkAccumulator(accumulator)
    entry.count++
    return aggregate.result(accumulator)
  }
  const input = (record: unknown): void => {
    if (current.isRetraction) {
      takeBack(record)
      return
    }
    let result: unknown
    try {
      result = addToEntry(keyOf(record as never), record)
    } catch (error) {
      failOnRecord(vertex, record, error)
    }
    output(result)
  }
  const { replaced } = state
  if (replaced === undefined) return { inputs: [input], parts: [part] }
  const { field } = replaced
  const columnInput = (record: unknown): void => {
    let result: unknown
    try {
      const key = keyOf(record as never)
      const value = (record as Fields | null)?.[field]
      if (typeof value !== 'number') throw replaced.notNumber(record)
      const { columns } = state
      const row = columns === undefined ? -1 : columns.find(key)
      if (row >= 0) result = (columns as KeyedColumns).update(row, value)
      else if (table.find(key) === undefined && state.addToColumns(key, record, 1)) result = { ...(record as object) }
      else result = addToEntry(key, record)
    } catch (error) {
      failOnRecord(vertex, record, error)
    }
    output(result)
  }
  return { inputs: [columnInput], parts: [part] }
}

/** The accumulators: in columns where aggregate and records allow it, else each in an entry. */
class RollingState {
  readonly part: KeyedPart<RollingEntry>
  readonly table: KeyedTable<RollingEntry>
  /** Undefined where accumulators are kept in entries alone: columns never let go of a key. */
  readonly replaced: ReplacedField | undefined
  columns: KeyedColumns | undefined
  private readonly maxParallelism: number
  private readonly keyField: string | undefined
  private readonly isTracked: boolean

  constructor(aggregate: object, { vertex, isCheckpointed, takesRetractions }: OperatorContext) {
    this.maxParallelism = vertex.maxParallelism
    this.keyField = keyField(vertex.keySelectors?.[0])
    this.isTracked = isCheckpointed
    this.replaced = takesRetractions ? undefined : replacedField(aggregate)
    this.part = new KeyedPart('accumulators', this.rows())
    if (isCheckpointed) this.part.changes.enable()
    this.table = new KeyedTable(vertex.maxParallelism, (key, group) => new RollingEntry(key, group), this.part.changes)
  }

  /** Adds a key that neither has; false where its record is not of the form that the first one gave. */
  addToColumns(key: unknown, record: unknown, count: number): boolean {
    if (this.columns === undefined && !this.openColumns(key, record)) return false
    return (this.columns as unknown as KeyedColumns).add(key, record, count)
  }

  private openColumns(key: unknown, record: unknown): boolean {
    const { replaced, part } = this
    if (replaced === undefined || !RecordForm.accepts(key, record, replaced.field)) return false
    this.columns = new KeyedColumns({
      form: new RecordForm(record, replaced.field, this.keyField),
      replacement: replaced.replacement,
      finder: new OwnFinder(),
      maxParallelism: this.maxParallelism,
      isTracked: this.isTracked,
      targetOf: keyGroup => part.targetOf(keyGroup),
    })
    part.attach(this.columns)
    return true
  }

  private rows(): EntryRows<RollingEntry> {
    return {
      schema: { layout: 'accumulators', states: [] },
      all: () => this.table.entries(),
      count: () => this.table.size,
      writeIdentity: (entry, out) => writeValue(out, entry.key),
      writePayload(entry, out) {
        if (entry.isEmpty()) return false
        writeValue(out, entry.count)
        writeValue(out, entry.accumulator)
        return true
      },
      restorer: () => ({
        row: (_keyGroup, identity, payload) => {
          const key = readValue(identity)
          const count = readValue(payload) as number
          const accumulator = readValue(payload)
          if (this.addToColumns(key, accumulator, count)) return
          const entry = this.table.ensure(key)
          entry.count = count
          entry.accumulator = accumulator
        },
      }),
    }
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
