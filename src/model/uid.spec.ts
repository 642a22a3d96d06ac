import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { GraphBuilder } from './graph-builder.ts'
import type { KeySelector } from './key.ts'
import { fieldSelector } from './key.ts'
import type { OperatorSpec } from './operator-spec.ts'
import { isStateful } from './operator-spec.ts'

const CONNECTOR = { options: {}, placement: 'any', isBounded: true, hasTimestamps: false } as const
const sourceOf = (connector: string): OperatorSpec => ({
  kind: 'source',
  source: { ...CONNECTOR, connector, description: connector },
})
const SINK: OperatorSpec = { kind: 'sink', sink: { ...CONNECTOR, connector: 'print', description: 'print' } }
const MAP: OperatorSpec = { kind: 'transform', shape: 'map', function: record => record }
const FILTER: OperatorSpec = { kind: 'transform', shape: 'filter', function: () => true }
const FEEDBACK: OperatorSpec = { kind: 'feedback', queuedRecordsMax: 10 }
const ROLLING: OperatorSpec = {
  kind: 'rolling',
  aggregate: { create: () => 0, add: () => 0, merge: () => 0, result: () => 0 },
}

interface Step {
  readonly name: string
  readonly operator: OperatorSpec
  readonly from?: readonly number[]
  readonly key?: string
  readonly uid?: string
}

/** The uids by step name; every edge may carry a row of stateless steps of its own, as if somebody had put them in later. */
function uidsOf(steps: readonly Step[], stepsBetween: (edge: number) => number = () => 0): Record<string, string> {
  const builder = new GraphBuilder()
  const ids: number[] = []
  let edges = 0
  for (const { name, operator, from = [], key, uid } of steps) {
    const origins = from.map(index => {
      let origin = ids[index] as number
      for (let left = stepsBetween(edges); left > 0; left--) {
        const between = builder.addVertex({ name: `between ${edges} ${left}`, operator: left % 2 === 0 ? MAP : FILTER })
        builder.addEdge({ from: origin, to: between.id })
        origin = between.id
      }
      edges++
      return origin
    })
    const keySelectors: KeySelector[] = key === undefined ? [] : [fieldSelector(key)]
    const draft = builder.addVertex({ name, operator, keySelectors })
    if (uid !== undefined) draft.uid = uid
    for (const origin of origins) {
      const partitioning = keySelectors[0] === undefined ? undefined : ({ kind: 'hash', key: keySelectors[0] } as const)
      builder.addEdge({ from: origin, to: draft.id, partitioning })
    }
    ids.push(draft.id)
  }
  const { vertices } = builder.build('job', { parallelism: 1 })
  return Object.fromEntries(vertices.map(vertex => [vertex.name, vertex.uid]))
}

function statefulOf(steps: readonly Step[], uids: Record<string, string>): Record<string, string | undefined> {
  const stateful = steps.filter(({ operator }) => isStateful(operator))
  return Object.fromEntries(stateful.map(({ name }) => [name, uids[name]]))
}

const JOB: readonly Step[] = [
  { name: 'clicks', operator: sourceOf('socket') },
  { name: 'views', operator: sourceOf('socket') },
  { name: 'both', operator: MAP, from: [0, 1] },
  { name: 'by user', operator: ROLLING, from: [2], key: 'user' },
  { name: 'by page', operator: ROLLING, from: [2], key: 'page' },
  { name: 'by user again', operator: ROLLING, from: [0], key: 'user' },
  { name: 'print', operator: SINK, from: [3] },
  { name: 'print pages', operator: SINK, from: [4] },
]

