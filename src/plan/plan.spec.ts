import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Placement } from '../model/connector.ts'
import { describeGraph, graphHash } from '../model/describe.ts'
import type { EdgeInit, VertexInit } from '../model/graph-builder.ts'
import { GraphBuilder } from '../model/graph-builder.ts'
import { fieldSelector } from '../model/key.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import type { Partitioning } from '../model/partitioning.ts'
import { WINDOW_DEFAULTS, type WindowSpec } from '../model/window-spec.ts'
import type { PhysicalPlan } from './physical-plan.ts'
import { planGraph, planIdentity } from './plan.ts'

const CONNECTOR = { connector: 'words', options: {}, placement: 'any', isBounded: true, description: 'words' } as const
const SOURCE: OperatorSpec = { kind: 'source', source: { ...CONNECTOR, hasTimestamps: false } }
const TIMED_SOURCE: OperatorSpec = { kind: 'source', source: { ...CONNECTOR, hasTimestamps: true } }
const SINK: OperatorSpec = { kind: 'sink', sink: CONNECTOR }
const MAP: OperatorSpec = { kind: 'transform', shape: 'map', function: record => record }
const FEEDBACK: OperatorSpec = { kind: 'feedback', queuedRecordsMax: 10 }
const AGGREGATE = { create: () => 0, add: () => 0, merge: () => 0, result: () => 0 } as const
const ROLLING: OperatorSpec = { kind: 'rolling', aggregate: AGGREGATE }
const ASYNC: OperatorSpec = {
  kind: 'async',
  async: {
    results: 'one',
    function: () => 0,
    order: 'ordered',
    capacity: 1,
    timeoutMs: 1,
    onTimeout: undefined,
    retry: undefined,
  },
}
const TIMESTAMPS: OperatorSpec & { readonly kind: 'timestamps' } = {
  kind: 'timestamps',
  strategy: { description: 'as they are', generator: () => ({ onRecord: () => {}, current: () => 0 }) },
}
const PUNCTUATED: OperatorSpec = { ...TIMESTAMPS, strategy: { ...TIMESTAMPS.strategy, emit: 'per-record' } }
const FLAT_MAP: OperatorSpec = { kind: 'transform', shape: 'flat-map', function: () => [] }
const WINDOW_SPEC: WindowSpec = {
  ...WINDOW_DEFAULTS,
  timeDomain: 'processing-time',
  assigner: { kind: 'tumbling', sizeMs: 1000, offsetMs: 0 },
  function: { kind: 'aggregate', aggregate: AGGREGATE },
}
const WINDOW: OperatorSpec = { kind: 'window', window: WINDOW_SPEC }
const WORD = fieldSelector('word')
const BY_WORD: Partitioning = { kind: 'hash', key: WORD }

interface Settings extends Partial<VertexInit> {
  readonly chaining?: 'disabled'
  readonly maxParallelism?: number
}

/** Writes a graph step by step; names of steps are their letters. */
class Script {
  readonly builder = new GraphBuilder()

  step(name: string, operator: OperatorSpec, { chaining, maxParallelism, ...init }: Settings = {}): number {
    const draft = this.builder.addVertex({ name, operator, ...init })
    if (chaining !== undefined) draft.chaining = chaining
    if (maxParallelism !== undefined) draft.maxParallelism = maxParallelism
    return draft.id
  }

  edge(from: number, to: number, more: Partial<EdgeInit> = {}): void {
    this.builder.addEdge({ from, to, ...more })
  }

  after(
    from: number,
    name: string,
    operator: OperatorSpec,
    edge: Partial<EdgeInit> = {},
    settings: Settings = {},
  ): number {
    const id = this.step(name, operator, settings)
    this.edge(from, id, edge)
    return id
  }

  keyed(from: number, name: string, operator: OperatorSpec = ROLLING, settings: Settings = {}): number {
    return this.after(from, name, operator, { partitioning: BY_WORD }, { keySelectors: [WORD], ...settings })
  }

