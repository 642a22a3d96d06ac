// Joins by time and deduplication as they are written: the steps they add to the graph, and what is refused at the call.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { StreamError } from '../../base/errors.ts'
import { describeGraph } from '../../model/describe.ts'
import { outputTag } from '../../model/output-tag.ts'
import { forMonotonousTimestamps } from '../../time/watermark-strategies.ts'
import { StreamEnvironment } from './environment.ts'
import type { KeyedStream } from './streams.ts'

interface Event {
  readonly id: string
  readonly at: number
}

type Stream = KeyedStream<Event, string>

/** The API as a caller without types sees it. */
interface Untyped {
  readonly [method: string]: (...args: readonly unknown[]) => Untyped
}

function newEnvironment(): StreamEnvironment {
  return new StreamEnvironment({
    defaultParallelism: 2,
    launch: () => assert.fail('nothing may run'),
    explain: graph => ({ text: describeGraph(graph), json: undefined }),
  })
}

function timed(env: StreamEnvironment): Stream {
  return env
    .fromElements<Event>({ id: 'a', at: 1 })
    .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: event => event.at }))
    .keyBy('id')
}

function plain(env: StreamEnvironment): Stream {
  return env.fromElements<Event>({ id: 'a', at: 1 }).keyBy('id')
}

function endless(env: StreamEnvironment): Stream {
  return env
    .generate<Event>(index => ({ id: 'a', at: index }))
    .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: event => event.at }))
    .keyBy('id')
}

/** The message of what the call throws, with the place checked and taken out. */
function refusal(call: (env: StreamEnvironment) => unknown): string {
  try {
    call(newEnvironment())
  } catch (error) {
    assert.ok(error instanceof StreamError, String(error))
    assert.match(error.message, /\(\S*joins\.spec\.ts:\d+\)/)
    return error.message.replace(/ \(\S*joins\.spec\.ts:\d+\)/, '')
  }
  return assert.fail('nothing was thrown')
}

function untyped(stream: unknown): Untyped {
  return stream as Untyped
}

describe('steps', () => {
  test('have two keyed inputs, a description of what they do, and settings as any other', () => {
    const env = newEnvironment()
    const [left, right] = [timed(env), timed(env)]
    left
      .intervalJoin(right)
      .between(-5000, 5000)
      .lowerBoundExclusive()
      .joinType('left')
      .map((a, b) => [a, b])
      .name('pairs')
      .setParallelism(1)
      .print()
    left
      .temporalJoin(right, { type: 'left', bootstrap: true, bootstrapUntilMs: 7, retentionMs: 60_000, join: a => a })
      .print()
    left.deduplicate({ withinMs: 1000, keep: 'last' }).print()
    const lines = env.explain().text.split('\n')
    const steps = lines.filter(line => / keyed-/.test(line)).map(line => line.replace(/^\d+ \S+ /, ''))
    assert.deepEqual(steps, [
      '"pairs" left outer interval join (-5000 ms, 5000 ms] of event time key=id/id parallelism=1/128',
      '"temporal-join" temporal left join of event time, versions valid for 60000 ms key=id/id parallelism=2/128 bootstrap=1 until=7',
      '"deduplicate" deduplication within 1000 ms of event time, keeps the last key=id parallelism=2/128',
    ])
    assert.equal(lines.filter(line => /-> 4:[01] hash\(id\)/.test(line)).length, 2)
  })

  test('of processing time need no timestamps', () => {
    const env = newEnvironment()
    const [left, right] = [plain(env), plain(env)]
    const bounds = [-5, 5] as const
    left
      .intervalJoin(right)
      .inProcessingTime()
      .between(...bounds)
      .map(String)
      .print()
    left
      .intervalJoin(right)
      .between(...bounds)
      .inProcessingTime()
      .map(String)
      .print()
    left.temporalJoin(right, { time: 'processing-time', join: String }).print()
    left.deduplicate({ withinMs: 5, time: 'processing-time' }).print()
    assert.equal(env.explain().text.match(/of processing time/g)?.length, 4)
  })
})

