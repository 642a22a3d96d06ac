// Record path (bench/micro/keyed-table.ts). A keyed aggregation that emits its result after every record.
import type { AggregateFunction } from '../model/functions.ts'
import { KeyEntry, KeyedTable } from '../state/keyed-table.ts'
import { checkAccumulator } from '../window/window-contents.ts'
import type { Operator, OperatorContext } from './operator.ts'
import { failOnRecord } from './user-failure.ts'

class RollingEntry extends KeyEntry {
  accumulator: unknown = undefined

  isEmpty(): boolean {
    return this.accumulator === undefined
  }
}

/** The operator of a rolling aggregation. */
export function rollingOperator(
  aggregate: AggregateFunction<unknown, unknown, unknown>,
  context: OperatorContext,
): Operator {
  const { vertex, output } = context
  const keyOf = context.keyOf(0)
  const table = new KeyedTable(vertex.maxParallelism, (key, keyGroup) => new RollingEntry(key, keyGroup))
  const input = (record: unknown): void => {
    let result: unknown
    try {
      const entry = table.ensure(keyOf(record as never))
      const before = entry.accumulator
      const accumulator = aggregate.add(before === undefined ? aggregate.create() : before, record)
      if (accumulator !== before || accumulator === undefined) entry.accumulator = checkAccumulator(accumulator)
      result = aggregate.result(accumulator)
    } catch (error) {
      failOnRecord(vertex, record, error)
    }
    output(result)
  }
  return { inputs: [input] }
}