  plan(parallelism = 2): PhysicalPlan {
    return planGraph(this.builder.build('job', { parallelism }))
  }
}

/** Source `a` and step `b` with an edge between them. */
function pair(edge: Partial<EdgeInit> = {}, a: Settings = {}, b: Settings = {}): Script {
  const script = new Script()
  script.after(script.step('a', SOURCE, a), 'b', MAP, edge, b)
  return script
}

const chainNames = (plan: PhysicalPlan): string[] => plan.chains.map(chain => chain.name)

describe('chaining', () => {
  it('joins steps of equal parallelism that forward, in one task', () => {
    const plan = pair().plan(3)
    assert.deepEqual(chainNames(plan), ['a -> b'])
    assert.deepEqual(plan.chains[0]?.vertices, [0, 1])
    assert.deepEqual(plan.chains[0]?.links, plan.graph.edges)
    assert.equal(plan.chains[0]?.parallelism, 3)
    assert.deepEqual(plan.exchanges, [])
  })

  it('parts steps of different parallelism', () => {
    assert.deepEqual(chainNames(pair({}, { parallelism: 1 }).plan(2)), ['a', 'b'])
    assert.deepEqual(chainNames(pair({}, {}, { parallelism: 1 }).plan(2)), ['a', 'b'])
  })

  for (const [label, a, b] of [
    ['before', { chaining: 'disabled' }, {}],
    ['after', {}, { chaining: 'disabled' }],
  ] as const) {
    it(`parts a step that must not be chained from the one ${label === 'before' ? 'after' : 'before'} it`, () => {
      assert.deepEqual(chainNames(pair({}, a, b).plan(1)), ['a', 'b'])
    })
  }

  const free = ['rebalance', 'rescale', 'shuffle', 'broadcast', 'global', 'local-or-shuffle'] as const
  const partitionings: readonly (readonly [Partitioning, isPartedAtOne: boolean])[] = [
    ...free.map(kind => [{ kind }, false] as const),
    [BY_WORD, false],
    [{ kind: 'partial-key', key: WORD }, false],
    [{ kind: 'direct', target: () => 0 }, true],
    [{ kind: 'custom', key: WORD, partition: () => 0 }, true],
  ]
  for (const [partitioning, isPartedAtOne] of partitionings) {
    it(`parts steps at an edge by ${partitioning.kind}${isPartedAtOne ? ', at parallelism 1 too' : ', but not at parallelism 1'}`, () => {
      assert.deepEqual(chainNames(pair({ partitioning }).plan(2)), ['a', 'b'])
      assert.deepEqual(chainNames(pair({ partitioning }).plan(1)), isPartedAtOne ? ['a', 'b'] : ['a -> b'])
    })
  }

  it('parts a step of asynchronous calls from the step before it, at parallelism 1 too, and joins it with those behind', () => {
    const script = new Script()
    const calls = script.after(script.step('a', SOURCE), 'calls', ASYNC)
    script.after(script.after(calls, 'b', MAP), 'more calls', ASYNC)
    assert.deepEqual(chainNames(script.plan(1)), ['a', 'calls -> b', 'more calls'])
  })

  it('parts a step that reads several streams from all of them', () => {
    const script = new Script()
    const [a, b] = [script.step('a', SOURCE), script.step('b', SOURCE)]
    script.edge(b, script.after(a, 'union', MAP))
    assert.deepEqual(chainNames(script.plan(1)), ['a', 'b', 'union'])
  })

  it('parts a step that reads one stream twice', () => {
    const script = pair()
    script.edge(0, 1)
    assert.deepEqual(chainNames(script.plan(1)), ['a', 'b'])
    assert.equal(script.plan(1).exchanges.length, 2)
  })

  it('joins all branches of a step, side outputs too, each after the step it reads', () => {
    const script = new Script()
    const a = script.step('a', SOURCE)
    const left = script.after(a, 'left', MAP)
    const right = script.after(a, 'right', MAP, { outputTag: 'late' })
    script.after(left, 'left sink', SINK)
    script.after(right, 'right sink', SINK)
    const plan = script.plan(2)
    assert.deepEqual(chainNames(plan), ['a -> left -> left sink -> right -> right sink'])
    assert.deepEqual(plan.chains[0]?.vertices, [0, 1, 3, 2, 4])
    assert.equal(plan.chains[0]?.links.length, 4)
  })

  it('parts the head of a loop from both its inputs, and keeps the body with the head', () => {
    const script = new Script()
    const head = script.after(script.step('a', SOURCE), 'head', FEEDBACK)
    const body = script.after(head, 'body', MAP)
    script.edge(body, head, { isFeedback: true })
    const plan = script.plan(1)
    assert.deepEqual(chainNames(plan), ['a', 'head -> body'])
    assert.deepEqual(
      plan.exchanges.map(({ fromChain, toChain, edge }) => [fromChain, toChain, edge.isFeedback]),
      [
        [0, 1, false],
        [1, 1, true],
      ],
    )
  })

  it('numbers chains by their first step and exchanges by their edge', () => {
    const script = new Script()
    const a = script.step('a', SOURCE)
    const b = script.keyed(a, 'b')
    script.keyed(b, 'c')
    const plan = script.plan(2)
    assert.deepEqual(
      plan.chains.map(({ id, name }) => [id, name]),
      [
        [0, 'a'],
        [1, 'b'],
        [2, 'c'],
      ],
    )
    assert.deepEqual(
      plan.exchanges.map(({ id, fromChain, toChain, edge }) => [id, fromChain, toChain, edge.to]),
      [
        [0, 0, 1, b],
        [1, 1, 2, 2],
      ],
    )
  })
})