describe('a derived uid', () => {
  // State is found again by these: they may never change for a job that does not change.
  it('keeps its form', () => {
    assert.deepEqual(uidsOf(JOB), {
      clicks: 'source-socket-0',
      views: 'source-socket-1',
      both: 'transform-map-84d9b1bc-0',
      'by user': 'rolling-user-84d9b1bc-0',
      'by page': 'rolling-page-84d9b1bc-0',
      'by user again': 'rolling-user-4acb7df5-0',
      print: 'sink-print-af9f6d37-0',
      'print pages': 'sink-print-d4c90595-0',
    })
  })

  it('is the same for every stateful step when stateless steps are put in anywhere', () => {
    const expected = statefulOf(JOB, uidsOf(JOB))
    fc.assert(
      fc.property(fc.array(fc.nat(3), { minLength: 8, maxLength: 8 }), counts => {
        const uids = uidsOf(JOB, edge => counts[edge] ?? 0)
        assert.deepEqual(statefulOf(JOB, uids), expected)
      }),
      { numRuns: 100 },
    )
  })

  it('is the same when a stateless step is taken out', () => {
    const direct = JOB.filter(({ name }) => name !== 'both').map(step => ({
      ...step,
      from: step.from?.flatMap(index => (index === 2 ? [0, 1] : index > 2 ? [index - 1] : [index])),
    }))
    assert.deepEqual(statefulOf(JOB, uidsOf(direct)), statefulOf(JOB, uidsOf(JOB)))
  })

  it('is another one for every step', () => {
    const uids = Object.values(uidsOf(JOB))
    assert.equal(new Set(uids).size, uids.length)
  })

  it('does not depend on the name of the step', () => {
    const renamed = JOB.map((step, index) => ({ ...step, name: `step ${index}` }))
    assert.deepEqual(Object.values(uidsOf(renamed)), Object.values(uidsOf(JOB)))
  })

  it('tells equal steps apart by their order', () => {
    const uids = uidsOf([
      { name: 'words', operator: sourceOf('file') },
      { name: 'a', operator: ROLLING, from: [0], key: 'word' },
      { name: 'b', operator: ROLLING, from: [0], key: 'word' },
    ])
    assert.match(uids['a'] as string, /^rolling-word-[0-9a-f]{8}-0$/)
    assert.equal(uids['b'], (uids['a'] as string).replace(/0$/, '1'))
  })

  it('changes with the key, and with the stateful step before it', () => {
    const uidOf = (connector: string, key: string): string | undefined =>
      uidsOf([
        { name: 'source', operator: sourceOf(connector) },
        { name: 'count', operator: ROLLING, from: [0], key },
      ])['count']
    assert.notEqual(uidOf('file', 'a'), uidOf('file', 'b'))
    assert.notEqual(uidOf('file', 'a'), uidOf('socket', 'a'))
    assert.equal(uidOf('file', 'a'), uidOf('file', 'a'))
  })

  it('does not depend on what comes after the step', () => {
    const longer: Step[] = [...JOB, { name: 'more', operator: ROLLING, from: [3], key: 'user' }]
    const { more: _, ...uids } = uidsOf(longer)
    assert.deepEqual(uids, uidsOf(JOB))
  })

  it('follows the uid that was given to the step before it', () => {
    const uidOf = (uid: string): string | undefined =>
      uidsOf([
        { name: 'source', operator: sourceOf('file'), uid },
        { name: 'count', operator: ROLLING, from: [0], key: 'a' },
      ])['count']
    assert.notEqual(uidOf('x'), uidOf('y'))
  })

  it('does not depend on feedback', () => {
    const uids = (isFeedback: boolean): string[] => {
      const builder = new GraphBuilder()
      for (const [name, operator] of [
        ['s', sourceOf('file')],
        ['head', FEEDBACK],
        ['body', MAP],
        ['print', SINK],
      ] as const)
        builder.addVertex({ name, operator })
      for (const from of [0, 1, 2]) builder.addEdge({ from, to: from + 1 })
      if (isFeedback) builder.addEdge({ from: 2, to: 1, isFeedback: true })
      return builder.build('job', { parallelism: 1 }).vertices.map(({ uid }) => uid)
    }
    assert.deepEqual(uids(true), uids(false))
  })
})

describe('a given uid', () => {
  it('stays, and takes no number from derived ones', () => {
    const uids = uidsOf([
      { name: 'a', operator: sourceOf('file'), uid: 'mine' },
      { name: 'b', operator: sourceOf('file') },
    ])
    assert.deepEqual(uids, { a: 'mine', b: 'source-file-0' })
  })
})
