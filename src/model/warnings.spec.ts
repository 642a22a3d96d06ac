import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Graph } from './graph.ts'
import { GraphBuilder } from './graph-builder.ts'
import { fieldSelector } from './key.ts'
import type { TriggerSpec } from './trigger-spec.ts'
import { graphWarnings } from './warnings.ts'
import { WINDOW_DEFAULTS, type WindowSpec } from './window-spec.ts'

const COUNT: TriggerSpec = { kind: 'after-count', count: 3 }

function windowed(isBounded: boolean, change: Partial<WindowSpec>): Graph {
  const builder = new GraphBuilder()
  const connector = { connector: 'x', options: {}, description: 'x', placement: 'any' } as const
  builder.addVertex({
    name: 'in',
    operator: { kind: 'source', source: { ...connector, isBounded, hasTimestamps: true } },
  })
  const window: WindowSpec = {
    ...WINDOW_DEFAULTS,
    timeDomain: 'event-time',
    assigner: { kind: 'global', restarts: false },
    function: { kind: 'aggregate', aggregate: { create: () => 0, add: () => 0, merge: () => 0, result: () => 0 } },
    ...change,
  }
  const key = fieldSelector('k')
  builder.addVertex({ name: 'all', operator: { kind: 'window', window }, keySelectors: [key] })
  builder.addVertex({ name: 'out', operator: { kind: 'sink', sink: connector } })
  builder.addEdge({ from: 0, to: 1, partitioning: { kind: 'hash', key } })
  builder.addEdge({ from: 1, to: 2 })
  return builder.build('job', { parallelism: 1 })
}

describe('a trigger that never fires', () => {
  const silent: readonly TriggerSpec[] = [
    { kind: 'on-window-end' },
    { kind: 'never' },
    { kind: 'after-watermark', late: COUNT },
    { kind: 'repeatedly', trigger: { kind: 'never' } },
    { kind: 'after-all', triggers: [COUNT, { kind: 'never' }] },
    { kind: 'after-each', triggers: [{ kind: 'never' }, COUNT] },
  ]
  for (const trigger of silent) {
    it(`is told of on an endless source: ${JSON.stringify(trigger)}`, () => {
      const [warning, ...rest] = graphWarnings(windowed(false, { trigger }))
      assert.match(warning ?? '', /step "all".*its trigger never fires; give it one that does/)
      assert.deepEqual(rest, [])
    })
  }

  it('is fine where the input ends, and so are triggers that fire and windows of time', () => {
    assert.deepEqual(graphWarnings(windowed(true, {})), [])
    const firing: readonly TriggerSpec[] = [
      COUNT,
      { kind: 'after-watermark', early: COUNT },
      { kind: 'after-first', triggers: [{ kind: 'never' }, COUNT] },
      { kind: 'or-finally', trigger: { kind: 'never' }, until: COUNT },
    ]
    for (const trigger of firing) assert.deepEqual(graphWarnings(windowed(false, { trigger })), [])
    const tumbling = { kind: 'tumbling', sizeMs: 5, offsetMs: 0 } as const
    assert.deepEqual(graphWarnings(windowed(false, { assigner: tumbling, trigger: { kind: 'never' } })), [])
  })
})

describe('a windowing that cannot be', () => {
  const session = { kind: 'session', gapMs: 5, touching: 'merge', end: 'after-gap' } as const
  for (const [what, change, message] of [
    [
      'delta',
      { assigner: session, trigger: { kind: 'delta', threshold: 1, delta: () => 0 } },
      /trigger \(delta 1\) cannot be merged/,
    ],
    [
      'a custom trigger with state and without merge',
      {
        assigner: session,
        trigger: { kind: 'custom', trigger: { create: () => 0 as never, onRecord: () => 'continue' } },
      },
      /cannot be merged; give it merge\(\)/,
    ],
    [
      'state per window',
      { assigner: session, function: { kind: 'process', function: { state: {} as never, onWindow: () => {} } } },
      /keeps state per window, which cannot be merged/,
    ],
    [
      'a combiner in processing time',
      { timeDomain: 'processing-time', timestampCombiner: 'earliest' },
      /no watermark can be held back for the earliest timestamp/,
    ],
  ] as const satisfies readonly (readonly [string, Partial<WindowSpec>, RegExp])[]) {
    it(`is refused: ${what}`, () => assert.throws(() => windowed(true, change), message))
  }
})
