// Jobs from which nothing comes out, asked why in virtual time: who holds the watermark, since when, and what would let it go on.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { StreamEnvironment } from '../../src/api/datastream/environment.ts'
import type { DataStream, KeyedStream } from '../../src/api/datastream/streams.ts'
import {
  globalWindows,
  sessionWindows,
  slidingWindows,
  tumblingWindows,
} from '../../src/api/datastream/window-assigners.ts'
import {
  afterCount,
  afterProcessingTime,
  afterWatermark,
  repeatedly,
} from '../../src/api/datastream/window-triggers.ts'
import type { ReadStatus, Source, SplitReader } from '../../src/model/connector.ts'
import type { TimerService } from '../../src/model/functions.ts'
import type { NoOutput } from '../../src/model/job.ts'
import type { SimulatedJob } from '../../src/testing/simulate.ts'
import { forMonotonousTimestamps, type WatermarkOptions } from '../../src/time/watermark-strategies.ts'
import { SimulatedLauncher } from './support/simulated-launcher.ts'

interface Reading {
  readonly k: string
  readonly at: number
}

/** Each split gives its readings at once and then says nothing any more. */
function silent(splits: Readonly<Record<string, readonly number[]>>, isStamped = false): Source<Reading> {
  return {
    splits: () => Object.keys(splits).map(id => ({ id, position: 0 })),
    open: ({ id }): SplitReader<Reading> => {
      let next = 0
      return {
        read: (output): ReadStatus => {
          for (const at of (splits[id] ?? []).slice(next)) {
            next++
            if (!output.emit({ k: id, at }, isStamped ? at : undefined)) return 'more'
          }
          return 'waiting'
        },
        position: () => next,
        close: () => {},
      }
    },
  }
}

const UNENDING = new Promise<never>(() => {})
const MANY = Array.from({ length: 100_000 }, (_, i) => i)
const SPLITS = { fast: [1000, 9000], slow: [2000] }
const byTime = (options: WatermarkOptions<Reading> = {}) =>
  forMonotonousTimestamps<Reading>({ timestamp: ({ at }) => at, ...options })

/** Runs the job for 60 s of virtual time from 100 on, and asks it. */
async function ask(
  build: (env: StreamEnvironment) => DataStream<Reading>,
  windows: (keyed: KeyedStream<Reading, string>) => DataStream<unknown>,
  parallelism = 1,
): Promise<readonly NoOutput[]> {
  let found: readonly NoOutput[] = []
  const onStart = (job: SimulatedJob): void => {
    job.clock.sleep(60_000).then(() => {
      found = job.explainNoOutput()
      job.cancel()
    })
  }
  const env = new StreamEnvironment(new SimulatedLauncher(parallelism, { seed: 5, startMs: 100, onStart }))
  windows(build(env).keyBy('k')).addSink(() => {})
  await env.execute('silent')
  return found
}

const tumbling = (keyed: KeyedStream<Reading, string>) => keyed.window(tumblingWindows(5000)).reduce(first => first)

