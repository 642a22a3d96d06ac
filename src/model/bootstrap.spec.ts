// Bootstrap inputs that could hold the others back for ever are found when the graph is built.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { graphHash } from './describe.ts'
import type { BootstrapInput } from './graph.ts'
import { GraphBuilder } from './graph-builder.ts'
import { fieldSelector } from './key.ts'
import type { OperatorSpec } from './operator-spec.ts'

const key = fieldSelector('id')
const JOIN: OperatorSpec = { kind: 'keyed-co-process', function: { onFirst: () => {}, onSecond: () => {} } }
const MAP: OperatorSpec = { kind: 'transform', shape: 'map', function: record => record }

function sourceOf(name: string, isBounded: boolean): Extract<OperatorSpec, { readonly kind: 'source' }> {
  const source = { connector: 'c', options: {}, description: name, placement: 'any', isBounded, hasTimestamps: false }
  return { kind: 'source', source: { ...source, placement: 'any' } }
}

class Script {
  readonly builder = new GraphBuilder()

  source(name: string, isBounded = true): number {
    return this.builder.addVertex({ name, operator: sourceOf(name, isBounded) }).id
  }

  aligned(name: string, group: string): number {
    const generator = () => ({ onRecord: () => {}, current: () => 0 })
    const strategy = { description: 'strategy', generator, alignment: { group, maxDriftMs: 10 } }
    return this.builder.addVertex({ name, operator: { ...sourceOf(name, true), strategy } }).id
  }

  after(from: number, name: string, operator: OperatorSpec = MAP): number {
    const { id } = this.builder.addVertex({ name, operator })
    this.builder.addEdge({ from, to: id })
    return id
  }

  timed(from: number, idleTimeoutMs?: number): number {
    const generator = () => ({ onRecord: () => {}, current: () => 0 })
    const strategy = { description: 'strategy', generator, ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }) }
    return this.after(from, 'timestamps', { kind: 'timestamps', strategy })
  }

  join(name: string, stream: number, table: number, bootstrap: BootstrapInput = { input: 1 }): number {
    const { id } = this.builder.addVertex({ name, operator: JOIN, keySelectors: [key, key], bootstrap })
    for (const [input, from] of [stream, table].entries())
      this.builder.addEdge({ from, to: id, input, partitioning: { kind: 'hash', key } })
    return id
  }

  mistakes(): string[] {
    try {
      this.builder.build('job', { parallelism: 1 })
      return []
    } catch (error) {
      const { code, message } = error as { code: string; message: string }
      assert.equal(code, 'GRAPH_INVALID')
      return message.split('\n').slice(1)
    }
  }
}

function mistakesOf(write: (script: Script) => void): string[] {
  const script = new Script()
  write(script)
  return script.mistakes()
}

describe('a bootstrap input without end', () => {
  test('would hold the other back for ever', () => {
    const mistakes = mistakesOf(s => s.join('price', s.source('orders', false), s.source('rates', false)))
    assert.equal(mistakes.length, 1)
    assert.match(
      mistakes[0] as string,
      /step "price" reads input 1 first, but nothing says that step "rates" ends: .* idleTimeoutMs, say with bootstrapUntilMs .* bootstrapUntilMs: Infinity/,
    )
  })

  test('is fine with an idle timeout, with a time to reach, and where its end is vouched for', () => {
    const orders = (s: Script): number => s.source('orders', false)
    const rates = (s: Script): number => s.source('rates', false)
    assert.deepEqual(
      mistakesOf(s => s.join('price', orders(s), s.after(s.timed(rates(s), 1000), 'parse'))),
      [],
    )
    assert.deepEqual(
      mistakesOf(s => s.join('price', orders(s), s.timed(rates(s)), { input: 1, untilMs: 5000 })),
      [],
    )
    assert.deepEqual(
      mistakesOf(s => s.join('price', orders(s), rates(s), { input: 1, untilMs: Infinity })),
      [],
    )
  })

  test('comes to no time without a watermark strategy', () => {
    const [mistake] = mistakesOf(s =>
      s.join('price', s.source('orders'), s.source('rates', false), { input: 1, untilMs: 5000 }),
    )
    assert.match(mistake as string, /no watermark strategy whose watermark could come to 5000/)
  })
})

describe('a bootstrap input that waits for what it holds back', () => {
  test('is refused when both inputs come from one step, however far up', () => {
    const mistakes = mistakesOf(s => {
      const both = s.source('events')
      s.join('price', s.after(s.after(both, 'orders'), 'parse'), s.after(both, 'rates'))
    })
    assert.equal(mistakes.length, 1)
    assert.match(mistakes[0] as string, /step "price" reads input 1 first, but both inputs come from step "events"/)
  })

  test('is refused when the join feeds its own table', () => {
    const mistakes = mistakesOf(s => {
      const head = s.after(s.source('rates'), 'iterate', { kind: 'feedback', queuedRecordsMax: 10 })
      const join = s.join('price', s.source('orders'), head)
      s.builder.addEdge({ from: join, to: head, isFeedback: true })
    })
    assert.equal(mistakes.length, 1)
    assert.match(mistakes[0] as string, /step "price" reads input 1 first, but both inputs come from step/)
  })

  test('is refused in a ring of joins that each hold back what the other reads first', () => {
    const mistakes = mistakesOf(s => {
      const [x, y] = [s.source('x'), s.source('y')]
      s.join('one', y, x)
      s.join('two', x, y)
    })
    assert.equal(mistakes.length, 2)
    assert.match(mistakes[0] as string, /step "one" .* is held back by step "two", which in turn waits/)
    assert.match(mistakes[1] as string, /step "two" .* is held back by step "one", which in turn waits/)
  })

  test('is fine in a row of joins, and where two share a table', () => {
    assert.deepEqual(
      mistakesOf(s => {
        const rates = s.source('rates')
        const first = s.join('one', s.source('orders'), rates)
        s.join('two', first, s.source('customers'))
        s.join('three', s.source('refunds'), rates)
      }),
      [],
    )
  })

  test('is fine where the table of one is made by the other', () => {
    assert.deepEqual(
      mistakesOf(s => s.join('two', s.source('payments'), s.join('one', s.source('orders'), s.source('rates')))),
      [],
    )
  })
})

test('a bootstrap input is part of the identity of the graph', () => {
  const identity = (bootstrap: BootstrapInput): string => {
    const script = new Script()
    script.join('price', script.source('orders'), script.source('rates'), bootstrap)
    return graphHash(script.builder.build('job', { parallelism: 1 }))
  }
  assert.equal(identity({ input: 1 }), identity({ input: 1 }))
  assert.equal(new Set([identity({ input: 0 }), identity({ input: 1 }), identity({ input: 1, untilMs: 7 })]).size, 3)
})

describe('a bootstrap input aligned with what it holds back', () => {
  test('would wait for a source that is held back; groups of their own are fine', () => {
    const [mistake, ...rest] = mistakesOf(s => s.join('join', s.aligned('orders', 'g'), s.aligned('rates', 'g')))
    assert.match(
      mistake ?? '',
      /step "join" reads input 1 first, but its sources are aligned in "g" with those of the other/,
    )
    assert.deepEqual(rest, [])
    assert.deepEqual(
      mistakesOf(s => s.join('join', s.aligned('orders', 'a'), s.aligned('rates', 'b'))),
      [],
    )
  })
})
