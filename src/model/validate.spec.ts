import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { EdgeInit, VertexDraft, VertexInit } from './graph-builder.ts'
import { GraphBuilder } from './graph-builder.ts'
import type { KeySelector } from './key.ts'
import { fieldSelector, functionSelector, tupleSelector } from './key.ts'
import type { OperatorSpec } from './operator-spec.ts'

const MAP: OperatorSpec = { kind: 'transform', shape: 'map', function: record => record }
const FEEDBACK: OperatorSpec = { kind: 'feedback', queuedRecordsMax: 10 }
const ROLLING: OperatorSpec = {
  kind: 'rolling',
  aggregate: { create: () => 0, add: () => 0, merge: () => 0, result: () => 0 },
}
const CONNECT: OperatorSpec = { kind: 'co-process', function: { onFirst: () => {}, onSecond: () => {} } }
const KEYED_CONNECT: OperatorSpec = { kind: 'keyed-co-process', function: { onFirst: () => {}, onSecond: () => {} } }
const WITH_BROADCAST = { broadcast: {}, function: { onRecord: () => {}, onBroadcast: () => {} } } as const
const BROADCAST: OperatorSpec = { kind: 'broadcast-process', ...WITH_BROADCAST }
const KEYED_BROADCAST: OperatorSpec = { kind: 'keyed-broadcast-process', ...WITH_BROADCAST }
const CONNECTOR = { connector: 'words', options: {}, placement: 'any', isBounded: true, hasTimestamps: false } as const
const SOURCE: OperatorSpec = { kind: 'source', source: { ...CONNECTOR, description: 'words' } }
const SINGLE: OperatorSpec = { kind: 'source', source: { ...CONNECTOR, description: 'socket', parallelismMax: 1 } }
const SINK: OperatorSpec = { kind: 'sink', sink: { ...CONNECTOR, description: 'print' } }

/** Writes a graph, each step on the line of job.ts that its number (from 1) gives. */
class Script {
  readonly builder = new GraphBuilder()

  step(name: string, operator: OperatorSpec, settings: Partial<VertexInit> & Partial<VertexDraft> = {}): number {
    const line = this.builder.vertices.length + 1
    const { uid, maxParallelism, ...init } = settings
    const draft = this.builder.addVertex({
      name,
      operator,
      location: { file: 'file:///jobs/job.ts', line, column: 1 },
      ...init,
    })
    if (uid !== undefined) draft.uid = uid
    if (maxParallelism !== undefined) draft.maxParallelism = maxParallelism
    return draft.id
  }

  edge(from: number, to: number, more: Partial<EdgeInit> = {}): void {
    this.builder.addEdge({ from, to, ...more })
  }

  /** A step that reads the given one. */
  after(
    from: number,
    name: string,
    operator: OperatorSpec,
    settings: Partial<VertexInit> & Partial<VertexDraft> = {},
  ): number {
    const id = this.step(name, operator, settings)
    this.edge(from, id)
    return id
  }

  keyed(inputs: readonly number[], name: string, operator: OperatorSpec, keySelectors: readonly KeySelector[]): number {
    const id = this.step(name, operator, { keySelectors })
    for (const [input, from] of inputs.entries())
      this.edge(from, id, { input, partitioning: { kind: 'hash', key: keySelectors[input] as KeySelector } })
    return id
  }

