// Checks of the objects of functions that users hand to keyed operations.
import { preview } from '../../base/errors.ts'
import type { OperatorSpec } from '../../model/operator-spec.ts'
import type { OperatorStateDescriptors } from '../../model/operator-state.ts'
import type { StateDescriptors } from '../../model/state.ts'
import { type MethodRules, optionInvalid, requireMethods } from './arguments.ts'

/** Functions as the graph knows them: keys, records and state of types that only the stream knows. */
export type AnyProcessFunction = Extract<OperatorSpec, { readonly kind: 'process' }>['function']
export type AnyCoProcessFunction = Extract<OperatorSpec, { readonly kind: 'co-process' }>['function']
export type AnyKeyedProcessFunction = Extract<OperatorSpec, { readonly kind: 'keyed-process' }>['function']
export type AnyKeyedCoProcessFunction = Extract<OperatorSpec, { readonly kind: 'keyed-co-process' }>['function']

/** What an AggregateFunction must have. */
export const AGGREGATE_RULES: MethodRules = {
  required: ['create', 'add', 'merge', 'result'],
  optional: ['retract', 'subtract'],
}

const STATE_KINDS: readonly unknown[] = ['value', 'list', 'map', 'ordered-list', 'reducing', 'aggregating']
const OPERATOR_STATE_KINDS: readonly unknown[] = ['operator-list', 'operator-union']

/** Throws OPTION_INVALID unless it is a keyed function with the given methods and well declared state. */
export function requireKeyedFunction(
  call: string,
  fn: {
    readonly state?: StateDescriptors
    readonly operatorState?: OperatorStateDescriptors
    readonly watermarkDelayMs?: number
  },
  required: readonly string[],
): void {
  requireMethods(call, fn, { required, optional: ['onTimer', 'open', 'close'] })
  const { watermarkDelayMs = 0 } = fn
  if (!(typeof watermarkDelayMs === 'number' && watermarkDelayMs >= 0))
    throw optionInvalid(call, `watermarkDelayMs is ${preview(watermarkDelayMs)}; give milliseconds from 0`)
  requireStates(call, fn.state)
  requireOperatorStates(call, fn.operatorState)
}

/** Throws OPTION_INVALID unless all of the state without key is well declared. */
export function requireOperatorStates(call: string, state: OperatorStateDescriptors | undefined): void {
  for (const [name, descriptor] of Object.entries(state ?? {})) {
    if (OPERATOR_STATE_KINDS.includes((descriptor as { readonly kind?: unknown } | null | undefined)?.kind)) continue
    const found = preview(descriptor)
    throw optionInvalid(call, `operatorState "${name}" is ${found}; declare it with operatorList() or operatorUnion()`)
  }
}

/** Throws OPTION_INVALID unless all of the state is well declared. */
export function requireStates(call: string, state: StateDescriptors | undefined): void {
  for (const [name, descriptor] of Object.entries(state ?? {})) {
    if (STATE_KINDS.includes((descriptor as { readonly kind?: unknown } | null | undefined)?.kind)) continue
    throw optionInvalid(
      call,
      `state "${name}" is ${preview(descriptor)}; declare it with value(), list(), map(), orderedList(), reducing() or aggregating()`,
    )
  }
}