describe('a chain', () => {
  for (const [a, b, expected] of [
    ['any', 'any', 'any'],
    ['main-thread', 'any', 'main-thread'],
    ['any', 'main-thread', 'main-thread'],
  ] as const satisfies readonly (readonly Placement[])[]) {
    it(`of a step for ${a} and one for ${b} is placed: ${expected}`, () => {
      assert.equal(pair({}, { placement: a }, { placement: b }).plan().chains[0]?.placement, expected)
    })
  }

  it('has a subtask per parallelism, which share the key groups of its keyed step', () => {
    const script = new Script()
    script.after(script.keyed(script.step('a', SOURCE), 'count', ROLLING, { maxParallelism: 10 }), 'sink', SINK)
    const [, chain] = script.plan(4).chains
    assert.equal(chain?.name, 'count -> sink')
    assert.deepEqual(chain?.subtasks, [
      { index: 0, keyGroups: { from: 0, to: 3 } },
      { index: 1, keyGroups: { from: 3, to: 5 } },
      { index: 2, keyGroups: { from: 5, to: 8 } },
      { index: 3, keyGroups: { from: 8, to: 10 } },
    ])
  })

  it('takes the key groups of the keyed step even if that is not its first', () => {
    const script = new Script()
    script.keyed(script.step('a', SOURCE, { maxParallelism: 99 }), 'count', ROLLING, { maxParallelism: 10 })
    const [chain] = script.plan(1).chains
    assert.equal(chain?.name, 'a -> count')
    assert.deepEqual(chain?.subtasks, [{ index: 0, keyGroups: { from: 0, to: 10 } }])
  })
})

