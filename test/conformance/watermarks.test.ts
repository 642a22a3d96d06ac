// Watermarks in whole jobs, under many orders of steps: after each record, per split, and aligned over several sources.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { StreamEnvironment } from '../../src/api/datastream/environment.ts'
import { Prng } from '../../src/base/prng.ts'
import type { Source } from '../../src/model/connector.ts'
import type { Collector } from '../../src/model/functions.ts'
import type { SimulateOptions } from '../../src/testing/simulate.ts'
import {
  forBoundedOutOfOrderness,
  forGenerator,
  forMonotonousTimestamps,
  type WatermarkOptions,
} from '../../src/time/watermark-strategies.ts'
import { underSeeds } from './support/seeds.ts'
import { SimulatedLauncher } from './support/simulated-launcher.ts'

const FILE = 'test/conformance/watermarks.test.ts'
const SEEDS = 60

interface Reading {
  readonly split: number
  readonly at: number
}

/** When (processing time) and what a split gives; the split ends after the last of them. */
type Schedule = readonly { readonly dueMs: number; readonly at: number }[]

/** Called for each record as it is read. */
type OnRead = (reading: Reading, nowMs: number) => void

function splitSource(schedules: readonly Schedule[], onRead: OnRead = () => {}, firstSplit = 0): Source<Reading> {
  return {
    splits: () => schedules.map((_, index) => ({ id: `split ${firstSplit + index}`, position: 0 })),
    open: ({ id }, { clock }) => {
      const split = Number(id.slice(6))
      const schedule = schedules[split - firstSplit] as Schedule
      let next = 0
      const isDue = (): boolean => (schedule[next]?.dueMs ?? Infinity) <= clock.now()
      return {
        read(output) {
          while (isDue()) {
            const reading = { split, at: schedule[next++]?.at as number }
            onRead(reading, clock.now())
            if (!output.emit(reading)) break
          }
          if (next === schedule.length) return 'end'
          return isDue() ? 'more' : 'waiting'
        },
        get wakeAtMs() {
          return schedule[next]?.dueMs
        },
        position: () => next,
        close: () => {},
      }
    },
  }
}

function environmentOf(seed: number, parallelism: number, options: Partial<SimulateOptions> = {}) {
  const launcher = new SimulatedLauncher(parallelism, { seed, stepsMax: 200_000, ...options })
  return { launcher, env: new StreamEnvironment(launcher) }
}

/** Reading times of one split: in order but for an out-of-orderness of up to `jitterMs`. */
function randomSchedule(prng: Prng, records: number, stepMs: number, jitterMs: number): Schedule {
  let at = 0
  let dueMs = 0
  return Array.from({ length: records }, () => {
    at += prng.below(stepMs) + 1
    dueMs += prng.below(4) === 0 ? prng.below(50) : 0
    return { dueMs, at: at + prng.below(jitterMs + 1) }
  })
}

describe('a watermark after each record', () => {
  /** What a keyed step sees, in order: records, and timers that were set two ahead of them. */
  async function seen(
    seed: number,
    ats: readonly number[],
    split: 'chained' | 'exchanged' | 'flat',
  ): Promise<string[]> {
    const { env } = environmentOf(seed, 1, { channelCapacityRecords: 3 })
    const log: string[] = []
    const strategy = forMonotonousTimestamps<number>({ timestamp: at => at, emit: 'per-record' })
    const source = env.from(ats)
    const spread = split === 'flat' ? source.flatMap(at => [at]) : source.map(at => at)
    const before = split === 'exchanged' ? spread.disableChaining() : spread
    before
      .assignTimestampsAndWatermarks(strategy)
      .map(at => ({ key: 'all', at }))
      .keyBy('key')
      .process({
        onRecord(record: { key: string; at: number }, ctx) {
          log.push(`record ${record.at} at ${ctx.timers.currentWatermark()}`)
          ctx.timers.registerEventTimeTimer(record.at + 2)
        },
        onTimer(timeMs: number, _ctx, out: Collector<number>) {
          log.push(`timer ${timeMs}`)
          out.collect(timeMs)
        },
      })
      .addSink(() => {})
    await env.execute('punctuated')
    return log
  }

  /** The same by definition: after each record the timers that its watermark passes. */
  function expected(ats: readonly number[]): string[] {
    const log: string[] = []
    let watermark = -Infinity
    let timers: number[] = []
    const advance = (to: number): void => {
      // A timer that is set behind the watermark waits for the next one.
      if (to <= watermark) return
      watermark = to
      for (const timer of [...timers].sort((a, b) => a - b)) if (timer <= watermark) log.push(`timer ${timer}`)
      timers = timers.filter(timer => timer > watermark)
    }
    for (const at of ats) {
      log.push(`record ${at} at ${watermark}`)
      if (!timers.includes(at + 2)) timers.push(at + 2)
      advance(at - 1)
    }
    advance(Infinity)
    return log
  }

  test('fires what it makes due before the next record, whatever the batches, budgets and room', async () => {
    await underSeeds({ file: FILE, seeds: SEEDS }, async seed => {
      const prng = new Prng(seed)
      const ats = Array.from({ length: 40 }, (_, index) => index + prng.below(6))
      for (const split of ['chained', 'exchanged', 'flat'] as const) {
        assert.deepEqual(await seen(seed, ats, split), expected(ats), split)
      }
    })
  })
})

