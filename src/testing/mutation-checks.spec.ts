// Functions that change what they may not, and functions that are right, under the checks of the operator harness.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { StreamError } from '../base/errors.ts'
import type { KeyedProcessFunction } from '../model/functions.ts'
import { GraphBuilder } from '../model/graph-builder.ts'
import { fieldSelector } from '../model/key.ts'
import type { OperatorSpec } from '../model/operator-spec.ts'
import { list, map, orderedList, reducing, type StateDescriptors, value } from '../model/state.ts'
import { collectingSink, valuesSource } from './collections.ts'
import { type Expectation, verifyOperator } from './operator-harness.ts'
import { end, out, record, watermarkOut } from './operator-script.ts'
import { simulateRun } from './simulate.ts'

interface Row {
  readonly k: string
  readonly n: number
}

interface Total {
  n: number
}

const rows = (...ns: readonly number[]) => ns.map(n => record({ k: 'a', n } satisfies Row))

function keyed<S extends StateDescriptors>(
  state: S,
  onRecord: KeyedProcessFunction<string, Row, unknown, S>['onRecord'],
): OperatorSpec {
  return { kind: 'keyed-process', function: { state, onRecord } as never }
}

interface Checked {
  readonly operator: OperatorSpec | (() => OperatorSpec)
  readonly outputs?: readonly unknown[]
  readonly failure?: Expectation['failure']
  readonly checkMutations?: boolean
  readonly snapshots?: 'off'
}

function check({ operator, outputs = [], failure, ...rest }: Checked): Promise<void> {
  return verifyOperator({
    ...rest,
    name: 'total',
    operator,
    keySelectors: [fieldSelector('k')],
    script: [...rows(1, 2, 3), end],
    expect:
      failure === undefined ? { output: [...outputs.map(result => out(result)), watermarkOut(Infinity)] } : { failure },
  })
}

const stateMutated = (message: RegExp): Checked['failure'] => ({ code: 'STATE_MUTATED', message })
const recordMutated = (message: RegExp): Checked['failure'] => ({ code: 'RECORD_MUTATED', message })

describe('an object of state', () => {
  const sums = [1, 3, 6]

  test('may be changed in the call that took it from the state', () =>
    check({
      operator: keyed({ total: value((): Total => ({ n: 0 })) }, ({ n }, ctx, out) => {
        const total = ctx.state.total.get()
        total.n += n
        ctx.state.total.get().n += 0
        out.collect(total.n)
      }),
      outputs: sums,
    }))

  test('may be changed in the call after it was given to the state', () =>
    check({
      operator: keyed({ totals: map<string, Total>() }, ({ n }, ctx, out) => {
        const total = { n: ctx.state.totals.get('all')?.n ?? 0 }
        ctx.state.totals.set('all', total)
        total.n += n
        out.collect(total.n)
      }),
      outputs: sums,
    }))

  test('may be changed once it is no more part of the state', () => {
    const make = (): OperatorSpec => {
      let kept: Total | undefined
      return keyed({ total: value<Total>(undefined, { isImmutable: true }) }, ({ n }, ctx, out) => {
        const before = ctx.state.total.get()?.n ?? 0
        if (kept !== undefined) kept.n = -1
        kept = undefined
        const next = { n: before + n }
        ctx.state.total.set(next)
        out.collect(next.n)
      })
    }
    return check({ operator: make, outputs: sums })
  })

  test('that is declared immutable may be replaced', () =>
    check({
      operator: keyed({ total: value((): Total => ({ n: 0 }), { isImmutable: true }) }, ({ n }, ctx, out) => {
        const total = { n: ctx.state.total.get().n + n }
        ctx.state.total.set(total)
        out.collect(total.n)
      }),
      outputs: sums,
    }))

  test('that is declared immutable may not be changed, even if it is set again', () =>
    check({
      operator: keyed({ total: value<Total>(undefined, { isImmutable: true }) }, ({ n }, ctx) => {
        const total = ctx.state.total.get() ?? { n: 0 }
        total.n += n
        ctx.state.total.set(total)
      }),
      failure: stateMutated(
        /^STATE_MUTATED: step "total", state "total": an object was changed in place later: it was \{"n":1\} and is \{"n":3\}; the state is declared with isImmutable, so set a changed copy/,
      ),
    }))

  test('may not be changed in a later call that did not take it from the state', () =>
    check({
      operator: () => {
        let kept: Total | undefined
        return keyed({ total: value<Total>() }, ({ n }, ctx) => {
          if (kept === undefined) {
            kept = { n: 0 }
            ctx.state.total.set(kept)
          }
          kept.n += n
        })
      },
      failure: stateMutated(
        /state "total": an object was changed in place later: it was \{"n":1\} and is \{"n":6\}; snapshots may/,
      ),
    }))

  for (const [kind, state, give] of [
    ['a list', { s: list<Total>({ isImmutable: true }) }, (s: never, total: Total) => (s as Adds).add(total)],
    [
      'a map',
      { s: map<string, Total>({ isImmutable: true }) },
      (s: never, total: Total) => (s as Sets).set('x', total),
    ],
    [
      'an ordered list',
      { s: orderedList<Total>({ isImmutable: true }) },
      (s: never, total: Total) => (s as Ordered).add(1, total),
    ],
    [
      'reducing state',
      { s: reducing<Total>(a => a, { isImmutable: true }) },
      (s: never, t: Total) => (s as Adds).add(t),
    ],
  ] as const) {
    test(`is watched in ${kind} too`, () =>
      check({
        operator: keyed(state as StateDescriptors, ({ n }, ctx) => {
          const total = { n }
          give((ctx.state as Readonly<Record<string, unknown>>).s as never, total)
          total.n = -1
        }),
        failure: kind === 'reducing state' ? stateMutated(/state "s"/) : stateMutated(/state "s".*it was \{"n":1\}/),
      }))
  }

  test('is not watched where the test says so', () =>
    check({
      checkMutations: false,
      operator: keyed({ total: value<Total>(undefined, { isImmutable: true }) }, ({ n }, ctx, out) => {
        const total = ctx.state.total.get() ?? { n: 0 }
        total.n += n
        ctx.state.total.set(total)
        out.collect(total.n)
      }),
      outputs: sums,
      // Which is what goes wrong: the second snapshot does not hold the change.
      snapshots: 'off',
    }))
})

