// perRecordWindow() as its callers see it: the step it adds, and what it refuses.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { describeGraph } from '../../model/describe.ts'
import { outputTag } from '../../model/output-tag.ts'
import { forMonotonousTimestamps } from '../../time/watermark-strategies.ts'
import { StreamEnvironment } from './environment.ts'
import type { PerRecordWindowOptions } from './per-record-window-options.ts'
import type { PerRecordWindowedStream } from './streams.ts'

interface Click {
  readonly user: string
  readonly at: number
}

function graphOf(build: (windowed: PerRecordWindowedStream<Click, string>) => void): string {
  const env = new StreamEnvironment({
    defaultParallelism: 1,
    launch: () => assert.fail('nothing may run'),
    explain: graph => ({ text: describeGraph(graph), json: undefined }),
  })
  build(windowed(env, { timeDifferenceMs: 5000, graceMs: 100 }))
  return env.explain().text
}

function windowed(env: StreamEnvironment, options: PerRecordWindowOptions) {
  return env
    .fromElements<Click>({ user: 'ann', at: 1 })
    .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: click => click.at }))
    .keyBy('user')
    .perRecordWindow(options)
}

function environment(): StreamEnvironment {
  const nothing = () => assert.fail('nothing may run')
  return new StreamEnvironment({ defaultParallelism: 1, launch: nothing, explain: nothing })
}

describe('a per-record window', () => {
  test('is one step, whatever is computed', () => {
    const cases: readonly (readonly [string, (stream: PerRecordWindowedStream<Click, string>) => void])[] = [
      ['count', stream => stream.count().print()],
      ['sum(at)', stream => stream.sum('at').print()],
      ['min(at)', stream => stream.min('at').print()],
      ['max(at)', stream => stream.max('at').print()],
      ['reduce', stream => stream.reduce((_, last) => last).print()],
      [
        'aggregate',
        stream =>
          stream.aggregate({ create: () => 0, add: (n: number) => n + 1, merge: a => a, result: n => n }).print(),
      ],
    ]
    for (const [name, build] of cases) {
      const text = `"per-record-window(5000) ${name}" per-record window 5000 ms of stream time, on update, grace 100 ms key=user`
      assert.ok(graphOf(build).includes(text), graphOf(build))
    }
  })

  test('sends late records to a side output', () => {
    const late = outputTag<Click>('late')
    const graph = graphOf(stream => stream.sideOutputLateData(late).count().sideOutput(late).print())
    assert.match(graph, /tag=late/)
  })

  test('refuses times that are not whole or negative, and another way to emit', () => {
    const bad: readonly (readonly [Partial<Record<keyof PerRecordWindowOptions, unknown>>, RegExp])[] = [
      [{ timeDifferenceMs: -1 }, /timeDifferenceMs is -1; give a whole number from 0/],
      [{ timeDifferenceMs: undefined }, /timeDifferenceMs is undefined/],
      [{ graceMs: 0.5 }, /graceMs is 0.5/],
      [{ emit: 'never' }, /give 'on-update' or 'on-close'/],
      [{ recordsMax: 0 }, /recordsMax is 0/],
    ]
    for (const [change, message] of bad) {
      const options = { timeDifferenceMs: 5, ...change } as PerRecordWindowOptions
      assert.throws(() => windowed(environment(), options), { code: 'OPTION_INVALID', message })
    }
    assert.throws(() => windowed(environment(), 5 as never), { code: 'OPTION_INVALID' })
  })

  test('refuses what is no function, field or tag', () => {
    const stream = windowed(environment(), { timeDifferenceMs: 5 })
    assert.throws(() => stream.reduce(1 as never), { code: 'OPTION_INVALID' })
    assert.throws(() => stream.aggregate({} as never), { code: 'OPTION_INVALID' })
    assert.throws(() => stream.sum('' as never), { code: 'OPTION_INVALID' })
    assert.throws(() => stream.sideOutputLateData(undefined as never), { code: 'OPTION_INVALID' })
  })
})
