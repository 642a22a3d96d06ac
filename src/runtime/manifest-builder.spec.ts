import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { GraphBuilder } from '../model/graph-builder.ts'
import { fieldSelector, functionSelector, type KeySelector, tupleSelector } from '../model/key.ts'
import { planGraph } from '../plan/plan.ts'
import { customSink, valuesSource } from '../testing/collections.ts'
import { buildManifest } from './manifest-builder.ts'

/** The manifest of a job that counts by each of the keys in turn. */
function manifestOf(...keys: readonly KeySelector[]) {
  const graph = new GraphBuilder()
  graph.addVertex({ name: 'source', operator: { kind: 'source', source: valuesSource([]) } })
  const aggregate = { create: () => 0, add: (n: number) => n + 1, merge: (a: number) => a, result: (n: number) => n }
  keys.forEach((key, from) => {
    const operator = { kind: 'rolling', aggregate } as never
    const { id } = graph.addVertex({ name: `count ${from}`, operator, keySelectors: [key] })
    graph.addEdge({ from, to: id, partitioning: { kind: 'hash', key } })
  })
  const sink = customSink({ open: () => ({ write: () => {}, close: () => {} }) })
  const { id } = graph.addVertex({ name: 'sink', operator: { kind: 'sink', sink } })
  graph.addEdge({ from: keys.length, to: id })
  const plan = planGraph(graph.build('job', { parallelism: 1 }))
  const times = { triggeredMs: 0, completedMs: 0 }
  return buildManifest({ plan, id: 1, kind: 'checkpoint', ...times, previous: undefined, results: [] })
}

describe('a manifest', () => {
  test('says what the keys of each step are taken from, and nothing of keys of functions', () => {
    const keys = [
      fieldSelector('user'),
      tupleSelector(['city', 'day']),
      tupleSelector(['city']),
      functionSelector(n => n),
    ]
    const { operators } = manifestOf(...keys)
    assert.deepEqual(
      operators.flatMap(operator => ('keys' in operator ? [operator.keys] : [])),
      [['user'], ['[city, day]'], ['[city]'], [null]],
    )
    assert.equal(operators.find(({ name }) => name === 'source')?.keys, undefined)
  })
})
