// The aggregations that keyed and windowed streams share: both have each of them, under the same name, with the same checks.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { describeGraph } from '../../model/describe.ts'
import { DataStreamNode } from './data-stream.ts'
import { StreamEnvironment } from './environment.ts'
import { KeyedStreamNode } from './keyed-stream.ts'
import type { Aggregations, DataStream } from './streams.ts'

interface Sale {
  readonly city: string
  readonly euros: number
}

const CALLS: Readonly<Record<string, (stream: Aggregations<Sale>) => DataStream<unknown>>> = {
  'sum(euros)': stream => stream.sum('euros'),
  'min(euros)': stream => stream.min('euros'),
  'max(euros)': stream => stream.max('euros'),
  'minBy(euros)': stream => stream.minBy('euros'),
  'maxBy(euros)': stream => stream.maxBy('euros'),
  count: stream => stream.count(),
  'avg(euros)': stream => stream.avg('euros'),
  'topN(3 by euros)': stream => stream.topN(3, { by: 'euros' }),
  'topN(2)': stream => stream.topN(2, { by: sale => sale.euros, order: 'ascending' }),
  'distinctCount(city)': stream => stream.distinctCount('city', { valuesMax: 10 }),
  'quantiles(euros)': stream => stream.quantiles('euros', [0.5]),
  reduce: stream => stream.reduce((_, later) => later),
  aggregate: stream =>
    stream.aggregate({ create: () => 0, add: n => n + 1, merge: (a, b) => a + b, result: n => n, retract: n => n - 1 }),
}

function environment(): StreamEnvironment {
  return new StreamEnvironment({
    defaultParallelism: 1,
    launch: () => assert.fail('nothing may run'),
    explain: graph => ({ text: describeGraph(graph), json: undefined }),
  })
}

const byCity = (env: StreamEnvironment) => env.fromElements<Sale>({ city: 'Cork', euros: 5 }).keyBy('city')

describe('aggregations', () => {
  for (const [name, call] of Object.entries(CALLS)) {
    test(`${name} is a rolling step of a keyed stream and the function of a window`, () => {
      const env = environment()
      call(byCity(env)).print()
      call(byCity(env).countWindow(3)).print()
      const names = env
        .explain()
        .text.split('\n')
        .filter(line => /rolling|window/.test(line))
        .map(line => line.match(/"(.*?)"/)?.[1])
      assert.equal(names.length, 2)
      assert.equal(names[0], name)
      assert.ok(names[1]?.endsWith(` ${name}`), names[1])
    })
  }

  test('check their arguments at the call, with its place', () => {
    const stream = byCity(environment()) as unknown as Record<string, (...given: unknown[]) => unknown>
    for (const name of ['sum', 'minBy', 'avg', 'distinctCount', 'quantiles']) {
      assert.throws(
        () => stream[name]?.(''),
        new RegExp(`OPTION_INVALID: ${name}\\(\\) \\(.*field-aggregations.spec.ts:\\d+\\): the field is ""`),
      )
    }
    assert.throws(() => stream.topN?.(0, { by: 'euros' }), /OPTION_INVALID: topN\(\): the number of records is 0/)
    assert.throws(() => stream.quantiles?.('euros', [2]), /OPTION_INVALID: quantiles\(euros\): a fraction is 2/)
    const half = { create: () => 0, add: () => 0, merge: () => 0, result: () => 0, retract: 1 }
    assert.throws(() => stream.aggregate?.(half), /OPTION_INVALID: aggregate\(\): retract .*expected a function, got 1/)
  })

  test('are not what a stream without keys has, though a keyed stream is one', () => {
    const keyed = byCity(environment())
    assert.ok(keyed instanceof DataStreamNode)
    assert.ok(keyed instanceof KeyedStreamNode)
    assert.ok(!('sum' in keyed.map(sale => sale)))
  })
})
