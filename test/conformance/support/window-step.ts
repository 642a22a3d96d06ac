// The window operator as the public calls make it: assigner, trigger and options of the DataStream API, and functions that tell in a line what
// each pane was. For scenarios that need watermarks and processing time at given places of a script.
import type { WindowAssigner } from '../../../src/api/datastream/window-assigners.ts'
import { type WindowOptions, withOptions } from '../../../src/api/datastream/window-options.ts'
import type { AggregateFunction } from '../../../src/model/functions.ts'
import type { OperatorSpec } from '../../../src/model/operator-spec.ts'
import type { WindowContext } from '../../../src/model/window-functions.ts'
import { WINDOW_DEFAULTS, type WindowFunctionSpec } from '../../../src/model/window-spec.ts'

/** A record of these scenarios: a key and a value. */
export interface Keyed<V> {
  readonly key: string
  readonly value: V
}

/** The operator of `.window(assigner, options)` with the function; event time unless the assigner says else. */
export function windowStep(
  assigner: WindowAssigner<never>,
  options: WindowOptions<never>,
  fn: WindowFunctionSpec,
): OperatorSpec {
  const windowing = { ...WINDOW_DEFAULTS, timeDomain: assigner.time ?? 'event-time', assigner: assigner.spec }
  return { kind: 'window', window: { ...withOptions('window()', windowing, options), function: fn } }
}

/** How a result is written; the window's bounds and the pane are in the context. */
export type PaneText<R> = (result: R, ctx: WindowContext<string>) => string

/** The values of the pane, in the order of arrival. */
export function valuesOf<V>(text: PaneText<readonly V[]>): WindowFunctionSpec {
  return {
    kind: 'process',
    function: {
      onWindow: (elements, ctx, out) =>
        out.collect(
          text(
            (elements as readonly Keyed<V>[]).map(({ value }) => value),
            ctx as WindowContext<string>,
          ),
        ),
    },
  }
}

/** The sum of the values, kept as one number. */
export function sumOf(text: PaneText<number>): WindowFunctionSpec {
  return numberOf((sum, value) => sum + value, text)
}

/** The number of records, kept as one number. */
export function countOf(text: PaneText<number>): WindowFunctionSpec {
  return numberOf(count => count + 1, text)
}

function numberOf(add: (total: number, value: number) => number, text: PaneText<number>): WindowFunctionSpec {
  const aggregate: AggregateFunction<Keyed<number>, number, number> = {
    create: () => 0,
    add: (total, { value }) => add(total, value),
    merge: (a, b) => a + b,
    result: total => total,
  }
  return { kind: 'aggregate', aggregate: aggregate as never, project: text as never }
}