  assertMistakes(...mistakes: readonly string[]): void {
    const heading = mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`
    const lines = mistakes.map((mistake, index) => `  ${index + 1}. ${mistake}`)
    assert.throws(() => this.builder.build('totals', { parallelism: 1 }), {
      name: 'StreamError',
      code: 'GRAPH_INVALID',
      message: `GRAPH_INVALID: the job "totals" has ${heading}:\n${lines.join('\n')}`,
    })
  }

  assertValid(parallelism = 1): void {
    assert.doesNotThrow(() => this.builder.build('totals', { parallelism }))
  }
}

function withSource(): { readonly script: Script; readonly source: number } {
  const script = new Script()
  return { script, source: script.step('words', SOURCE) }
}

describe('a valid graph', () => {
  it('has keys, joins, side outputs and loops', () => {
    const { script, source } = withSource()
    const head = script.after(source, 'head', FEEDBACK)
    const body = script.after(head, 'body', MAP)
    script.edge(body, head, { isFeedback: true })
    const count = script.keyed([body], 'count', ROLLING, [fieldSelector('word')])
    script.keyed([count, body], 'join', KEYED_CONNECT, [fieldSelector('word'), functionSelector(() => 1)])
    const print = script.after(count, 'print', SINK)
    script.edge(body, print, { outputTag: 'late' })
    script.assertValid(4)
  })

  it('may be empty', () => {
    new Script().assertValid()
  })
})

describe('a mistake of a watermark strategy', () => {
  const strategy = {
    description: 'as they are',
    generator: () => ({ onRecord: () => {}, current: () => 0 }),
    alignment: { group: 'clicks', maxDriftMs: 10 },
  }

  it('is an alignment that is not at a source', () => {
    const { script, source } = withSource()
    script.after(source, 'timed', { kind: 'timestamps', strategy })
    script.assertMistakes(
      'step "timed" (/jobs/job.ts:2) has a watermark strategy aligned in "clicks", but only a source can pause its splits; give the strategy to the source: { watermarks: strategy }',
    )
  })

  it('is none at a source', () => {
    const script = new Script()
    script.step('words', { ...(SOURCE as OperatorSpec & { kind: 'source' }), strategy })
    script.assertValid()
  })
})

describe('a mistake of an edge', () => {
  it('is a target that does not exist', () => {
    const { script, source } = withSource()
    script.edge(source, 7)
    script.assertMistakes('an edge leads to vertex 7, which does not exist; add the vertex before the edge')
  })

  it('is an origin that does not exist', () => {
    const { script, source } = withSource()
    const map = script.after(source, 'split', MAP)
    script.edge(9, map)
    script.assertMistakes(
      'step "split" (/jobs/job.ts:2) reads from vertex 9, which does not exist; connect it to a step of the same environment',
    )
  })

  it('is an input that the step does not have', () => {
    const { script, source } = withSource()
    const map = script.after(source, 'split', MAP)
    script.edge(source, map, { input: 1 })
    script.edge(source, map, { input: -1 })
    script.assertMistakes(
      'step "split" (/jobs/job.ts:2) has one input but an edge leads to input 1; inputs count from 0',
      'step "split" (/jobs/job.ts:2) has one input but an edge leads to input -1; inputs count from 0',
    )
  })

  it('is a source as its target', () => {
    const { script, source } = withSource()
    script.edge(script.step('more', SOURCE), source)
    script.assertMistakes(
      'step "words" (/jobs/job.ts:1) is a source, which has no input, but reads from step "more" (/jobs/job.ts:2); use union() to join their records',
    )
  })

  for (const outputTag of [undefined, 'late']) {
    it(`is a sink as its origin${outputTag === undefined ? '' : ', side outputs too'}`, () => {
      const { script, source } = withSource()
      const sink = script.after(source, 'print', SINK)
      script.edge(sink, script.step('split', MAP), { outputTag })
      script.assertMistakes(
        'step "split" (/jobs/job.ts:3) reads from step "print" (/jobs/job.ts:2), a sink, which has no output; read from the step before it',
      )
    })
  }

  it('is forward between different parallelisms', () => {
    const { script, source } = withSource()
    const map = script.step('split', MAP, { parallelism: 3 })
    script.edge(source, map, { partitioning: { kind: 'forward' } })
    script.assertMistakes(
      'step "split" (/jobs/job.ts:2) has parallelism 3 but a forward edge from step "words" (/jobs/job.ts:1) with 1; use rebalance() between them',
    )
  })

  it('is feedback to another step than the head of an iteration', () => {
    const { script, source } = withSource()
    const map = script.after(source, 'split', MAP)
    script.edge(script.after(map, 'body', MAP), map, { isFeedback: true })
    script.assertMistakes(
      'a feedback edge leads to step "split" (/jobs/job.ts:2); only the head of an iteration may take one, use iterate()',
    )
  })
})

describe('a mistake of parallelism', () => {
  for (const parallelism of [0, -1, 1.5, NaN]) {
    it(`is ${parallelism}`, () => {
      const script = new Script()
      script.step('words', SOURCE, { parallelism })
      script.assertMistakes(`step "words" (/jobs/job.ts:1) has parallelism ${parallelism}; give a whole number from 1`)
    })
  }

  for (const maxParallelism of [0, 2.5, NaN, 32_769]) {
    it(`is a maxParallelism of ${maxParallelism}`, () => {
      const script = new Script()
      script.step('words', SOURCE, { maxParallelism })
      script.assertMistakes(
        `step "words" (/jobs/job.ts:1) has maxParallelism ${maxParallelism}; give a whole number from 1 to 32768`,
      )
    })
  }

  it('is not a maxParallelism of 32768', () => {
    const script = new Script()
    script.step('words', SOURCE, { maxParallelism: 32_768, parallelism: 32_768 })
    script.assertValid()
  })

  it('is more than maxParallelism', () => {
    const script = new Script()
    script.step('words', SOURCE, { parallelism: 5, maxParallelism: 4 })
    script.assertMistakes(
      'step "words" (/jobs/job.ts:1) has parallelism 5 but maxParallelism 4; lower the parallelism, or raise setMaxParallelism() before there is state',
    )
  })

  it('is more than the connector takes', () => {
    const script = new Script()
    script.step('lines', SINGLE, { parallelism: 2 })
    script.assertMistakes(
      'step "lines" (/jobs/job.ts:1) has parallelism 2 but socket can run with 1 at most; remove setParallelism() there',
    )
  })
})

describe('a mistake of inputs', () => {
  it('is an input without a stream, each by itself', () => {
    const script = new Script()
    script.step('split', MAP)
    script.step('join', CONNECT)
    script.assertMistakes(
      'step "split" (/jobs/job.ts:1) has nothing connected to input 0; connect a stream to it',
      'step "join" (/jobs/job.ts:2) has nothing connected to input 0; connect a stream to it',
      'step "join" (/jobs/job.ts:2) has nothing connected to input 1; connect a stream to it',
    )
  })

  it('is the head of an iteration that only feedback reaches', () => {
    const script = new Script()
    const head = script.step('head', FEEDBACK)
    script.edge(script.after(head, 'body', MAP), head, { isFeedback: true })
    script.assertMistakes('step "head" (/jobs/job.ts:1) has nothing connected to input 0; connect a stream to it')
  })
})

describe('a mistake of keys', () => {
  it('is a keyed step without a key', () => {
    const { script, source } = withSource()
    script.after(source, 'count', ROLLING)
    script.assertMistakes('step "count" (/jobs/job.ts:2) works per key but input 0 has no key; call keyBy() before it')
  })

  it('is a keyed step of two inputs of which one has no key', () => {
    const { script, source } = withSource()
    const join = script.keyed([source], 'join', KEYED_CONNECT, [fieldSelector('word')])
    script.edge(source, join, { input: 1 })
    script.assertMistakes('step "join" (/jobs/job.ts:2) works per key but input 1 has no key; call keyBy() before it')
  })

  it('is a keyed step that does not get its input by key', () => {
    const { script, source } = withSource()
    const count = script.step('count', ROLLING, { keySelectors: [fieldSelector('word')] })
    script.edge(source, count, { partitioning: { kind: 'shuffle' } })
    script.assertMistakes(
      'step "count" (/jobs/job.ts:2) works per key but takes its input by shuffle; let keyBy() be the last call before it',
    )
  })

  for (const [label, first, second, text] of [
    ['a field and a list of one', fieldSelector('a'), tupleSelector(['a']), 'a with one keyed by [a]'],
    ['lists of different lengths', tupleSelector(['a', 'b']), tupleSelector(['a']), '[a, b] with one keyed by [a]'],
  ] as const) {
    it(`is a connection of streams keyed by ${label}`, () => {
      const { script, source } = withSource()
      script.keyed([source, source], 'join', KEYED_CONNECT, [first, second])
      script.assertMistakes(
        `step "join" (/jobs/job.ts:2) connects a stream keyed by ${text}, whose keys can never be equal; key both by one field, or both by a list of as many fields`,
      )
    })
  }

  for (const [label, first, second] of [
    ['different fields', fieldSelector('a'), fieldSelector('b')],
    ['lists of as many fields', tupleSelector(['a', 'b']), tupleSelector(['c', 'd'])],
    ['a function and a list', functionSelector(() => 1), tupleSelector(['a'])],
  ] as const) {
    it(`is not a connection of streams keyed by ${label}`, () => {
      const { script, source } = withSource()
      script.keyed([source, source], 'join', KEYED_CONNECT, [first, second])
      script.assertValid()
    })
  }
})

describe('a step with broadcast state', () => {
  for (const [label, operator, keySelectors] of [
    ['without key', BROADCAST, []],
    ['with a key', KEYED_BROADCAST, [fieldSelector('word')]],
  ] as const) {
    const connected = (partitioning: EdgeInit['partitioning']): Script => {
      const { script, source } = withSource()
      const id = script.step('rules', operator, { keySelectors })
      const [key] = keySelectors
      script.edge(source, id, { partitioning: key === undefined ? undefined : { kind: 'hash', key } })
      script.edge(source, id, { input: 1, partitioning })
      return script
    }

    it(`needs no key at the broadcast input (${label})`, () => {
      connected({ kind: 'broadcast' }).assertValid(4)
      connected({ kind: 'forward' }).assertValid(1)
    })

    it(`is a mistake where not every subtask gets every record (${label})`, () => {
      assert.throws(() => connected({ kind: 'shuffle' }).builder.build('rules', { parallelism: 2 }), {
        code: 'GRAPH_INVALID',
        message:
          /step "rules" \(\/jobs\/job\.ts:2\) keeps broadcast state but takes input 1 by shuffle; connect a broadcastState\(\) stream to it/,
      })
    })
  }

  it('needs the key of its other input', () => {
    const { script, source } = withSource()
    const id = script.after(source, 'rules', KEYED_BROADCAST)
    script.edge(source, id, { input: 1, partitioning: { kind: 'broadcast' } })
    script.assertMistakes('step "rules" (/jobs/job.ts:2) works per key but input 0 has no key; call keyBy() before it')
  })
})

describe('a mistake of the whole graph', () => {
  it('is one uid for several steps', () => {
    const { script, source } = withSource()
    for (const name of ['a', 'b', 'c']) script.after(source, name, MAP, { uid: 'same' })
    script.assertMistakes(
      'step "a" (/jobs/job.ts:2) and step "b" (/jobs/job.ts:3) and step "c" (/jobs/job.ts:4) have the same uid "same"; give each its own with uid()',
    )
  })

  it('is a cycle that is not feedback, of many steps or of one', () => {
    const { script, source } = withSource()
    const first = script.after(source, 'first', MAP)
    script.edge(script.after(first, 'second', MAP), first)
    const alone = script.after(source, 'alone', MAP)
    script.edge(alone, alone)
    script.assertMistakes(
      'step "first" (/jobs/job.ts:2) is part of a cycle that is not marked as feedback; build loops with iterate()',
      'step "alone" (/jobs/job.ts:4) is part of a cycle that is not marked as feedback; build loops with iterate()',
    )
  })

  it('is not a diamond', () => {
    const { script, source } = withSource()
    const [left, right] = [script.after(source, 'left', MAP), script.after(source, 'right', MAP)]
    script.edge(right, script.after(left, 'join', MAP))
    script.assertValid()
  })
})

describe('several mistakes', () => {
  it('are reported together, edges first', () => {
    const script = new Script()
    const source = script.step('words', SOURCE, { parallelism: 0, uid: 'same' })
    script.after(source, 'count', ROLLING, { uid: 'same' })
    script.edge(source, 5)
    script.assertMistakes(
      'an edge leads to vertex 5, which does not exist; add the vertex before the edge',
      'step "words" (/jobs/job.ts:1) has parallelism 0; give a whole number from 1',
      'step "count" (/jobs/job.ts:2) works per key but input 0 has no key; call keyBy() before it',
      'step "words" (/jobs/job.ts:1) and step "count" (/jobs/job.ts:2) have the same uid "same"; give each its own with uid()',
    )
  })

  it('leave out the place where it is unknown', () => {
    const script = new Script()
    script.step('split', MAP, { location: undefined })
    script.assertMistakes('step "split" has nothing connected to input 0; connect a stream to it')
  })
})
