import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AsyncSpec } from './async-spec.ts'
import { describeGraph, graphHash, operatorText } from './describe.ts'
import type { Graph } from './graph.ts'
import type { VertexDraft } from './graph-builder.ts'
import { GraphBuilder } from './graph-builder.ts'
import { fieldSelector, functionSelector, tupleSelector } from './key.ts'
import type { OperatorSpec } from './operator-spec.ts'
import { WINDOW_DEFAULTS, type WindowSpec } from './window-spec.ts'

const CONNECTOR = { options: {}, placement: 'any', isBounded: true, hasTimestamps: false } as const
const SOURCE: OperatorSpec & { readonly kind: 'source' } = {
  kind: 'source',
  source: { ...CONNECTOR, connector: 'socket-text', description: 'socket localhost:9999' },
}
const SINK: OperatorSpec = { kind: 'sink', sink: { ...CONNECTOR, connector: 'print', description: 'print' } }
const FLAT_MAP: OperatorSpec = { kind: 'transform', shape: 'flat-map', function: () => [] }
const FEEDBACK: OperatorSpec = { kind: 'feedback', queuedRecordsMax: 10 }
const AGGREGATE = { create: () => 0, add: () => 0, merge: () => 0, result: () => 0 } as const
const RETRY = {
  attempts: 3,
  delayMs: 1,
  backoffFactor: 2,
  delayMsMax: 9,
  onError: () => true,
  onResult: () => false,
} as const
const ASYNC: AsyncSpec = {
  results: 'one',
  function: () => 0,
  order: 'ordered',
  capacity: 100,
  timeoutMs: 60_000,
  onTimeout: undefined,
  retry: undefined,
}
const WINDOW: WindowSpec = {
  ...WINDOW_DEFAULTS,
  timeDomain: 'event-time',
  assigner: { kind: 'tumbling', sizeMs: 5000, offsetMs: 0 },
  function: { kind: 'aggregate', aggregate: AGGREGATE },
}

/** A word count with every part that a description shows. */
function wordCount(change: (drafts: readonly VertexDraft[]) => void = () => {}, parallelism = 2): Graph {
  const builder = new GraphBuilder()
  const word = fieldSelector('word')
  const key = functionSelector(() => 1)
  builder.addVertex({ name: 'lines', operator: SOURCE, parallelism: 1, placement: 'main-thread' })
  builder.addVertex({ name: 'again', operator: FEEDBACK })
  builder.addVertex({ name: 'split', operator: FLAT_MAP, location: { file: 'job.ts', line: 3, column: 9 } })
  builder.addVertex({ name: 'count "it"', operator: { kind: 'window', window: WINDOW }, keySelectors: [word] })
  const join: OperatorSpec = { kind: 'keyed-co-process', function: { onFirst: () => {}, onSecond: () => {} } }
  builder.addVertex({ name: 'join', operator: join, keySelectors: [word, key] })
  builder.addVertex({ name: 'out', operator: SINK })
  builder.addEdge({ from: 0, to: 1 })
  builder.addEdge({ from: 1, to: 2 })
  builder.addEdge({ from: 2, to: 1, isFeedback: true, outputTag: 'retry' })
  builder.addEdge({ from: 2, to: 3, partitioning: { kind: 'hash', key: word } })
  builder.addEdge({ from: 3, to: 4, partitioning: { kind: 'hash', key: word } })
  builder.addEdge({ from: 2, to: 4, input: 1, partitioning: { kind: 'hash', key } })
  builder.addEdge({ from: 4, to: 5, outputTag: 'late' })
  const draft = builder.vertices[3] as VertexDraft
  draft.uid = 'count'
  draft.maxParallelism = 64
  draft.chaining = 'disabled'
  change(builder.vertices)
  return builder.build('word count', { parallelism })
}

describe('describeGraph', () => {
  it('has a line per vertex and a line per edge', () => {
    assert.deepEqual(describeGraph(wordCount()).split('\n'), [
      '0 source-socket-text-0 "lines" source socket localhost:9999 parallelism=1/128 placement=main-thread',
      '1 feedback-unkeyed-e69752c4-0 "again" feedback head parallelism=2/128',
      '2 transform-flat-map-2bb235dc-0 "split" flat-map parallelism=2/128',
      '3 count "count \\"it\\"" tumbling window 5000 ms of event time key=word parallelism=2/64 chaining=disabled',
      '4 keyed-co-process-word,function-a4569014-0 "join" keyed-co-process key=word/function parallelism=2/128',
      '5 sink-print-8b7b39ba-0 "out" sink print parallelism=2/128',
      '0 -> 1:0 rebalance',
      '1 -> 2:0 forward',
      '2 -> 1:0 forward tag=retry feedback',
      '2 -> 3:0 hash(word)',
      '3 -> 4:0 hash(word)',
      '2 -> 4:1 hash(function)',
      '4 -> 5:0 forward tag=late',
    ])
  })
})