describe('a job whose windows do not fire', () => {
  for (const parallelism of [1, 2]) {
    test(`names the split that holds the watermark, at parallelism ${parallelism}`, async () => {
      const found = await ask(
        env =>
          env.addSource(silent(SPLITS), { isBounded: false, parallelismMax: 1, watermarks: byTime() }).name('sensors'),
        tumbling,
        parallelism,
      )
      assert.ok(found.length >= 1)
      for (const { hold, text, watermark } of found) {
        assert.deepEqual(hold, {
          kind: 'split',
          step: 'sensors',
          subtaskIndex: 0,
          split: 'slow',
          watermark: 1999,
          sinceMs: 100,
          mayBeIdle: false,
        })
        assert.equal(watermark, 1999)
        assert.match(
          text,
          /step "tumbling\(5000\) reduce" \(subtask \d\): \d windows? (is|are) waiting; the next fires when the watermark reaches (4999|9999); it is at 1999; split "slow" of step "sensors" \(subtask 0\) holds the watermark at 1999, since 100 of processing time \(60000 ms ago\): a later record of it, its end, or an idleTimeoutMs in its strategy lets it go on/,
        )
      }
    })
  }

  test('says that time stands still where all is idle', async () => {
    const watermarks = byTime({ idleTimeoutMs: 500 })
    const [found] = await ask(
      env => env.addSource(silent(SPLITS), { isBounded: false, watermarks }).name('sensors'),
      tumbling,
    )
    assert.deepEqual(found?.hold, { kind: 'idle', step: 'sensors', subtaskIndex: 0, splits: ['fast', 'slow'] })
    assert.match(
      found?.text ?? '',
      /each split of step "sensors" \(subtask 0\) \(fast, slow\) is idle or has ended: time stands still until/,
    )
  })

  test('does not advise an idle time-out that is set already', async () => {
    const watermarks = byTime({ idleTimeoutMs: 90_000 })
    const [found] = await ask(env => env.addSource(silent(SPLITS), { isBounded: false, watermarks }), tumbling)
    assert.match(found?.text ?? '', /its end, or being without records for its idleTimeoutMs lets it go on/)
  })

  test('without timestamps fails at the first record instead of waiting', async () => {
    const [found] = await ask(
      env => env.addSource(silent(SPLITS), { isBounded: false, hasTimestamps: false }).name('sensors'),
      keyed => keyed.window(slidingWindows(5000, 1000, { time: 'event-time' })).process({ onWindow: () => {} }),
    ).catch((error: Error) => [error])
    assert.match(String(found), /TIMESTAMP_MISSING/)
  })

  test('names a timestamps step', async () => {
    const [found] = await ask(
      env => env.addSource(silent(SPLITS), { isBounded: false }).assignTimestampsAndWatermarks(byTime()).name('times'),
      keyed => keyed.window(tumblingWindows(20_000)).reduce(first => first),
    )
    assert.deepEqual([found?.hold?.kind, found?.hold?.step], ['split', 'times'])
  })

  test('names the time of the clock that a trigger waits for, and nobody who holds the watermark', async () => {
    const [found] = await ask(
      env => env.addSource(silent(SPLITS), { isBounded: false, watermarks: byTime() }),
      keyed =>
        keyed.window(globalWindows(), { trigger: afterProcessingTime({ delayMs: 90_000 }) }).reduce(first => first),
    )
    assert.equal(found?.count, 2)
    assert.deepEqual([found?.nextTimeMs, found?.nextProcessingTimeMs, found?.hold], [undefined, 90_100, undefined])
    assert.match(found?.text ?? '', /2 windows are waiting; the next fires at 90100 of processing time, in 30000 ms$/)
  })

  test('announces a window of processing time for the moment at which it is over', async () => {
    const [found] = await ask(
      env => env.addSource(silent(SPLITS), { isBounded: false }),
      keyed => keyed.window(tumblingWindows(100_000, { time: 'processing-time' })).reduce(first => first),
    )
    assert.deepEqual([found?.nextTimeMs, found?.nextProcessingTimeMs, found?.hold], [undefined, 100_000, undefined])
  })

  test('speaks of the windows of Storm and of Kafka too', async () => {
    const build = (env: StreamEnvironment) =>
      env.addSource(silent(SPLITS), { isBounded: false, watermarks: byTime() }).name('sensors')
    const [mixed] = await ask(build, keyed =>
      keyed.mixedWindow({ length: 5000, slide: 5000, time: 'event-time' }).reduce(first => first),
    )
    assert.match(
      mixed?.text ?? '',
      /2 windows are waiting; the next fires when the watermark reaches 5000; .*split "slow"/,
    )
    const [perRecord] = await ask(build, keyed =>
      keyed.perRecordWindow({ timeDifferenceMs: 5000, emit: 'on-close' }).count(),
    )
    assert.match(
      perRecord?.text ?? '',
      /windows? (is|are) waiting; the next fires when a record comes with a timestamp above/,
    )
  })

  test('names the step that has no room, not the split behind it', async () => {
    const [found] = await ask(env => {
      const sensors = env.addSource(silent({ all: MANY }), { isBounded: false, watermarks: byTime() }).name('sensors')
      sensors.mapAsync(() => UNENDING, { capacity: 1, timeoutMs: Infinity }).addSink(() => {})
      return sensors
    }, tumbling)
    assert.deepEqual(found?.hold, { kind: 'back-pressure', step: 'sensors', subtaskIndex: 0 })
    assert.match(found?.text ?? '', /step "sensors" \(subtask 0\) has no room for its output/)
  })

  for (const slices of ['shared', 'separate'] as const) {
    test(`names the windows themselves where they have no room, slices ${slices}`, async () => {
      const keys = Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`k${n}`, [1000, 9000]]))
      const [found] = await ask(
        env => env.addSource(silent(keys), { isBounded: false, watermarks: byTime() }),
        keyed =>
          keyed
            .window(slidingWindows(2000, 1000), { slices })
            .count()
            .name('counts')
            .mapAsync(() => UNENDING, { capacity: 1, timeoutMs: Infinity }),
      )
      assert.ok(found !== undefined && found.count > 10_000, `${found?.count} wait`)
      assert.deepEqual([found.hold?.kind, found.hold?.step, found.nextTimeMs], ['back-pressure', 'counts', 1999])
    })
  }

  test('names asynchronous calls that do not end', async () => {
    const [found] = await ask(
      env =>
        env
          .addSource(silent({ all: [1000, 9000] }), { isBounded: false, watermarks: byTime() })
          .mapAsync(record => (record.at < 9000 ? record : UNENDING), { timeoutMs: Infinity })
          .name('calls'),
      tumbling,
    )
    assert.deepEqual(found?.hold, { kind: 'async', step: 'calls', subtaskIndex: 0 })
  })

  test('names the group that an aligned split waits for', async () => {
    const watermarks = byTime({ alignment: { group: 'shop', maxDriftMs: 100 } })
    const [found] = await ask(env => {
      env.addSource(silent({ slow: [2000] }), { isBounded: false, watermarks }).addSink(() => {})
      return env.addSource(silent({ fast: [1000, 9000] }), { isBounded: false, watermarks }).name('fast')
    }, tumbling)
    assert.equal(found?.watermark, 8999)
    assert.equal(found?.hold?.kind === 'split' && found.hold.alignmentGroup, 'shop')
    assert.match(
      found?.text ?? '',
      /split "fast" .* is not read until the others of alignment group "shop" have caught/,
    )
  })

  test('names a step that holds time back for results of an earlier time', async () => {
    const [, found] = await ask(
      env =>
        env
          .addSource(silent({ all: [100, 4000] }), { isBounded: false, watermarks: byTime() })
          .keyBy('k')
          .window(tumblingWindows(5000), {
            trigger: afterWatermark({ early: repeatedly(afterCount(1)) }),
            timestampCombiner: 'earliest',
          })
          .reduce(first => first)
          .name('early'),
      keyed => keyed.window(tumblingWindows(1000)).reduce(first => first),
    )
    assert.deepEqual([found?.nextTimeMs, found?.watermark], [999, 99])
    assert.deepEqual(found?.hold, { kind: 'results', step: 'early', subtaskIndex: 0 })
  })

  const readings = (env: StreamEnvironment, times: readonly number[]) =>
    env.addSource(silent({ all: times }), { isBounded: false, watermarks: byTime() })

  test('names a join that still reads its table', async () => {
    const [found] = await ask(env => {
      const table = readings(env, [10]).keyBy('k')
      const enriched = readings(env, [1500])
        .keyBy('k')
        .temporalJoin(table, { bootstrap: true, bootstrapUntilMs: 5000, retentionMs: 9, join: a => a })
      return readings(env, [1000, 9000]).union(enriched.name('enrich'))
    }, tumbling)
    assert.deepEqual(found?.hold, { kind: 'bootstrap', step: 'enrich', subtaskIndex: 0 })
  })

  test('names a loop in which records still are at the end of its input', async () => {
    const [found] = await ask(env => {
      const ended = env.fromElements({ k: 'a', at: 1500 }).assignTimestampsAndWatermarks(byTime())
      const looping = ended.iterate(loop => ({
        feedback: loop.mapAsync(() => UNENDING, { timeoutMs: Infinity }),
        output: loop,
      }))
      return readings(env, [1000, 9000]).union(looping)
    }, tumbling)
    assert.equal(found?.hold?.kind, 'loop')
    assert.match(found?.text ?? '', /waits for records that still go round its loop$/)
  })

  test('names a source without watermarks', async () => {
    const [found] = await ask(
      env =>
        env.addSource(silent({ all: [1000, 9000] }, true), { isBounded: false, hasTimestamps: true }).name('sensors'),
      tumbling,
    )
    assert.deepEqual(found?.hold, { kind: 'none', step: 'sensors', subtaskIndex: 0 })
  })

  test('has nothing to say where no window is open', async () => {
    assert.deepEqual(
      await ask(env => env.addSource(silent({}), { isBounded: false, watermarks: byTime() }), tumbling),
      [],
    )
  })
})

