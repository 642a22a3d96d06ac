// The same program as a batch: its input is all there is, so nothing is late and only final results are of interest. It is the same graph with
// other settings: no watermark before the last one, one pane for each window, and one result for each key of a rolling aggregation.
import type { Vertex } from './graph.ts'
import type { OperatorSpec } from './operator-spec.ts'
import { stepText } from './step-text.ts'
import type { WatermarkGenerator, WatermarkStrategy } from './watermark-strategy.ts'
import { WINDOW_DEFAULTS, type WindowSpec } from './window-spec.ts'

/** How a job runs: `streaming`, or `batch` for input that has an end. */
export type RuntimeMode = 'streaming' | 'batch'

/** The operator of a step as a batch runs it. */
export function batchOperator(operator: OperatorSpec): OperatorSpec {
  switch (operator.kind) {
    case 'timestamps':
      return { ...operator, strategy: atEndOnly(operator.strategy) }
    case 'source':
      return operator.strategy === undefined ? operator : { ...operator, strategy: atEndOnly(operator.strategy) }
    case 'rolling':
      return { kind: 'window', window: finalResult(operator) }
    case 'window':
      return { ...operator, window: finalPane(operator.window) }
    case 'per-record-window':
      return { ...operator, window: { ...operator.window, emit: 'on-close' } }
    default:
      return operator
  }
}

/** The mistakes of a graph that is to run as a batch. */
export function batchMistakes(vertices: readonly Vertex[]): string[] {
  return vertices.flatMap(vertex =>
    vertex.operator.kind === 'source' && !vertex.operator.source.isBounded
      ? [
          `${stepText(vertex)} has no end, which runtimeMode 'batch' waits for; leave the mode out, or read a source that ends`,
        ]
      : [],
  )
}

const NO_WATERMARK: WatermarkGenerator<never> = Object.freeze({ onRecord: () => {}, current: () => -Infinity })

function atEndOnly({ description, timestamp }: WatermarkStrategy<never>): WatermarkStrategy<never> {
  const how = { description: `${description}, watermark at the end only`, generator: () => NO_WATERMARK }
  return timestamp === undefined ? how : { ...how, timestamp }
}

// Windows of a number of records say in their trigger what they are; those that end in time end once.
function finalPane(window: WindowSpec): WindowSpec {
  if (window.assigner.kind === 'global') return window
  return { ...window, trigger: { kind: 'on-window-end' }, accumulation: 'accumulating', allowedLatenessMs: 0 }
}

function finalResult({ aggregate }: Extract<OperatorSpec, { readonly kind: 'rolling' }>): WindowSpec {
  return {
    ...WINDOW_DEFAULTS,
    timeDomain: 'processing-time',
    assigner: { kind: 'global', restarts: false },
    function: { kind: 'aggregate', aggregate },
  }
}
