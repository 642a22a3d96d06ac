// Where records that take others back may flow, and which steps are refused behind them.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { GraphBuilder } from './graph-builder.ts'
import { fieldSelector } from './key.ts'
import type { OperatorSpec } from './operator-spec.ts'
import { carriesRetractions, retractionProblem, takesRetractions } from './retractions.ts'
import { WINDOW_DEFAULTS, type WindowSpec } from './window-spec.ts'

const CONNECTOR = { connector: 'words', options: {}, placement: 'any', isBounded: true, hasTimestamps: false } as const
const SOURCE: OperatorSpec = { kind: 'source', source: { ...CONNECTOR, description: 'words' } }
const SIGNED: OperatorSpec = { kind: 'source', source: { ...CONNECTOR, description: 'words', hasRetractions: true } }
const SINK: OperatorSpec = { kind: 'sink', sink: { ...CONNECTOR, description: 'print' } }
const SIGNED_SINK: OperatorSpec = {
  kind: 'sink',
  sink: { ...CONNECTOR, description: 'table', acceptsRetractions: true },
}
const MAP: OperatorSpec = { kind: 'transform', shape: 'map', function: record => record }
const CHANGELOG: OperatorSpec = { kind: 'transform', shape: 'changelog', function: record => record }

const COUNT = { create: () => 0, add: () => 0, merge: () => 0, result: () => 0 }
const SIGNED_COUNT = { ...COUNT, retract: () => 0 }

function windows(rest: Partial<WindowSpec> = {}): OperatorSpec {
  const window: WindowSpec = {
    ...WINDOW_DEFAULTS,
    timeDomain: 'event-time',
    assigner: { kind: 'tumbling', sizeMs: 10, offsetMs: 0 },
    function: { kind: 'aggregate', aggregate: COUNT },
    ...rest,
  }
  return { kind: 'window', window }
}

/** A chain of steps; keyed ones read by a field. */
function chain(...operators: readonly OperatorSpec[]): GraphBuilder {
  const builder = new GraphBuilder()
  for (const [at, operator] of operators.entries()) {
    const isKeyed = operator.kind === 'window' || operator.kind === 'rolling' || operator.kind === 'keyed-process'
    const key = fieldSelector('k')
    const vertex = builder.addVertex({ name: `step ${at}`, operator, keySelectors: isKeyed ? [key] : [] })
    if (at > 0) {
      const partitioning = isKeyed ? ({ kind: 'hash', key } as const) : undefined
      builder.addEdge({ from: vertex.id - 1, to: vertex.id, partitioning })
    }
  }
  return builder
}

function carried(...operators: readonly OperatorSpec[]): boolean {
  const graph = chain(...operators, SIGNED_SINK).build('job', { parallelism: 1 })
  return carriesRetractions(graph, operators.length - 1)
}

const SESSION = { kind: 'session', gapMs: 5, touching: 'merge', end: 'after-gap' } as const
const signs = { acceptsRetractions: true, onRecord: () => {} }

describe('retractions', () => {
  test('come of windows that retract, and of merging ones that take back what is no more', () => {
    assert.equal(carried(SOURCE, windows()), false)
    assert.equal(carried(SOURCE, windows({ accumulation: 'discarding' })), false)
    assert.equal(carried(SOURCE, windows({ accumulation: 'retracting' })), true)
    assert.equal(carried(SOURCE, windows({ mergedPanes: 'retract' })), false)
    assert.equal(carried(SOURCE, windows({ mergedPanes: 'retract', assigner: SESSION })), true)
    assert.equal(carried(SIGNED), true)
  })

  test('pass steps without state, and processes that say so; changelog turns them to data', () => {
    const retracting = windows({ accumulation: 'retracting' })
    assert.equal(carried(SOURCE, retracting, MAP), true)
    assert.equal(carried(SOURCE, retracting, MAP, MAP), true)
    assert.equal(carried(SOURCE, retracting, { kind: 'process', function: signs }), true)
    assert.equal(carried(SOURCE, retracting, CHANGELOG), false)
    assert.equal(carried(SOURCE, MAP), false)
  })

  test('end at steps with state that take them in', () => {
    const retracting = windows({ accumulation: 'retracting' })
    const counting = windows({ function: { kind: 'aggregate', aggregate: SIGNED_COUNT } })
    const graph = chain(SOURCE, retracting, counting, SINK).build('job', { parallelism: 1 })
    assert.deepEqual([takesRetractions(graph, 2), carriesRetractions(graph, 2)], [true, false])
  })

  test('reach whoever reads a changelog as data', () => {
    assert.ok(chain(SOURCE, windows({ accumulation: 'retracting' }), CHANGELOG, SINK).build('job', { parallelism: 1 }))
  })
})

/** Every step that refuses, with what it says. */
const REFUSED: Readonly<Record<string, readonly [operator: OperatorSpec, message: RegExp]>> = {
  'a sink': [SINK, /its sink does not take retractions: turn them into data with changelog\(\)/],
  'an aggregate without retract()': [{ kind: 'rolling', aggregate: COUNT }, /its aggregate cannot take a record back/],
  'a window of an aggregate without retract()': [
    windows(),
    /its aggregate cannot take a record back: give it retract\(\)/,
  ],
  'a window that keeps its elements': [
    windows({ function: { kind: 'process', function: { onWindow: () => {} } } }),
    /a window that keeps its elements cannot take one back/,
  ],
  'a window with an evictor': [
    windows({
      function: { kind: 'aggregate', aggregate: SIGNED_COUNT },
      evictor: { kind: 'count', count: 1, after: false },
    }),
    /a window that keeps its elements cannot take one back/,
  ],
  'a process': [
    { kind: 'process', function: { onRecord: () => {} } },
    /its function does not say that it takes retractions: .*acceptsRetractions: true/,
  ],
  'a keyed process': [
    { kind: 'keyed-process', function: { onRecord: () => {} } },
    /its function does not say that it takes retractions/,
  ],
}

describe('behind a window that retracts', () => {
  for (const [name, [operator, message]] of Object.entries(REFUSED)) {
    test(`${name} is refused when the graph is built`, () => {
      const behind = operator.kind === 'sink' ? [operator] : [operator, SIGNED_SINK]
      const refused = chain(SOURCE, windows({ accumulation: 'retracting' }), MAP, ...behind)
      assert.throws(
        () => refused.build('job', { parallelism: 1 }),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, 'GRAPH_INVALID')
          assert.match(error.message, /step "step 3" reads results that may be taken back, but /)
          assert.match(error.message, message)
          return true
        },
      )
      assert.ok(chain(SOURCE, windows(), MAP, ...behind).build('job', { parallelism: 1 }), 'nothing is taken back here')
      assert.match(retractionProblem(operator) ?? '', message)
    })
  }

  test('what can take a record back is not', () => {
    for (const operator of [
      SIGNED_SINK,
      MAP,
      windows({ function: { kind: 'aggregate', aggregate: SIGNED_COUNT } }),
      { kind: 'rolling', aggregate: SIGNED_COUNT },
      { kind: 'process', function: signs },
    ] as const)
      assert.equal(retractionProblem(operator), undefined)
  })
})
