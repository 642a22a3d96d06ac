// mixedWindow() as its callers see it: the step it adds, what it refuses, and whole jobs.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { describeGraph } from '../../model/describe.ts'
import { records } from '../../model/mixed-window-spec.ts'
import { outputTag } from '../../model/output-tag.ts'
import { forMonotonousTimestamps } from '../../time/watermark-strategies.ts'
import { StreamEnvironment } from './environment.ts'
import type { MixedWindowOptions } from './mixed-window-options.ts'

interface Click {
  readonly user: string
  readonly at: number
}

function graphOf(build: (env: StreamEnvironment) => void): string {
  const env = new StreamEnvironment({
    defaultParallelism: 1,
    launch: () => assert.fail('nothing may run'),
    explain: graph => ({ text: describeGraph(graph), json: undefined }),
  })
  build(env)
  return env.explain().text
}

function clicks(env: StreamEnvironment) {
  return env.fromElements<Click>({ user: 'ann', at: 1 })
}

function timed(env: StreamEnvironment) {
  return clicks(env).assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: click => click.at }))
}

describe('a mixed window', () => {
  test('is one step, named after its length and slide', () => {
    const graph = graphOf(env =>
      timed(env)
        .keyBy('user')
        .mixedWindow({ length: records(5), slide: 1000, lagMs: 10 })
        .process(() => {})
        .print(),
    )
    assert.match(
      graph,
      /"mixed-window\(5 records, 1000\) process" mixed window of 5 records every 1000 ms, event time, lag 10 ms key=user/,
    )
  })

  test('goes by event time where the stream has timestamps, unless told otherwise', () => {
    const textOf = (options: MixedWindowOptions, isTimed: boolean): string =>
      graphOf(env =>
        (isTimed ? timed(env) : clicks(env))
          .keyBy('user')
          .mixedWindow(options)
          .reduce((_, last) => last)
          .print(),
      )
    const options = { length: 20, slide: records(2) }
    assert.match(textOf(options, true), /every 2 records, event time/)
    assert.match(textOf(options, false), /every 2 records, processing time/)
    assert.match(textOf({ ...options, time: 'processing-time' }, true), /every 2 records, processing time/)
  })

  test('refuses what is no length, slide or time', () => {
    const bad: readonly (readonly [Partial<Record<keyof MixedWindowOptions, unknown>>, RegExp])[] = [
      [{ length: 0 }, /the length in milliseconds .* is 0; give a whole number from 1/],
      [{ length: '5' }, /the length in milliseconds/],
      [{ length: { records: 0 } }, /the length in records is 0/],
      [{ slide: 2.5 }, /the slide in milliseconds/],
      [{ slide: undefined }, /the slide in milliseconds/],
      [{ slide: 21 }, /the slide of 21 ms is above the length of 20 ms/],
      [{ time: 'ingestion-time' }, /give 'event-time' or 'processing-time'/],
      [{ lagMs: -1 }, /lagMs is -1/],
      [{ lagMs: 1, time: 'processing-time' }, /leave lagMs out/],
      [{ recordsMax: 0 }, /recordsMax is 0/],
    ]
    for (const [change, message] of bad) {
      const options = { length: 20, slide: 10, time: 'event-time', ...change } as MixedWindowOptions
      assert.throws(() => clicks(environment()).keyBy('user').mixedWindow(options), { code: 'OPTION_INVALID', message })
    }
    assert.throws(
      () =>
        clicks(environment())
          .keyBy('user')
          .mixedWindow(5 as never),
      { code: 'OPTION_INVALID' },
    )
    assert.throws(() => records(0), { code: 'OPTION_INVALID', message: /records\(0\)/ })
  })

  test('refuses what is no function, and late records in processing time', () => {
    const windowed = clicks(environment()).keyBy('user').mixedWindow({ length: 20, slide: 10 })
    assert.throws(() => windowed.process(undefined as never), { code: 'OPTION_INVALID' })
    assert.throws(() => windowed.process((async () => {}) as never), { code: 'USER_FUNCTION_ASYNC' })
    assert.throws(() => windowed.reduce(1 as never), { code: 'OPTION_INVALID' })
    assert.throws(() => windowed.aggregate({} as never), { code: 'OPTION_INVALID' })
    assert.throws(() => windowed.sideOutputLateData(outputTag<Click>('late')), { code: 'OPTION_INVALID' })
    const eventTime = timed(environment()).keyBy('user').mixedWindow({ length: 20, slide: 10 })
    assert.throws(() => eventTime.sideOutputLateData({ id: '' } as never), { code: 'OPTION_INVALID' })
    assert.match(
      graphOf(env => {
        const late = outputTag<Click>('late')
        const results = timed(env)
          .keyBy('user')
          .mixedWindow({ length: 20, slide: 10 })
          .sideOutputLateData(late)
          .reduce((_, last) => last)
        results.sideOutput(late).print()
      }),
      /tag=late/,
    )
  })
})

function environment(): StreamEnvironment {
  const nothing = () => assert.fail('nothing may run')
  return new StreamEnvironment({ defaultParallelism: 1, launch: nothing, explain: nothing })
}