describe('graphHash', () => {
  // Two processes compare these to see that they run the same job.
  it('keeps its value', () => {
    assert.equal(graphHash(wordCount()), '971a1eb4')
    assert.equal(graphHash(new GraphBuilder().build('empty', { parallelism: 1 })), 'ab3e7c0b')
  })

  it('has eight digits, also when it begins with zeros', () => {
    const hashes = Array.from({ length: 64 }, (_, parallelism) => graphHash(wordCount(() => {}, parallelism + 1)))
    for (const hash of hashes) assert.match(hash, /^[0-9a-f]{8}$/)
    assert.ok(hashes.some(hash => hash.startsWith('0')))
    assert.equal(new Set(hashes).size, hashes.length)
  })

  it('does not depend on where the steps are written, nor on the name of the job', () => {
    const moved = wordCount(drafts =>
      Object.assign(drafts[2] as object, { location: { file: 'b.ts', line: 1, column: 1 } }),
    )
    assert.equal(graphHash(moved), graphHash(wordCount()))
    assert.equal(graphHash({ ...wordCount(), name: 'other' }), graphHash(wordCount()))
  })

  for (const [label, change] of [
    ['a name', { name: 'renamed' }],
    ['a uid', { uid: 'renamed' }],
    ['a parallelism', { parallelism: 1 }],
    ['a maxParallelism', { maxParallelism: 256 }],
    ['the chaining', { chaining: 'allowed' }],
    ['the placement', { placement: 'main-thread' }],
    ['the operator', { operator: { kind: 'rolling', aggregate: AGGREGATE } }],
  ] as const) {
    it(`changes with ${label}`, () => {
      const changed = wordCount(drafts => Object.assign(drafts[3] as object, change))
      assert.notEqual(graphHash(changed), graphHash(wordCount()))
    })
  }

  it('cannot be made equal by a name that looks like the rest of the line', () => {
    const graph = (name: string): Graph => wordCount(drafts => Object.assign(drafts[2] as object, { name }))
    assert.ok(!describeGraph(graph('a\n1 b')).includes('\n1 b'))
    assert.ok(describeGraph(graph('a" map')).includes('"a\\" map"'))
  })
})

describe('operatorText', () => {
  const process = { onRecord: () => {} }
  const generator = { onRecord: () => {}, current: () => 0 }
  for (const [text, operator] of [
    ['source socket localhost:9999', SOURCE],
    ['sink print', SINK],
    ['flat-map', FLAT_MAP],
    ['process', { kind: 'process', function: process }],
    ['keyed-process', { kind: 'keyed-process', function: process }],
    ['rolling', { kind: 'rolling', aggregate: AGGREGATE }],
    ['async ordered, capacity 100, timeout 60000 ms', { kind: 'async', async: ASYNC }],
    [
      'async unordered, capacity 5, no timeout, 3 attempts',
      { kind: 'async', async: { ...ASYNC, order: 'unordered', capacity: 5, timeoutMs: Infinity, retry: RETRY } },
    ],
    ['feedback head', FEEDBACK],
    [
      'timestamps and watermarks, monotonous timestamps',
      { kind: 'timestamps', strategy: { description: 'monotonous timestamps', generator: () => generator } },
    ],
    [
      'timestamps and watermarks, markers, after each record',
      { kind: 'timestamps', strategy: { description: 'markers', generator: () => generator, emit: 'per-record' } },
    ],
    [
      'source socket localhost:9999, watermarks per split: markers, every 20 ms of processing time, aligned in "g" within 5 ms',
      {
        ...SOURCE,
        strategy: {
          description: 'markers',
          generator: () => generator,
          emit: { everyMs: 20 },
          alignment: { group: 'g', maxDriftMs: 5 },
        },
      },
    ],
    ['tumbling window 5000 ms of event time', { kind: 'window', window: WINDOW }],
  ] as const satisfies readonly (readonly [string, OperatorSpec])[]) {
    it(`says "${text}"`, () => assert.equal(operatorText(operator), text))
  }
})

describe('the key of a vertex', () => {
  it('shows in its line, one per input', () => {
    assert.ok(describeGraph(wordCount()).includes(' key=word/function '))
    const graph = wordCount(drafts => Object.assign(drafts[3] as object, { keySelectors: [tupleSelector(['a', 'b'])] }))
    assert.ok(describeGraph(graph).includes(' key=[a, b] '))
  })
})
