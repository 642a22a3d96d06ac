import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { VertexInit } from './graph-builder.ts'
import { GraphBuilder } from './graph-builder.ts'
import type { OperatorSpec } from './operator-spec.ts'

const MAP: OperatorSpec = { kind: 'transform', shape: 'map', function: record => record }
const FEEDBACK: OperatorSpec = { kind: 'feedback', queuedRecordsMax: 10 }

function sourceOf(parallelismMax?: number): OperatorSpec {
  const common = { connector: 'words', options: {}, description: 'words', placement: 'any', isBounded: true } as const
  return { kind: 'source', source: { ...common, hasTimestamps: false, parallelismMax } }
}

const SINK: OperatorSpec = {
  kind: 'sink',
  sink: { connector: 'print', options: {}, description: 'print', placement: 'any' },
}

interface Line {
  readonly builder: GraphBuilder
  readonly ids: readonly number[]
}

/** A straight line of steps: each reads the one before it. */
function line(...steps: readonly (OperatorSpec | VertexInit)[]): Line {
  const builder = new GraphBuilder()
  const ids = steps.map((step, index) => {
    const { id } = builder.addVertex('kind' in step ? { name: `step-${index}`, operator: step } : step)
    if (index > 0) builder.addEdge({ from: id - 1, to: id })
    return id
  })
  return { builder, ids }
}

const names = (builder: GraphBuilder): string[] => builder.vertices.map(({ name }) => name)

describe('GraphBuilder', () => {
  it('numbers vertices in the order they are added', () => {
    assert.deepEqual(line(sourceOf(), MAP, SINK).ids, [0, 1, 2])
  })

  it('fills in what a vertex does not say', () => {
    const graph = line(sourceOf(), MAP).builder.build('job', { parallelism: 4 })
    const { operator: _, ...vertex } = graph.vertices[1] as (typeof graph.vertices)[number]
    assert.deepEqual(vertex, {
      id: 1,
      uid: vertex.uid,
      isUidDerived: true,
      name: 'step-1',
      parallelism: 4,
      maxParallelism: 128,
      placement: 'any',
      chaining: 'allowed',
      keySelectors: [],
      location: undefined,
    })
    assert.notEqual(vertex.uid, '')
  })

  it('keeps what a vertex says, also what it says after it was added', () => {
    const builder = new GraphBuilder()
    const location = { file: 'job.ts', line: 3, column: 1 }
    const draft = builder.addVertex({
      name: 'a',
      operator: sourceOf(),
      parallelism: 2,
      placement: 'main-thread',
      location,
    })
    draft.uid = 'words'
    draft.maxParallelism = 16
    draft.chaining = 'disabled'
    draft.name = 'renamed'

    const [vertex] = builder.build('job', { parallelism: 4, maxParallelism: 64 }).vertices

    assert.equal(vertex?.parallelism, 2)
    assert.equal(vertex?.maxParallelism, 16)
    assert.equal(vertex?.uid, 'words')
    assert.equal(vertex?.isUidDerived, false)
    assert.equal(vertex?.chaining, 'disabled')
    assert.equal(vertex?.name, 'renamed')
    assert.equal(vertex?.placement, 'main-thread')
    assert.deepEqual(vertex?.location, location)
  })

  it('takes the default of maxParallelism where the vertex says none', () => {
    const graph = line(sourceOf()).builder.build('job', { parallelism: 1, maxParallelism: 64 })
    assert.equal(graph.vertices[0]?.maxParallelism, 64)
  })

  it('runs a connector with as many subtasks as it can take, of the default', () => {
    const [one, many] = [line(sourceOf(1), MAP).builder, line(sourceOf(8), MAP).builder]
    assert.equal(one.build('job', { parallelism: 4 }).vertices[0]?.parallelism, 1)
    assert.equal(many.build('job', { parallelism: 4 }).vertices[0]?.parallelism, 4)
  })

  it('forwards between equal parallelisms and rebalances between others, unless told', () => {
    const { builder } = line(sourceOf(1), MAP, MAP)
    builder.addEdge({ from: 1, to: 2, partitioning: { kind: 'broadcast' } })
    const kinds = builder.build('job', { parallelism: 4 }).edges.map(edge => edge.partitioning.kind)
    assert.deepEqual(kinds, ['rebalance', 'forward', 'broadcast'])
    assert.deepEqual(
      builder.build('job', { parallelism: 1 }).edges.map(edge => edge.partitioning.kind),
      ['forward', 'forward', 'broadcast'],
    )
  })

  it('keeps input, side output and feedback of an edge', () => {
    const { builder } = line(sourceOf(), FEEDBACK, MAP)
    builder.addEdge({ from: 2, to: 1, outputTag: 'again', isFeedback: true })
    const edges = builder.build('job', { parallelism: 1 }).edges
    assert.deepEqual(edges[0], {
      from: 0,
      to: 1,
      input: 0,
      partitioning: { kind: 'forward' },
      outputTag: undefined,
      isFeedback: false,
    })
    assert.deepEqual({ ...edges[2] }, { ...edges[0], from: 2, to: 1, outputTag: 'again', isFeedback: true })
  })

  it('builds a frozen graph that later drafts do not change', () => {
    const { builder } = line(sourceOf(), MAP)
    const graph = builder.build('job', { parallelism: 1 })

    builder.addVertex({ name: 'later', operator: MAP })
    builder.addEdge({ from: 0, to: 2 })
    Object.assign(builder.vertices[0] as object, { name: 'renamed' })

    assert.equal(graph.name, 'job')
    assert.deepEqual(
      graph.vertices.map(({ name }) => name),
      ['step-0', 'step-1'],
    )
    assert.equal(graph.edges.length, 1)
    for (const part of [graph, graph.vertices, graph.edges, ...graph.vertices, ...graph.edges])
      assert.ok(Object.isFrozen(part))
    for (const edge of graph.edges) assert.ok(Object.isFrozen(edge.partitioning))
  })

  it('says whether there is a sink', () => {
    assert.equal(line(sourceOf(), MAP).builder.hasSinks(), false)
    assert.equal(line(sourceOf(), SINK).builder.hasSinks(), true)
  })
})

