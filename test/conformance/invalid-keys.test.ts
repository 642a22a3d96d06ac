// A key that cannot be one: the failure names the step that works per key, whether the record came over a channel or by a plain call.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { AggregateFunction } from '../../src/model/functions.ts'
import { GraphBuilder } from '../../src/model/graph-builder.ts'
import { fieldSelector } from '../../src/model/key.ts'
import type { OperatorSpec } from '../../src/model/operator-spec.ts'
import { WINDOW_DEFAULTS, type WindowSpec } from '../../src/model/window-spec.ts'
import { collectingSink, valuesSource } from '../../src/testing/collections.ts'
import { simulateRun } from '../../src/testing/simulate.ts'

const counting: AggregateFunction<unknown, number, number> = {
  create: () => 0,
  add: count => count + 1,
  merge: (a, b) => a + b,
  result: count => count,
}
const aggregate = counting as AggregateFunction<never, unknown, unknown>

const timeWindow: WindowSpec = {
  ...WINDOW_DEFAULTS,
  timeDomain: 'processing-time',
  assigner: { kind: 'tumbling', sizeMs: 10, offsetMs: 0 },
  function: { kind: 'aggregate', aggregate },
}

const KEYED: Readonly<Record<string, OperatorSpec>> = {
  'a rolling aggregation': { kind: 'rolling', aggregate },
  'a time window': { kind: 'window', window: timeWindow },
  'a count window': {
    kind: 'window',
    window: { ...timeWindow, assigner: { kind: 'global', restarts: true }, trigger: { kind: 'after-count', count: 2 } },
  },
  'a keyed function': { kind: 'keyed-process', function: { onRecord: () => {} } },
}

/** Runs `{ when: Date }` through a step keyed by `when`; an instance of a class cannot be a key. */
async function runKeyedByDate(operator: OperatorSpec, parallelism: number): Promise<unknown> {
  const builder = new GraphBuilder()
  const key = fieldSelector('when')
  const source = valuesSource([{ when: 'yesterday' }, { when: new Date(0) }])
  const from = builder.addVertex({ name: 'events', operator: { kind: 'source', source }, parallelism: 1 })
  const step = builder.addVertex({ name: 'per day', operator, keySelectors: [key] })
  const sink = builder.addVertex({ name: 'sink', operator: { kind: 'sink', sink: collectingSink().spec } })
  builder.addEdge({ from: from.id, to: step.id, partitioning: { kind: 'hash', key } })
  builder.addEdge({ from: step.id, to: sink.id })
  return simulateRun(builder.build('keyed by a date', { parallelism }), { seed: 1 })
}

describe('an instance of a class as key stops the job and names the keyed step:', () => {
  for (const [name, operator] of Object.entries(KEYED)) {
    for (const parallelism of [1, 2]) {
      test(`${name} at parallelism ${parallelism}`, async () => {
        await assert.rejects(runKeyedByDate(operator, parallelism), {
          code: 'KEY_INVALID',
          message: /^KEY_INVALID: step "per day": .*instance of Date.*\(record 2 of subtask 0\)/,
        })
      })
    }
  }
})
