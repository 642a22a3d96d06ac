// Record path. Functions over a stream and a broadcast one: input 0 reads the broadcast state, input 1 gets every broadcast record in
// every subtask and changes it.
import type {
  BroadcastDescriptors,
  BroadcastProcessFunction,
  KeyedBroadcastProcessFunction,
  KeyedBroadcastReadContext,
  KeyedBroadcastWriteContext,
} from '../model/broadcast-functions.ts'
import type { Collector } from '../model/functions.ts'
import type { StateDescriptors } from '../model/state.ts'
import { BroadcastState } from '../state/broadcast-state.ts'
import type { KeyedState } from '../state/keyed-state.ts'
import { KeyedProcessOperator, type UserTimer } from './keyed-process.ts'
import type { Emit, Operator, OperatorContext } from './operator.ts'
import { guarded, refusePromise, type UnkeyedContext, unkeyed } from './process.ts'
import { OperatorRecordContext } from './record-context.ts'

type ReadContext = KeyedBroadcastReadContext<unknown, StateDescriptors, BroadcastDescriptors>
type WriteContext = KeyedBroadcastWriteContext<unknown, StateDescriptors, BroadcastDescriptors>

/** The operator of a BroadcastProcessFunction. */
export function broadcastProcessOperator(
  user: BroadcastProcessFunction<unknown, unknown, unknown, BroadcastDescriptors>,
  descriptors: BroadcastDescriptors,
  context: OperatorContext,
): Operator {
  const state = new BroadcastState(descriptors)
  const makeInputs = (recordContext: UnkeyedContext, out: Collector<unknown>): Emit[] => {
    // One context does for both inputs: the types say who may change the state, and the state holds them to it.
    const ctx = Object.assign(recordContext, { broadcast: state.handles })
    return [
      guarded(record => user.onRecord(record, ctx, out), context),
      guarded(
        state.writing(record => user.onBroadcast(record, ctx, out)),
        context,
      ),
    ]
  }
  return unkeyed(user, context, makeInputs, [state.part])
}

/** The operator of a KeyedBroadcastProcessFunction: its first input and its timers are those of a keyed function. */
export function keyedBroadcastProcessOperator(
  user: KeyedBroadcastProcessFunction<unknown, unknown, unknown, unknown, BroadcastDescriptors, StateDescriptors>,
  descriptors: BroadcastDescriptors,
  context: OperatorContext,
): Operator {
  const state = new BroadcastState(descriptors)
  const onTimer = user.onTimer?.bind(user) as UserTimer
  const makeInputs = (keyedContext: object, out: Collector<unknown>, keyed: KeyedState): Emit[] => {
    const reading = Object.assign(keyedContext, { broadcast: state.handles }) as unknown as ReadContext
    const writing = new KeyedWriteContext(context, state, keyed)
    return [
      record => user.onRecord(record, reading, out),
      state.writing(record => {
        writing.watermark = reading.currentWatermark()
        return user.onBroadcast(record, writing as unknown as WriteContext, out)
      }),
    ]
  }
  return new KeyedProcessOperator(user, context, onTimer, makeInputs, [state.part])
}

class KeyedWriteContext extends OperatorRecordContext {
  readonly broadcast: BroadcastState['handles']
  private readonly keyed: KeyedState

  constructor(context: OperatorContext, state: BroadcastState, keyed: KeyedState) {
    super(context)
    this.broadcast = state.handles
    this.keyed = keyed
  }

  applyToKeyedState(name: string, fn: (key: unknown, state: unknown) => unknown): void {
    this.keyed.visit(name, (key, handle) => refusePromise(fn(key, handle)))
  }
}
