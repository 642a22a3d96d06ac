// Jobs from which nothing comes out, asked why in virtual time: who holds the watermark, since when, and what would let it go on.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { StreamEnvironment } from '../../src/api/datastream/environment.ts'
import type { DataStream, KeyedStream } from '../../src/api/datastream/streams.ts'
import { globalWindows, slidingWindows, tumblingWindows } from '../../src/api/datastream/window-assigners.ts'
import { afterProcessingTime } from '../../src/api/datastream/window-triggers.ts'
import type { ReadStatus, Source, SplitReader } from '../../src/model/connector.ts'
import type { NoOutput } from '../../src/model/job.ts'
import type { SimulatedJob } from '../../src/testing/simulate.ts'
import { forMonotonousTimestamps, type WatermarkOptions } from '../../src/time/watermark-strategies.ts'
import { SimulatedLauncher } from './support/simulated-launcher.ts'

interface Reading {
  readonly k: string
  readonly at: number
}

/** Each split gives its readings at once and then says nothing any more. */
function silent(splits: Readonly<Record<string, readonly number[]>>): Source<Reading> {
  return {
    splits: () => Object.keys(splits).map(id => ({ id, position: 0 })),
    open: ({ id }): SplitReader<Reading> => {
      let next = 0
      return {
        read: (output): ReadStatus => {
          for (const times = splits[id] ?? []; next < times.length; next++) output.emit({ k: id, at: times[next] ?? 0 })
          return 'waiting'
        },
        position: () => next,
        close: () => {},
      }
    },
  }
}

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
        })
        assert.equal(watermark, 1999)
        assert.match(
          text,
          /step "tumbling\(5000\) reduce" \(subtask \d\): \d windows? (is|are) open; the next fires when the watermark reaches (4999|9999); it is at 1999; split "slow" of step "sensors" \(subtask 0\) holds the watermark at 1999, since 100 of processing time \(60000 ms ago\): a later record of it, its end, or idleTimeoutMs/,
        )
      }
    })
  }

  test('says that time stands still where all is idle', async () => {
    const watermarks = byTime({ idleTimeoutMs: 500 })
    const [found] = await ask(env => env.addSource(silent(SPLITS), { isBounded: false, watermarks }), tumbling)
    assert.equal(found?.hold?.kind, 'idle')
    assert.match(found?.text ?? '', /is idle or has ended: time stands still until something of it goes on/)
  })

  test('without timestamps fails at the first record instead of waiting', async () => {
    const [found] = await ask(
      env => env.addSource(silent(SPLITS), { isBounded: false, hasTimestamps: false }).name('sensors'),
      keyed => keyed.window(slidingWindows(5000, 1000, { time: 'event-time' })).process({ onWindow: () => {} }),
    ).catch((error: Error) => [error])
    assert.match(String(found), /TIMESTAMP_MISSING/)
  })

  test('names a timestamps step, and a time of the clock that a trigger waits for', async () => {
    const [found] = await ask(
      env => env.addSource(silent(SPLITS), { isBounded: false }).assignTimestampsAndWatermarks(byTime()).name('times'),
      keyed =>
        keyed.window(globalWindows(), { trigger: afterProcessingTime({ delayMs: 90_000 }) }).reduce(first => first),
    )
    assert.equal(found?.openWindows, 1)
    assert.equal(found?.hold?.step, 'times')
    assert.match(found?.text ?? '', /the next fires at 90100 of processing time, in 30000 ms/)
  })

  test('speaks of the windows of Storm and of Kafka too', async () => {
    const build = (env: StreamEnvironment) =>
      env.addSource(silent(SPLITS), { isBounded: false, watermarks: byTime() }).name('sensors')
    const [mixed] = await ask(build, keyed =>
      keyed.mixedWindow({ length: 5000, slide: 5000, time: 'event-time' }).reduce(first => first),
    )
    assert.match(
      mixed?.text ?? '',
      /2 windows are open; the next fires when the watermark reaches 5000; .*split "slow"/,
    )
    const [perRecord] = await ask(build, keyed =>
      keyed.perRecordWindow({ timeDifferenceMs: 5000, emit: 'on-close' }).count(),
    )
    assert.match(
      perRecord?.text ?? '',
      /windows? (is|are) open; the next fires when a record comes with a timestamp above/,
    )
  })

  test('has nothing to say where no window is open', async () => {
    assert.deepEqual(
      await ask(env => env.addSource(silent({}), { isBounded: false, watermarks: byTime() }), tumbling),
      [],
    )
  })
})
