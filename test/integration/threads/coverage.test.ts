// What the cases that run in several threads have in them: all kinds of operators, and all ways to spread records.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { graphOf } from '../../../src/entry/job-graph.ts'
import type { OperatorKind } from '../../../src/model/operator-spec.ts'
import type { PartitioningKind } from '../../../src/model/partitioning.ts'
import { CASES } from './support/cases.ts'
import { CASES_URL } from './support/run-case.ts'

// Records, so that the compiler asks for a kind that is new.
const OPERATORS: Readonly<Record<OperatorKind, true>> = {
  source: true,
  sink: true,
  transform: true,
  process: true,
  'keyed-process': true,
  'co-process': true,
  'keyed-co-process': true,
  'broadcast-process': true,
  'keyed-broadcast-process': true,
  async: true,
  rolling: true,
  window: true,
  'mixed-window': true,
  'per-record-window': true,
  timestamps: true,
  feedback: true,
}

const PARTITIONINGS: Readonly<Record<PartitioningKind, true>> = {
  forward: true,
  rebalance: true,
  rescale: true,
  shuffle: true,
  broadcast: true,
  global: true,
  'local-or-shuffle': true,
  hash: true,
  'partial-key': true,
  direct: true,
  custom: true,
}

const graphs = await Promise.all(
  CASES.map(({ name }) => graphOf(CASES_URL, { args: [name], parallelism: 4, name: 'case' })),
)

describe('the cases that run in several threads', () => {
  test('are at least forty, of different names', () => {
    assert.ok(CASES.length >= 40, `${CASES.length}`)
    assert.equal(new Set(CASES.map(({ name }) => name)).size, CASES.length)
  })

  test('have every kind of operator', () => {
    const found = new Set(graphs.flatMap(({ vertices }) => vertices.map(({ operator }) => operator.kind)))
    assert.deepEqual([...found].sort(), Object.keys(OPERATORS).sort())
  })

  test('have every way to spread records', () => {
    const found = new Set(graphs.flatMap(({ edges }) => edges.map(({ partitioning }) => partitioning.kind)))
    assert.deepEqual([...found].sort(), Object.keys(PARTITIONINGS).sort())
  })
})