describe('a watermark per split', () => {
  /** Late records and window results of splits that are read at different speeds. */
  async function windowed(seed: number, where: 'source' | 'step', options: WatermarkOptions<Reading>) {
    const prng = new Prng(seed)
    const schedules = Array.from({ length: 4 }, (_, index) => randomSchedule(prng, 30, 10 + 20 * index, 5))
    const { env, launcher } = environmentOf(seed, 2)
    const strategy = forBoundedOutOfOrderness<Reading>(5, { timestamp: reading => reading.at, ...options })
    const source = splitSource(schedules)
    const timed =
      where === 'source'
        ? env.addSource(source, { isBounded: true, watermarks: strategy })
        : env.addSource(source, { isBounded: true }).assignTimestampsAndWatermarks(strategy)
    const sums = new Map<string, number>()
    timed
      .keyBy('split')
      .timeWindow(50)
      .apply((key, window, elements, out: Collector<readonly [string, number]>) => {
        out.collect([`${key}: ${window.start}`, elements.length])
      })
      .addSink(([window, count]) => {
        sums.set(window, (sums.get(window) ?? 0) + count)
      })
    await env.execute('windows per split')
    const late = launcher.runs[0]?.metrics.vertices.reduce((sum, vertex) => sum + vertex.lateRecordsDropped, 0) ?? 0
    const expected = new Map<string, number>()
    for (const [split, schedule] of schedules.entries()) {
      for (const { at } of schedule) {
        const window = `${split}: ${at - (at % 50)}`
        expected.set(window, (expected.get(window) ?? 0) + 1)
      }
    }
    return { late, sums, expected }
  }

  test('calls no record late that its split delivers within the bound; one over all splits does', async () => {
    let lateOverAll = 0
    await underSeeds({ file: FILE, seeds: SEEDS }, async seed => {
      for (const emit of ['per-batch', 'per-record', { everyMs: 7 }] as const) {
        const { late, sums, expected } = await windowed(seed, 'source', { emit })
        assert.equal(late, 0)
        assert.deepEqual(sums, expected)
      }
      lateOverAll += (await windowed(seed, 'step', {})).late
    })
    assert.ok(lateOverAll > 0, 'the splits of one subtask are read at different speeds')
  })

  test('of a split that is silent does not hold the others back after its idle time-out', async () => {
    const steady: Schedule = Array.from({ length: 20 }, (_, index) => ({ dueMs: index * 100, at: index * 100 }))
    const silent: Schedule = [
      { dueMs: 0, at: 0 },
      { dueMs: 10_000, at: 5000 },
    ]
    await underSeeds({ file: FILE, seeds: SEEDS }, async seed => {
      for (const [idleTimeoutMs, firedInTime] of [
        [250, true],
        [50_000, false],
      ] as const) {
        const { env } = environmentOf(seed, 1)
        const firedAtMs = new Map<number, number>()
        env
          .addSource(splitSource([steady, silent]), {
            isBounded: true,
            watermarks: forMonotonousTimestamps<Reading>({ timestamp: reading => reading.at, idleTimeoutMs }),
          })
          .keyBy(() => 'all')
          .timeWindow(500)
          .apply((_key, window, _elements, out: Collector<number>) => out.collect(window.start))
          .process({
            onRecord(start: number, ctx) {
              firedAtMs.set(start, ctx.currentProcessingTime())
            },
          })
          .addSink(() => {})
        await env.execute('a silent split')
        assert.equal((firedAtMs.get(500) as number) < 2000, firedInTime)
        assert.deepEqual([...firedAtMs.keys()], [0, 500, 1000, 1500, 5000])
      }
    })
  })
})