describe('bounds', () => {
  const between = (lower: unknown, upper: unknown, options?: unknown) => (env: StreamEnvironment) =>
    untyped(timed(env).intervalJoin(timed(env)))['between']?.(lower, upper, options)

  test('are whole numbers, the lower one first', () => {
    assert.equal(
      refusal(between(Number.NaN, 5)),
      'OPTION_INVALID: between(NaN, 5): the lower bound is NaN; give a whole number of milliseconds',
    )
    assert.match(refusal(between(0, 0.5)), /the upper bound is 0.5; give a whole number/)
    assert.match(refusal(between(0, undefined)), /the upper bound is undefined/)
    assert.match(refusal(between(5, -5)), /between\(5, -5\): no record lies between the two/)
    assert.match(refusal(between(Infinity, Infinity)), /no record lies between the two/)
  })

  test('must both be there, unless unbounded state is meant', () => {
    assert.equal(
      refusal(between(-Infinity, 5)),
      'STATE_UNBOUNDED: between(-Infinity, 5): without a lower bound every right record is kept for ever; give a lower bound, or say { allowUnboundedState: true } if that is meant',
    )
    assert.match(refusal(between(-5, Infinity)), /without an upper bound every left record is kept for ever/)
    assert.match(refusal(between(0, 1, { allowUnboundedState: 'yes' })), /allowUnboundedState is "yes"/)
    const env = newEnvironment()
    timed(env).intervalJoin(timed(env)).between(-Infinity, Infinity, { allowUnboundedState: true }).map(String).print()
    assert.match(env.explain().text, /interval join \[-Infinity ms, Infinity ms\]/)
  })
})

describe('an interval join', () => {
  test('refuses streams without key, of another environment, and what is no function', () => {
    assert.match(
      refusal(env => untyped(timed(env))['intervalJoin']?.(env.fromElements(1))),
      /OPTION_INVALID: intervalJoin\(\): the other stream has no key; call keyBy\(\) on both/,
    )
    assert.match(
      refusal(env => untyped(timed(env))['intervalJoin']?.(5)),
      /intervalJoin\(\): expected a stream, got 5/,
    )
    assert.match(
      refusal(env => timed(env).intervalJoin(timed(newEnvironment()))),
      /another environment/,
    )
    const joined = (env: StreamEnvironment) => untyped(timed(env).intervalJoin(timed(env)).between(0, 5))
    assert.match(
      refusal(env => joined(env)['map']?.(async () => 1)),
      /USER_FUNCTION_ASYNC: map\(\)/,
    )
    assert.match(
      refusal(env => joined(env)['process']?.(() => 1)),
      /process\(\): expected an object with onPair/,
    )
    assert.match(
      refusal(env => joined(env)['joinType']?.('outer')),
      /the type is "outer"; give 'inner', 'left'/,
    )
    assert.match(
      refusal(env => joined(env)['sideOutputLeftLateData']?.()),
      /make a tag with outputTag/,
    )
  })

  test('refuses event time where one stream has none, and late data where there is none', () => {
    assert.match(
      refusal(env => timed(env).intervalJoin(plain(env)).between(0, 5).map(String)),
      /TIMESTAMP_MISSING: intervalJoin\(\) map\(\): no step before gives the records of one of the two streams timestamps/,
    )
    assert.match(
      refusal(env =>
        timed(env)
          .intervalJoin(timed(env))
          .between(0, 5)
          .sideOutputRightLateData(outputTag('late'))
          .inProcessingTime()
          .map(String),
      ),
      /sideOutputRightLateData is given, but in processing time no record is late/,
    )
  })
})

