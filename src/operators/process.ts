// Record path. Functions of one record, or of records of two streams, without key: they emit by a collector, any number of records.
import { StreamError } from '../base/errors.ts'
import type { Collector, CoProcessFunction, ProcessFunction } from '../model/functions.ts'
import type { OperatorStateDescriptors } from '../model/operator-state.ts'
import { OperatorStates } from '../state/operator-state.ts'
import type { StatePart } from '../state/state-part.ts'
import type { Emit, Operator, OperatorContext } from './operator.ts'
import { OperatorRecordContext } from './record-context.ts'
import { failOnRecord, failStep } from './user-failure.ts'

/** The operator of a ProcessFunction. */
export function processOperator(user: ProcessFunction<unknown, unknown>, context: OperatorContext): Operator {
  return unkeyed(user, context, (ctx, out) => [guarded(record => user.onRecord(record, ctx, out), context)])
}

/** The operator of a CoProcessFunction. */
export function coProcessOperator(
  user: CoProcessFunction<unknown, unknown, unknown>,
  context: OperatorContext,
): Operator {
  return unkeyed(user, context, (ctx, out) => [
    guarded(record => user.onFirst(record, ctx, out), context),
    guarded(record => user.onSecond(record, ctx, out), context),
  ])
}

/** The context of functions without key. */
export class UnkeyedContext extends OperatorRecordContext {
  readonly operatorState: OperatorStates['handles']

  constructor(context: OperatorContext, operatorState: OperatorStates['handles']) {
    super(context)
    this.operatorState = operatorState
  }
}

interface UnkeyedFunction extends Pick<ProcessFunction<unknown, unknown>, 'open' | 'close'> {
  readonly operatorState?: OperatorStateDescriptors
}

/** The operator of a function without key, of as many inputs as `makeInputs` gives; `parts` are snapshotted beside its declared state. */
export function unkeyed(
  user: UnkeyedFunction,
  context: OperatorContext,
  makeInputs: (ctx: UnkeyedContext, out: Collector<unknown>) => Emit[],
  parts: readonly StatePart[] = [],
): Operator {
  const states = new OperatorStates(user.operatorState ?? {})
  const ctx = new UnkeyedContext(context, states.handles)
  const out: Collector<unknown> = { collect: context.output }
  return {
    inputs: makeInputs(ctx, out),
    parts: [...states.parts, ...parts],
    open: () => openFunction(user, context),
    onWatermark: watermark => {
      ctx.watermark = watermark
      return true
    },
    close: () => closeFunction(user, context),
  }
}

/** What a function that keeps something emits holds by itself, whether the record in hand takes another back or not. */
export function unsigned({ output, record }: OperatorContext): Emit {
  return value => {
    const { isRetraction } = record
    record.isRetraction = false
    output(value)
    record.isRetraction = isRetraction
  }
}

/** Calls the user's `open`, if any. */
export function openFunction(user: Pick<ProcessFunction<unknown, unknown>, 'open'>, context: OperatorContext): void {
  try {
    user.open?.({ subtaskIndex: context.subtaskIndex, parallelism: context.vertex.parallelism })
  } catch (error) {
    failStep(context.vertex, 'in open()', error)
  }
}

/** Calls the user's `close`, if any. */
export function closeFunction(user: Pick<ProcessFunction<unknown, unknown>, 'close'>, context: OperatorContext): void {
  try {
    user.close?.()
  } catch (error) {
    failStep(context.vertex, 'in close()', error)
  }
}

/**
 * The call with its failures told as those of its record. What a downstream operator throws passes through here too; it is a
 * StepFailure already and keeps its own step.
 */
export function guarded(call: Emit, context: OperatorContext): Emit {
  const { vertex } = context
  return record => {
    try {
      refusePromise(call(record))
    } catch (error) {
      failOnRecord(vertex, record, error)
    }
  }
}

/** Throws USER_FUNCTION_ASYNC for a promise: what it would do later would come after its record's turn. */
export function refusePromise(result: unknown): void {
  if (!(result instanceof Promise)) return
  throw new StreamError(
    'USER_FUNCTION_ASYNC',
    'its function returned a promise; work without waiting, and wait in mapAsync(), a source or a sink',
  )
}