describe('the columns of an exchange', () => {
  const columnsInto = (script: Script, target: number, parallelism = 2): readonly string[] | undefined =>
    script.plan(parallelism).exchanges.find(({ edge }) => edge.to === target)?.columns

  it('are the value alone where nobody made timestamps', () => {
    const script = new Script()
    const b = script.after(script.step('a', SOURCE), 'b', MAP, { partitioning: { kind: 'rebalance' } })
    assert.deepEqual(columnsInto(script, b), ['value'])
  })

  it('have the key where records go by key', () => {
    const script = new Script()
    assert.deepEqual(columnsInto(script, script.keyed(script.step('a', SOURCE), 'b')), ['value', 'key'])
  })

  it('have no key for a partial key, whose target is not keyed', () => {
    const script = new Script()
    const b = script.after(script.step('a', SOURCE), 'b', MAP, { partitioning: { kind: 'partial-key', key: WORD } })
    assert.deepEqual(columnsInto(script, b), ['value'])
  })

  const onTimer = { onRecord: () => {}, onTimer: () => {} }
  const untimed: OperatorSpec = { kind: 'keyed-process', function: { onRecord: () => {} } }
  for (const [label, operator, isTimed] of [
    ['a source with timestamps', TIMED_SOURCE, true],
    ['a source without', SOURCE, false],
    ['a step that assigns timestamps', TIMESTAMPS, true],
    ['a window', WINDOW, true],
    ['asynchronous calls', ASYNC, false],
    ['a rolling aggregation', ROLLING, false],
    ['a keyed process with timers', { kind: 'keyed-process', function: onTimer }, true],
    ['a keyed process without', untimed, false],
  ] as const satisfies readonly (readonly [string, OperatorSpec, boolean])[]) {
    it(`${isTimed ? 'have' : 'have no'} timestamps behind ${label}, however many steps later`, () => {
      const script = new Script()
      const isKeyed = ['window', 'rolling', 'keyed-process'].includes(operator.kind)
      const first = script.step('first', operator.kind === 'source' ? operator : SOURCE)
      let last = first
      if (isKeyed) last = script.keyed(first, 'made', operator)
      else if (operator.kind !== 'source') last = script.after(first, 'made', operator)
      const target = script.after(script.after(last, 'map', MAP), 'end', MAP, { partitioning: { kind: 'shuffle' } })
      assert.deepEqual(columnsInto(script, target), isTimed ? ['value', 'timestamp'] : ['value'])
    })
  }

  it('have timestamps behind a connection with timers', () => {
    const script = new Script()
    const join: OperatorSpec = {
      kind: 'keyed-co-process',
      function: { onFirst: () => {}, onSecond: () => {}, onTimer: () => {} },
    }
    const a = script.step('a', SOURCE)
    const joined = script.step('join', join, { keySelectors: [WORD, WORD] })
    for (const input of [0, 1]) script.edge(a, joined, { input, partitioning: BY_WORD })
    const end = script.after(joined, 'end', SINK, { partitioning: { kind: 'global' } })
    assert.deepEqual(columnsInto(script, joined), ['value', 'key'])
    assert.deepEqual(columnsInto(script, end), ['value', 'timestamp'])
  })

  it('have timestamps behind a broadcast connection with timers, and the key at its keyed input only', () => {
    const script = new Script()
    const user = { onRecord: () => {}, onBroadcast: () => {}, onTimer: () => {} }
    const a = script.step('a', SOURCE)
    const spec: OperatorSpec = { kind: 'keyed-broadcast-process', broadcast: {}, function: user }
    const rules = script.keyed(a, 'rules', spec)
    script.edge(a, rules, { input: 1, partitioning: { kind: 'broadcast' } })
    script.after(rules, 'end', SINK, { partitioning: { kind: 'global' } })
    assert.deepEqual(
      script.plan(2).exchanges.map(({ columns }) => columns),
      [['value', 'key'], ['value'], ['value', 'timestamp']],
    )
  })

  it('have timestamps where one of several inputs has', () => {
    const script = new Script()
    const union = script.after(script.step('a', SOURCE), 'union', MAP)
    script.edge(script.step('b', TIMED_SOURCE), union)
    const end = script.after(union, 'end', SINK, { partitioning: { kind: 'global' } })
    assert.deepEqual(
      script.plan(2).exchanges.map(({ columns }) => columns),
      [['value'], ['value', 'timestamp'], ['value', 'timestamp']],
    )
    assert.deepEqual(columnsInto(script, end), ['value', 'timestamp'])
  })

  it('come from a source with a watermark strategy', () => {
    const script = new Script()
    const source = script.step('a', {
      ...(SOURCE as typeof SOURCE & { kind: 'source' }),
      strategy: TIMESTAMPS.strategy,
    })
    const b = script.after(source, 'b', MAP, { partitioning: { kind: 'shuffle' } })
    assert.deepEqual(columnsInto(script, b), ['value', 'timestamp'])
  })

  it('are found around a loop', () => {
    const script = new Script()
    const head = script.after(script.step('a', SOURCE), 'head', FEEDBACK)
    const timed = script.after(head, 'timed', TIMESTAMPS, { outputTag: 'again' })
    script.edge(timed, head, { isFeedback: true })
    const end = script.after(head, 'end', MAP, { partitioning: { kind: 'shuffle' } })
    assert.deepEqual(columnsInto(script, end), ['value', 'timestamp'], 'a timed record may come round the loop')
  })

  it('end in a loop without timestamps', () => {
    const script = new Script()
    const head = script.after(script.step('a', SOURCE), 'head', FEEDBACK)
    const body = script.after(head, 'body', MAP)
    script.edge(body, head, { isFeedback: true })
    const end = script.after(body, 'end', MAP, { partitioning: { kind: 'shuffle' } })
    assert.deepEqual(columnsInto(script, end), ['value'])
  })
})