describe('a copy of a graph being written', () => {
  it('has the same vertices and edges, and keeps additions and settings to itself', () => {
    const { builder } = line(sourceOf(), MAP)
    const copy = builder.copy()
    copy.addVertex({ name: 'only in the copy', operator: MAP })
    copy.addEdge({ from: 1, to: 2 })
    Object.assign(copy.vertices[0] as object, { name: 'renamed' })

    assert.deepEqual(names(builder), ['step-0', 'step-1'])
    assert.deepEqual(names(copy), ['renamed', 'step-1', 'only in the copy'])
    assert.equal(builder.build('job', { parallelism: 1 }).edges.length, 1)
    assert.equal(copy.build('job', { parallelism: 1 }).edges.length, 2)
  })
})

describe('the part of a graph upstream of a vertex', () => {
  it('leaves out what the vertex does not need, and numbers the rest anew', () => {
    const builder = new GraphBuilder()
    for (const name of ['other', 'source', 'other map', 'map', 'other sink'])
      builder.addVertex({ name, operator: name.endsWith('map') ? MAP : name.endsWith('sink') ? SINK : sourceOf() })
    builder.addEdge({ from: 0, to: 2 })
    builder.addEdge({ from: 1, to: 3 })
    builder.addEdge({ from: 1, to: 2 })
    builder.addEdge({ from: 3, to: 4 })

    const part = builder.upstreamOf(3)

    assert.deepEqual(names(part), ['source', 'map'])
    const graph = part.build('job', { parallelism: 1 })
    assert.deepEqual(
      graph.edges.map(({ from, to }) => [from, to]),
      [[0, 1]],
    )
    assert.deepEqual(
      graph.vertices.map(({ id }) => id),
      [0, 1],
    )
  })

  it('keeps a loop whole, with what feeds it from behind', () => {
    const { builder } = line(sourceOf(), FEEDBACK, MAP, MAP, SINK)
    builder.addEdge({ from: 3, to: 1, isFeedback: true })
    const part = builder.upstreamOf(2)
    assert.deepEqual(names(part), ['step-0', 'step-1', 'step-2', 'step-3'])
    const feedback = part.build('job', { parallelism: 1 }).edges.filter(edge => edge.isFeedback)
    assert.deepEqual(
      feedback.map(({ from, to }) => [from, to]),
      [[3, 1]],
    )
  })

  it('goes through joins and takes shared sources once', () => {
    const { builder } = line(sourceOf(), MAP)
    builder.addVertex({ name: 'second', operator: sourceOf() })
    builder.addVertex({ name: 'join', operator: MAP })
    for (const from of [0, 1, 2]) builder.addEdge({ from, to: 3 })
    assert.deepEqual(names(builder.upstreamOf(3)), ['step-0', 'step-1', 'second', 'join'])
    assert.equal(builder.upstreamOf(3).build('job', { parallelism: 1 }).edges.length, 4)
  })
})
