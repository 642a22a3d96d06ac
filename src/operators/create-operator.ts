// From an operator as data to one that runs: the one place that knows all kinds.
import { unreachable } from '../base/assert.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import { AsyncFunctionOperator } from './async-function.ts'
import { broadcastProcessOperator, keyedBroadcastProcessOperator } from './broadcast-process.ts'
import { feedbackOperator } from './feedback.ts'
import { keyedCoProcessOperator, keyedProcessOperator } from './keyed-process.ts'
import { mixedWindowOperator } from './mixed-window.ts'
import type { Operator, OperatorContext } from './operator.ts'
import { perRecordWindowOperator } from './per-record-window.ts'
import { coProcessOperator, processOperator } from './process.ts'
import { rollingOperator } from './rolling.ts'
import { SinkOperator } from './sink.ts'
import { SourceReadOperator } from './source.ts'
import { timestampsOperator } from './timestamps.ts'
import { transformOperator } from './transform.ts'
import { windowOperator } from './window/window-operator.ts'

/** The operator of a spec, for one subtask. User functions are typed by the front-ends; here they take what comes. */
export function createOperator(spec: OperatorSpec, context: OperatorContext): Operator {
  switch (spec.kind) {
    case 'source':
      return new SourceReadOperator(context.connectors.source(spec.source), spec.strategy as never, context)
    case 'sink':
      return new SinkOperator(context.connectors.sink(spec.sink), spec.sink.delivery ?? 'at-least-once', context)
    case 'transform':
      return transformOperator(spec.shape, spec.function as never, context)
    case 'process':
      return processOperator(spec.function as never, context)
    case 'keyed-process':
      return keyedProcessOperator(spec.function as never, context)
    case 'co-process':
      return coProcessOperator(spec.function as never, context)
    case 'keyed-co-process':
      return keyedCoProcessOperator(spec.function as never, context)
    case 'broadcast-process':
      return broadcastProcessOperator(spec.function as never, spec.broadcast, context)
    case 'keyed-broadcast-process':
      return keyedBroadcastProcessOperator(spec.function as never, spec.broadcast, context)
    case 'async':
      return new AsyncFunctionOperator(spec.async, context)
    case 'rolling':
      return rollingOperator(spec.aggregate as never, context)
    case 'window':
      return windowOperator(spec.window, context)
    case 'mixed-window':
      return mixedWindowOperator(spec.window, context)
    case 'per-record-window':
      return perRecordWindowOperator(spec.window, context)
    case 'timestamps':
      return timestampsOperator(spec.strategy as never, context)
    case 'feedback':
      return feedbackOperator(context)
    default:
      return unreachable(spec, 'createOperator')
  }
}
