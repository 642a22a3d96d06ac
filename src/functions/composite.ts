// Record path (bench/micro/aggregates.ts). Several aggregates over the same records as one: a result of named parts. (Malhar's CompositeAccumulation, Beam's
// CombineFns.compose.)
import { preview, StreamError } from '../base/errors.ts'
import type { AggregateFunction } from '../model/functions.ts'
import { argumentInvalid } from './field-values.ts'

/** Aggregates by the name of their part of the result. */
export type AggregateParts = Readonly<Record<string, AggregateFunction<never, unknown, unknown>>>

/** What all the parts can take: a record that has what each of them needs. */
export type RecordOfParts<P extends AggregateParts> = {
  [N in keyof P]: P[N] extends AggregateFunction<infer T, infer _A, infer _R> ? (record: T) => void : never
}[keyof P] extends (record: infer T) => void
  ? T
  : never

/** The result of each part, by its name. */
export type ResultOfParts<P extends AggregateParts> = {
  readonly [N in keyof P]: P[N] extends AggregateFunction<never, infer _A, infer R> ? R : never
}

type AnyAggregate = AggregateFunction<unknown, unknown, unknown>

const METHODS = ['create', 'add', 'merge', 'result'] as const

/**
 * Several aggregates in one, each giving its part of the result. It takes records back if all parts do, and needs records if one does.
 * OPTION_INVALID without parts, or for a part that is no aggregate; USER_FUNCTION_RESULT for a part whose function returns no accumulator.
 * @example
 * ```ts
 * import { avg, composite, count, environment } from 'millrace'
 * const env = environment()
 * const sales = env.fromElements({ city: 'Cork', euros: 5 }, { city: 'Cork', euros: 7 })
 * sales.keyBy('city').countWindow(2).aggregate(composite({ sales: count(), mean: avg('euros') })).print()
 * await env.execute()
 * ```
 */
export function composite<P extends AggregateParts>(
  parts: P,
): AggregateFunction<RecordOfParts<P>, unknown, ResultOfParts<P>> {
  const names = checkedNames(parts)
  const functions = names.map(name => parts[name] as AnyAggregate)
  const each = (change: PartChange): ((accumulator: unknown[], other: unknown) => unknown[]) => {
    return (accumulators, other) => {
      for (let i = 0; i < functions.length; i++) {
        const changed = change(functions[i] as AnyAggregate, accumulators[i], other, i)
        if (changed === undefined) throw forgotten(names[i] as string)
        accumulators[i] = changed
      }
      return accumulators
    }
  }
  const aggregate: AggregateFunction<unknown, unknown[], unknown> = {
    create: () => functions.map(part => part.create()),
    add: each((part, accumulator, record) => part.add(accumulator, record)),
    merge: each((part, accumulator, other, i) => part.merge(accumulator, (other as unknown[])[i])),
    result: accumulators => {
      const result: Record<string, unknown> = {}
      for (let i = 0; i < functions.length; i++) {
        result[names[i] as string] = (functions[i] as AnyAggregate).result(accumulators[i])
      }
      return result
    },
    ...(functions.every(part => part.retract !== undefined) && {
      retract: each((part, accumulator, record) => part.retract?.(accumulator, record)),
    }),
    ...(functions.every(part => part.subtract !== undefined) && {
      subtract: each((part, accumulator, other, i) => part.subtract?.(accumulator, (other as unknown[])[i])),
    }),
    needsRecords: functions.some(part => part.needsRecords === true),
  }
  return Object.freeze(aggregate) as AggregateFunction<RecordOfParts<P>, unknown, ResultOfParts<P>>
}

/** How one part's accumulator changes by a record or by an accumulator of the composite. */
type PartChange = (part: AnyAggregate, accumulator: unknown, other: unknown, index: number) => unknown

function checkedNames(parts: unknown): readonly string[] {
  if (typeof parts !== 'object' || parts === null || Object.keys(parts).length === 0) {
    throw argumentInvalid('composite()', `the parts are ${preview(parts)}; give an object of aggregates by name`)
  }
  for (const [name, part] of Object.entries(parts) as [string, Partial<AnyAggregate> | null | undefined][]) {
    const missing = METHODS.filter(method => typeof part?.[method] !== 'function')
    if (missing.length === 0) continue
    throw argumentInvalid(
      'composite()',
      `the part "${name}" has no ${missing.join(', ')}; give an aggregate such as sum('field')`,
    )
  }
  return Object.keys(parts)
}

function forgotten(name: string): StreamError {
  return new StreamError(
    'USER_FUNCTION_RESULT',
    `composite(): a function of the part "${name}" returned undefined; let it return the accumulator`,
  )
}