describe('a temporal join', () => {
  const join =
    (options: unknown, table: (env: StreamEnvironment) => Stream = timed) =>
    (env: StreamEnvironment) =>
      untyped(timed(env))['temporalJoin']?.(table(env), options)

  test('refuses options that are not what they should be', () => {
    const fn = { join: String }
    assert.match(refusal(join(undefined)), /temporalJoin\(\): the options are undefined; give at least \{ join/)
    assert.match(refusal(join({})), /temporalJoin\(\) join: expected a function/)
    assert.match(refusal(join({ ...fn, deleted: true })), /temporalJoin\(\) deleted: expected a function/)
    assert.match(refusal(join({ ...fn, type: 'full' })), /type is "full"; give 'inner' or 'left'/)
    assert.match(refusal(join({ ...fn, time: 'event' })), /time is "event"; give 'event-time' or 'processing-time'/)
    assert.match(refusal(join({ ...fn, retentionMs: -1 })), /retentionMs is -1; give a whole number from 0/)
    assert.match(refusal(join({ ...fn, bootstrap: 1 })), /bootstrap is 1; give true or false/)
    assert.match(refusal(join({ ...fn, bootstrapUntilMs: 5 })), /without bootstrap: true/)
    assert.match(refusal(join({ ...fn, bootstrap: true, bootstrapUntilMs: Number.NaN })), /bootstrapUntilMs is NaN/)
    assert.match(refusal(join({ ...fn, sideOutputLateData: 'late' })), /sideOutputLateData is "late"; make a tag/)
    assert.match(refusal(join(fn, plain)), /TIMESTAMP_MISSING: temporalJoin\(\)/)
  })

  test('refuses an endless table of which nothing lets go', () => {
    assert.equal(
      refusal(join({ join: String }, endless)),
      'STATE_UNBOUNDED: temporalJoin(): the table has no end, so that a version of every key that ever came is kept for ever; give retentionMs (how long a version is valid) or deleted (which records delete one), or say { allowUnboundedState: true } if that is meant',
    )
    for (const bound of [{ retentionMs: 5 }, { deleted: () => false }, { allowUnboundedState: true }]) {
      join({ join: String, ...bound }, endless)(newEnvironment())
    }
  })

  test('refuses to read a table first that never ends, when the graph is built', () => {
    const env = newEnvironment()
    timed(env).temporalJoin(endless(env), { retentionMs: 5, bootstrap: true, join: String }).print()
    assert.throws(() => env.explain(), { code: 'GRAPH_INVALID', message: /reads input 1 first, but nothing says that/ })
  })
})

describe('deduplication', () => {
  const deduplicate = (options: unknown) => (env: StreamEnvironment) => untyped(timed(env))['deduplicate']?.(options)

  test('refuses options that are not what they should be', () => {
    assert.match(refusal(deduplicate({ withinMs: -1 })), /deduplicate\(\): withinMs is -1; give a whole number from 0/)
    assert.match(refusal(deduplicate({ withinMs: Number.NaN })), /withinMs is NaN/)
    assert.match(refusal(deduplicate({ withinMs: 5, keep: 'all' })), /keep is "all"; give 'first' or 'last'/)
    assert.match(refusal(deduplicate({ withinMs: 5, sideOutputDuplicates: 'x' })), /sideOutputDuplicates is "x"/)
    assert.match(
      refusal(deduplicate({ withinMs: 5, time: 'processing-time', sideOutputLateData: outputTag('late') })),
      /in processing time no record is late/,
    )
    assert.match(
      refusal(env => plain(env).deduplicate({ withinMs: 5 })),
      /TIMESTAMP_MISSING: deduplicate\(\)/,
    )
  })

  test('refuses to remember every key for ever, unless that is meant', () => {
    for (const options of [undefined, {}, { withinMs: Infinity }]) {
      assert.match(
        refusal(deduplicate(options)),
        /STATE_UNBOUNDED: deduplicate\(\): without a time every key that ever came is kept for ever; give withinMs/,
      )
    }
    deduplicate({ allowUnboundedState: true })(newEnvironment())
  })
})

test('a keyed function cannot move its watermark ahead', () => {
  assert.match(
    refusal(env => untyped(timed(env))['process']?.({ onRecord() {}, watermarkDelayMs: -1 })),
    /process\(\): watermarkDelayMs is -1; give milliseconds from 0/,
  )
})