describe('what waits', () => {
  const found = (times: readonly number[], windows: (keyed: KeyedStream<Reading, string>) => DataStream<unknown>) =>
    ask(env => env.addSource(silent({ all: times }), { isBounded: false, watermarks: byTime() }), windows)

  test('a window that is kept for late records only does not', async () => {
    const late = await found([100, 1500], keyed =>
      keyed.window(tumblingWindows(1000), { allowedLatenessMs: 5000 }).reduce(first => first),
    )
    assert.deepEqual(
      late.map(({ count, nextTimeMs }) => [count, nextTimeMs]),
      [[1, 1999]],
    )
  })

  test('a window whose early panes gave all it holds does not, once it has ended', async () => {
    const options = { trigger: afterWatermark({ early: repeatedly(afterCount(1)) }), allowedLatenessMs: 5000 }
    const nextOf = async (onTimePane: 'always' | 'if-not-empty') => {
      const [early] = await found([100, 1500], keyed =>
        keyed.window(tumblingWindows(1000), { ...options, onTimePane }).reduce(first => first),
      )
      return [early?.count, early?.nextTimeMs]
    }
    assert.deepEqual(await nextOf('always'), [1, 1999])
    assert.deepEqual(await nextOf('if-not-empty'), [1, undefined])
  })

  test('a window that is kept for late records does, where a final pane always comes', async () => {
    const [last] = await found([100, 6500], keyed =>
      keyed.window(tumblingWindows(1000), { allowedLatenessMs: 9000, finalPane: 'always' }).reduce(first => first),
    )
    assert.deepEqual([last?.count, last?.nextTimeMs], [2, 6999])
    const [kept] = await found([100, 6500], keyed =>
      keyed.window(tumblingWindows(1000), { allowedLatenessMs: 5800, finalPane: 'always' }).reduce(first => first),
    )
    assert.deepEqual([kept?.count, kept?.nextTimeMs], [2, 6799])
  })

  test('a window whose trigger finished does not', async () => {
    const [counted] = await found([100, 200, 1500], keyed =>
      keyed.window(tumblingWindows(1000), { trigger: afterCount(2) }).reduce(first => first),
    )
    assert.deepEqual([counted?.count, counted?.nextTimeMs], [1, 1999])
  })

  test('a session that grew is announced for its end, not for that which it had first', async () => {
    const session = await found([100, 500, 900], keyed => keyed.window(sessionWindows(1000)).reduce(first => first))
    assert.deepEqual(
      session.map(({ count, nextTimeMs }) => [count, nextTimeMs]),
      [[1, 1899]],
    )
  })

  test('a trigger that only counts is announced for no time', async () => {
    const [counting] = await found([100], keyed =>
      keyed
        .window(tumblingWindows(1000), { trigger: repeatedly(afterCount(3)), finalPane: 'never' })
        .reduce(first => first),
    )
    assert.deepEqual([counting?.nextTimeMs, counting?.hold], [undefined, undefined])
    assert.match(
      counting?.text ?? '',
      /1 window is waiting; nothing fires by time: records do, or the end of the input where a final pane is due$/,
    )
  })

  // Keys a, b, c with one record each at 500: however windows are kept, three of them (or six that overlap) wait.
  const everyKey = { a: [500], b: [500], c: [500] }
  const kept: Readonly<Record<string, [number, (keyed: KeyedStream<Reading, string>) => DataStream<unknown>]>> = {
    tumbling: [3, keyed => keyed.window(tumblingWindows(1000)).reduce(first => first)],
    session: [3, keyed => keyed.window(sessionWindows(1000)).reduce(first => first)],
    'sliding, slices shared': [6, keyed => keyed.window(slidingWindows(1000, 500)).count()],
    'sliding, each window for itself': [
      6,
      keyed => keyed.window(slidingWindows(1000, 500), { slices: 'separate' }).count(),
    ],
  }
  for (const [name, [count, windows]] of Object.entries(kept)) {
    test(`is counted per key: ${name}`, async () => {
      const source = silent(everyKey)
      const [all] = await ask(env => env.addSource(source, { isBounded: false, watermarks: byTime() }), windows)
      assert.equal(all?.count, count)
    })
  }

  test('timers of a function do too, but not those that it deleted', async () => {
    const onRecord = (_: Reading, { timers }: { readonly timers: TimerService }): void => {
      for (const timeMs of [5000, 6000]) timers.registerEventTimeTimer(timeMs)
      timers.deleteEventTimeTimer(6000)
      timers.registerProcessingTimeTimer(80_000)
    }
    const [timers] = await found([2000], keyed => keyed.process({ onRecord, onTimer: () => {} }))
    assert.deepEqual([timers?.waiting, timers?.count, timers?.nextTimeMs], ['timers', 2, 5000])
    assert.equal(timers?.nextProcessingTimeMs, 80_000)
    assert.match(
      timers?.text ?? '',
      /2 timers are waiting; the next fires when the watermark reaches 5000; .* split "all"/,
    )
  })
})
