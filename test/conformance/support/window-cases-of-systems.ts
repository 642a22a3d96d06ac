// What the acceptance cases of other systems have in common: a windowing by its settings, and what it emits in words.
import type { OperatorSpec } from '../../../src/model/operator-spec.ts'
import { WINDOW_DEFAULTS, type WindowFunctionSpec, type WindowSpec } from '../../../src/model/window-spec.ts'
import { record, type ScriptStep } from '../../../src/testing/operator-script.ts'

/** A record as the cases have it. */
export interface Item {
  readonly k: string
  readonly v: number
}

/** A record of a key with a value. */
export function item(k: string, v: number, timestamp: number): ScriptStep {
  return record({ k, v } satisfies Item, { timestamp })
}

/** The sum of the values of a window: `a [0, 10) 5`. */
export const sumText: WindowFunctionSpec = {
  kind: 'aggregate',
  aggregate: {
    create: () => 0,
    add: (sum: never, { v }: never) => (sum as number) + v,
    merge: (a: never, b: never) => (a as number) + (b as number),
    result: (sum: never) => sum,
  } as never,
  project: (sum: never, { key, window }) => `${String(key)} [${window.start}, ${window.end}) ${String(sum)}`,
}

/** The values of a window in the order of arrival with its pane: `a [0, 10) on-time: 1 2`. */
export const valuesText: WindowFunctionSpec = {
  kind: 'process',
  function: {
    onWindow: (elements, { key, window, pane }, out) => {
      const values = (elements as readonly Item[]).map(({ v }) => v)
      out.collect(
        `${String(key)} [${window.start}, ${window.end}) ${pane.timing}${pane.isLast ? ' last' : ''}: ${values.join(' ')}`,
      )
    },
  },
}

/** The operator of a windowing that differs from the plain one by what is given. */
export function windowing(change: Partial<WindowSpec> & Pick<WindowSpec, 'assigner'>): OperatorSpec {
  return {
    kind: 'window',
    window: { ...WINDOW_DEFAULTS, timeDomain: 'event-time', function: sumText, ...change },
  }
}