describe('aligned sources', () => {
  const DRIFT_MS = 40

  interface AlignedRun {
    /** How far the newest record read from a split was ahead of the slowest split that could still go on. */
    readonly leadMsMax: number
    readonly records: number
  }

  /**
   * Three sources, seven splits, two of them much faster in event time. The lead of a record is measured against what the generators of
   * the other splits had said before it: those that had not ended then.
   */
  async function run(seed: number, alignment: WatermarkOptions<Reading>['alignment']): Promise<AlignedRun> {
    const prng = new Prng(seed)
    const sources = [3, 2, 2].map(splits =>
      Array.from({ length: splits }, () => randomSchedule(prng, 25, 4 + prng.below(3) * 15, 0)),
    )
    const left = sources.flat().map(schedule => schedule.length)
    const watermarks = left.map(() => -Infinity)
    let leadMsMax = 0
    let records = 0
    const onRead = ({ split }: Reading): void => {
      const others = watermarks.filter((_, index) => (left[index] as number) > 0)
      const own = watermarks[split] as number
      if (own > -Infinity) leadMsMax = Math.max(leadMsMax, own - Math.min(...others))
      left[split] = (left[split] as number) - 1
    }
    const { env } = environmentOf(seed, 2, { channelCapacityRecords: 1 + prng.below(8) })
    const streams = sources.map((schedules, index) => {
      const firstSplit = sources.slice(0, index).reduce((sum, other) => sum + other.length, 0)
      const strategy = forGenerator<Reading>(
        () => {
          let newest = -Infinity
          return {
            onRecord(timestampMs, { split }) {
              newest = Math.max(newest, timestampMs - 1)
              watermarks[split] = newest
            },
            current: () => newest,
          }
        },
        { timestamp: reading => reading.at, ...(alignment === undefined ? {} : { alignment }) },
      )
      return env.addSource(splitSource(schedules, onRead, firstSplit), { isBounded: true, watermarks: strategy })
    })
    const [first, ...others] = streams as [(typeof streams)[number], ...(typeof streams)[number][]]
    first
      .union(...others)
      .keyBy('split')
      .timeWindow(50)
      .apply((_key, _window, elements, out: Collector<number>) => out.collect(elements.length))
      .addSink(count => {
        records += count
      })
    await env.execute('aligned')
    return { leadMsMax, records }
  }

  test('read no split that is further ahead than the drift, and come to their end', async () => {
    let leadWithoutMs = 0
    await underSeeds({ file: FILE, seeds: SEEDS }, async seed => {
      const aligned = await run(seed, { group: 'readings', maxDriftMs: DRIFT_MS })
      assert.equal(aligned.records, 7 * 25)
      assert.ok(aligned.leadMsMax <= DRIFT_MS, `a split was read that was ${aligned.leadMsMax} ms ahead`)
      leadWithoutMs = Math.max(leadWithoutMs, (await run(seed, undefined)).leadMsMax)
    })
    assert.ok(leadWithoutMs > 2 * DRIFT_MS, `without alignment a split gets ahead, here by ${leadWithoutMs} ms`)
  })

  test('do not wait for a silent split that is idle, and do for one that may not be', async () => {
    const fast: Schedule = Array.from({ length: 10 }, (_, index) => ({ dueMs: 0, at: index * 100 }))
    const silent: Schedule = [
      { dueMs: 0, at: 0 },
      { dueMs: 5000, at: 10 },
    ]
    await underSeeds({ file: FILE, seeds: SEEDS }, async seed => {
      for (const [idleTimeoutMs, readInTime] of [
        [300, true],
        [60_000, false],
      ] as const) {
        const { env } = environmentOf(seed, 1)
        let lastReadMs = 0
        const onRead: OnRead = ({ split }, nowMs) => {
          if (split === 0) lastReadMs = nowMs
        }
        const watermarks = forMonotonousTimestamps<Reading>({
          timestamp: reading => reading.at,
          idleTimeoutMs,
          alignment: { group: 'readings', maxDriftMs: 100 },
        })
        const slow = env.addSource(splitSource([silent], onRead, 1), { isBounded: true, watermarks })
        env
          .addSource(splitSource([fast], onRead), { isBounded: true, watermarks })
          .union(slow)
          .addSink(() => {})
        await env.execute('a silent split')
        assert.equal(lastReadMs, readInTime ? 300 : 5000)
      }
    })
  })

  test('that wait do not keep a stop from ending the job', async () => {
    await underSeeds({ file: FILE, seeds: SEEDS }, async seed => {
      const { env, launcher } = environmentOf(seed, 1, {
        onStart: job => {
          void Promise.resolve().then(async () => {
            while (job.clock.now() < 1000) await Promise.resolve()
            job.stop()
          })
        },
      })
      const watermarks = forMonotonousTimestamps<Reading>({
        timestamp: reading => reading.at,
        alignment: { group: 'readings', maxDriftMs: 1 },
      })
      const ticking = [0, 500, 1000, 50_000].map(dueMs => ({ dueMs, at: 0 }))
      const ahead = Array.from({ length: 10 }, (_, index) => ({ dueMs: 0, at: index * 100 }))
      env.addSource(splitSource([ticking, ahead]), { isBounded: true, watermarks }).addSink(() => {})
      await env.execute('stopped')
      assert.equal(launcher.runs[0]?.result.status, 'stopped')
    })
  })
})