describe('a step with a watermark after each record', () => {
  const chainsOf = (...operators: readonly OperatorSpec[]): readonly string[] => {
    const script = new Script()
    operators.reduce<number | undefined>(
      (before, operator, index) =>
        before === undefined
          ? script.step('source', operator)
          : script.after(before, `${operator.kind} ${index}`, operator),
      undefined,
    )
    return script.plan().chains.map(chain => chain.name)
  }

  it('is chained where its task has one of its records in hand at a time', () => {
    assert.deepEqual(chainsOf(SOURCE, MAP, PUNCTUATED, FLAT_MAP), [
      'source -> transform 1 -> timestamps 2 -> transform 3',
    ])
  })

  it('begins a chain behind a step that may emit several at once', () => {
    assert.deepEqual(chainsOf(SOURCE, FLAT_MAP, MAP, PUNCTUATED), [
      'source -> transform 1 -> transform 2',
      'timestamps 3',
    ])
    assert.deepEqual(chainsOf(SOURCE, FLAT_MAP, TIMESTAMPS), ['source -> transform 1 -> timestamps 2'])
  })

  it('does not mind what is behind another exchange', () => {
    const script = new Script()
    const flat = script.after(script.step('a', SOURCE), 'flat', FLAT_MAP)
    const map = script.after(flat, 'map', MAP, {}, { chaining: 'disabled' })
    script.after(map, 'timed', PUNCTUATED)
    assert.deepEqual(
      script.plan().chains.map(chain => chain.name),
      ['a -> flat', 'map', 'timed'],
      'disabled',
    )
    const other = new Script()
    const wide = other.after(other.step('a', SOURCE, { parallelism: 1 }), 'flat', FLAT_MAP, {}, { parallelism: 1 })
    const mapped = other.after(wide, 'map', MAP, {}, { parallelism: 2 })
    other.after(mapped, 'timed', PUNCTUATED, {}, { parallelism: 2 })
    assert.deepEqual(
      other.plan().chains.map(chain => chain.name),
      ['a -> flat', 'map -> timed'],
    )
  })
})

describe('a plan', () => {
  it('holds its graph, the hash and the identity of it', () => {
    const plan = pair().plan()
    assert.equal(plan.graphHash, graphHash(plan.graph))
    assert.equal(planIdentity(plan), describeGraph(plan.graph))
  })

  it('is frozen and repeatable', () => {
    const script = new Script()
    script.keyed(script.step('a', SOURCE), 'b')
    const plan = script.plan()
    for (const part of [plan, plan.chains, plan.exchanges, ...plan.chains, ...plan.exchanges])
      assert.ok(Object.isFrozen(part))
    for (const chain of plan.chains) {
      for (const part of [chain.vertices, chain.links, chain.subtasks, ...chain.subtasks])
        assert.ok(Object.isFrozen(part))
    }
    assert.deepEqual(planGraph(plan.graph), plan)
  })
})
