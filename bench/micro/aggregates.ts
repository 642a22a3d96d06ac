// What a built-in aggregate costs for each record, without and with the result: many records in one accumulator, values of 10,000 kinds.
// Run it with `node bench/micro/aggregates.ts`.
import { approximateDistinctCount } from '../../src/functions/approximate-distinct-count.ts'
import { composite } from '../../src/functions/composite.ts'
import { distinctCount } from '../../src/functions/distinct-values.ts'
import { sumOf } from '../../src/functions/field-aggregates.ts'
import { avg, count, max, sum } from '../../src/functions/number-aggregates.ts'
import { quantiles } from '../../src/functions/quantiles.ts'
import { topN } from '../../src/functions/top-n.ts'
import type { AggregateFunction } from '../../src/model/functions.ts'
import { measure } from './measure.ts'

interface Sale {
  readonly user: string
  readonly euros: number
}

const RECORDS = 200_000
const sales = Array.from(
  { length: RECORDS },
  (_, i): Sale => ({ user: `user-${(i * 7919) % 10_000}`, euros: (i * 7919) % 10_007 }),
)

const AGGREGATES: Readonly<Record<string, AggregateFunction<never, unknown, unknown>>> = {
  'sum, whole records': sumOf<Sale>('euros'),
  count: count(),
  sum: sum('euros'),
  max: max('euros'),
  'topN(10)': topN<Sale>(10, { by: 'euros' }),
  distinctCount: distinctCount('user'),
  approximateDistinctCount: approximateDistinctCount('user'),
  quantiles: quantiles('euros', [0.5, 0.99]),
  'composite of count, avg, max': composite({ sales: count(), mean: avg('euros'), most: max('euros') }),
}

function fold(aggregate: AggregateFunction<Sale, unknown, unknown>, isRolling: boolean): unknown {
  let accumulator = aggregate.create()
  let last: unknown
  for (const sale of sales) {
    accumulator = aggregate.add(accumulator, sale)
    if (isRolling) last = aggregate.result(accumulator)
  }
  return isRolling ? last : aggregate.result(accumulator)
}

for (const [name, aggregate] of Object.entries(AGGREGATES)) {
  const typed = aggregate as AggregateFunction<Sale, unknown, unknown>
  measure(name, RECORDS, () => fold(typed, false))
  measure(`${name}, a result for each`, RECORDS, () => fold(typed, true))
}
