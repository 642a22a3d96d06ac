// The circumstances under which the harness plays one and the same script. An operator may not behave differently in any of them.
import { type OperatorSpec, inputCount } from '../model/operator-spec.ts'

/** One set of circumstances. */
export interface OperatorVariant {
  /** In words, for messages. */
  readonly name: string
  /** `one`: each record comes in a batch of its own; `many`: all records between two other elements come in one. */
  readonly batches: 'one' | 'many'
  /** How many records or timers a step may work off. */
  readonly recordsPerStep: number
  /** `full`: every output takes one record and is emptied after every other step. */
  readonly output: 'open' | 'full'
  /** `alone`: a channel leads to the operator; `chained`: it is called by an operator before it. */
  readonly chain: 'alone' | 'chained'
}

/** Steps of so many records count as unlimited. */
const MANY_RECORDS = 1 << 20

/** The variants in which an operator is verified. */
export function operatorVariants(spec: OperatorSpec): readonly OperatorVariant[] {
  const variants: OperatorVariant[] = []
  for (const batches of ['many', 'one'] as const) {
    for (const recordsPerStep of [MANY_RECORDS, 1]) {
      for (const output of ['open', 'full'] as const) variants.push(named({ batches, recordsPerStep, output, chain: 'alone' }))
    }
  }
  // Operators of two inputs are never called by another one: they head their chain.
  if (inputCount(spec) === 1) variants.push(named({ batches: 'many', recordsPerStep: 1, output: 'full', chain: 'chained' }))
  return variants
}

function named(variant: Omit<OperatorVariant, 'name'>): OperatorVariant {
  const parts = [
    variant.batches === 'one' ? 'batches of one' : 'batches of many',
    variant.recordsPerStep === 1 ? 'one record a step' : 'many records a step',
    variant.output === 'full' ? 'output full every other call' : 'output never full',
    ...(variant.chain === 'chained' ? ['chained behind another operator'] : []),
  ]
  return { name: parts.join(', '), ...variant }
}