interface Adds {
  add(total: Total): void
}

interface Sets {
  set(key: string, total: Total): void
}

interface Ordered {
  add(timeMs: number, total: Total): void
}

describe('a record', () => {
  const transform = (shape: 'map', run: (row: Row) => unknown): OperatorSpec => ({
    kind: 'transform',
    shape,
    function: run as never,
  })

  test('may be copied and the copy changed', () =>
    check({ operator: transform('map', ({ n }) => ({ n: n + 1 })), outputs: [{ n: 2 }, { n: 3 }, { n: 4 }] }))

  test('may not be changed by who receives it', () =>
    verifyOperator({
      operator: transform('map', row => Object.assign(row, { n: row.n + 1 }).n),
      script: [record({ k: 'a', n: 1 }), end],
      expect: {
        failure: {
          code: 'RECORD_MUTATED',
          message:
            /a record sent over the channel input 0\[0\] -> step\[0\] was changed in place by its receiver: it was \{"k":"a","n":\d\} and is \{"k":"a","n":\d\}; steps share their records/,
        },
      },
    }))

  test('may not be changed by who emitted it', () =>
    check({
      operator: keyed({ total: value((): Total => ({ n: 0 })) }, ({ n }, ctx, out) => {
        const total = ctx.state.total.get()
        total.n += n
        out.collect(total)
      }),
      failure: recordMutated(
        /channel total\[0\] -> output\[0\] was changed in place (by its sender|before it went over total)/,
      ),
    }))
})

describe('a simulated run', () => {
  const graph = (change: (row: Total) => unknown) => {
    const builder = new GraphBuilder()
    const source = builder.addVertex({
      name: 'numbers',
      operator: { kind: 'source', source: valuesSource([{ n: 1 }, { n: 2 }]) },
    })
    const step = builder.addVertex({
      name: 'change',
      operator: { kind: 'transform', shape: 'map', function: change as never },
    })
    step.chaining = 'disabled'
    const sink = builder.addVertex({ name: 'sink', operator: { kind: 'sink', sink: collectingSink().spec } })
    builder.addEdge({ from: source.id, to: step.id })
    builder.addEdge({ from: step.id, to: sink.id })
    return builder.build('mutations', { parallelism: 1 })
  }
  const wrong = (row: Total) => Object.assign(row, { n: row.n + 1 })

  test('finds a record that was changed', () =>
    assert.rejects(simulateRun(graph(wrong), { seed: 1, checkMutations: true }), {
      code: 'RECORD_MUTATED',
      message:
        /channel numbers\[0\] -> change\[0\] was changed in place before it went over change\[0\] -> sink\[0\] as well: it was \{"n":1\} and is \{"n":2\};/,
    }))

  test('that fails because of it says what it failed with as well', () =>
    assert.rejects(
      simulateRun(
        graph(row => {
          wrong(row)
          throw new Error('stop')
        }),
        { seed: 1, checkMutations: true },
      ),
      (error: StreamError) => error.code === 'RECORD_MUTATED' && /stop/.test(String(error.cause)),
    ))

  test('passes where nothing is changed, and does not look unless asked', async () => {
    const right = await simulateRun(
      graph(({ n }) => ({ n: n + 1 })),
      { seed: 1, checkMutations: true },
    )
    const careless = await simulateRun(graph(wrong), { seed: 1 })
    assert.deepEqual([right.result.status, careless.result.status], ['finished', 'finished'])
  })
})
