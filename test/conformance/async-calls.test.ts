// Asynchronous calls in whole jobs: whatever the delays, failures and orders of steps, no record is lost or doubled, and each is on the same
// side of every watermark as it was before its call.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import fc from 'fast-check'
import type { AsyncOptions } from '../../src/api/datastream/async-calls.ts'
import { StreamEnvironment } from '../../src/api/datastream/environment.ts'
import type { DataStream } from '../../src/api/datastream/streams.ts'
import type { AsyncOrder } from '../../src/model/async-spec.ts'
import type { ProcessFunction } from '../../src/model/functions.ts'
import type { VirtualClock } from '../../src/runtime/simulated-scheduler.ts'
import type { SimulatedJob } from '../../src/testing/simulate.ts'
import { forBoundedOutOfOrderness } from '../../src/time/watermark-strategies.ts'
import { underSeeds } from './support/seeds.ts'
import { SimulatedLauncher } from './support/simulated-launcher.ts'

const FILE = 'test/conformance/async-calls.test.ts'
const CASES = 400

interface Item {
  readonly id: number
  readonly at: number
  /** How long its call takes, ms; below 0: it returns the value itself. */
  readonly delayMs: number
  /** How many of its calls fail before one succeeds. */
  readonly failures: number
}

/** A record as a step saw it. */
interface Sighting {
  readonly id: number
  readonly subtask: number
  readonly timestamp: number | undefined
  readonly watermark: number
}

interface Case {
  readonly items: readonly Item[]
  readonly order: AsyncOrder
  readonly capacity: number
  readonly timeoutMs: number
  readonly parallelism: number
  readonly outOfOrdernessMs: number
  readonly channelCapacityRecords: number
  readonly seed: number
}

interface Seen {
  readonly before: readonly Sighting[]
  readonly after: readonly Sighting[]
  readonly sunk: readonly number[]
  readonly underWayPeak: number
}

function noting(sightings: Sighting[]): ProcessFunction<Item, Item> {
  return {
    onRecord(item, ctx, out) {
      const { subtaskIndex: subtask, timestamp } = ctx
      sightings.push({ id: item.id, subtask, timestamp, watermark: ctx.currentWatermark() })
      out.collect(item)
    },
  }
}

async function runCase(given: Case): Promise<Seen> {
  const { items, order, capacity, timeoutMs, parallelism, outOfOrdernessMs, seed, channelCapacityRecords } = given
  let clock: VirtualClock | undefined
  const onStart = (job: SimulatedJob): void => {
    clock = job.clock
  }
  const launcher = new SimulatedLauncher(parallelism, { seed, channelCapacityRecords, onStart, stepsMax: 500_000 })
  const before: Sighting[] = []
  const after: Sighting[] = []
  const sunk: number[] = []
  let underWay = 0
  let underWayPeak = 0
  const answer = async (item: Item, attempt: number): Promise<Item> => {
    underWayPeak = Math.max(underWayPeak, ++underWay)
    if (item.delayMs > 0) await clock?.sleep(item.delayMs)
    underWay--
    if (attempt <= item.failures) throw new Error('down')
    return item
  }
  const options: AsyncOptions<Item, Item, Item> = {
    order,
    capacity,
    timeoutMs,
    onTimeout: item => item,
    retry: { attempts: 4, delayMs: 3 },
  }
  const env = new StreamEnvironment(launcher)
  env
    .fromElements(...items)
    .assignTimestampsAndWatermarks(forBoundedOutOfOrderness(outOfOrdernessMs, { timestamp: item => item.at }))
    .process(noting(before))
    .mapAsync((item, { attempt }) => (item.delayMs < 0 ? item : answer(item, attempt)), options)
    .process(noting(after))
    .addSink(item => {
      sunk.push(item.id)
    })
  await env.execute('asynchronous calls')
  return { before, after, sunk, underWayPeak }
}

const item = fc.record({
  at: fc.integer({ min: 0, max: 200 }),
  delayMs: fc.integer({ min: -1, max: 25 }),
  failures: fc.constantFrom(0, 0, 0, 1, 3),
})

const cases: fc.Arbitrary<Case> = fc.record({
  items: fc.array(item, { minLength: 1, maxLength: 40 }).map(items => items.map((rest, id) => ({ id, ...rest }))),
  order: fc.constantFrom('ordered' as const, 'unordered' as const),
  capacity: fc.integer({ min: 1, max: 6 }),
  timeoutMs: fc.constantFrom(Infinity, 12, 60),
  parallelism: fc.integer({ min: 1, max: 3 }),
  outOfOrdernessMs: fc.constantFrom(0, 0, 10, 1000),
  channelCapacityRecords: fc.constantFrom(1, 3, 1024),
  seed: fc.nat(),
})

function byId(sightings: readonly Sighting[]): Sighting[] {
  return sightings.toSorted((a, b) => a.id - b.id)
}

function ofSubtask(sightings: readonly Sighting[], subtask: number): number[] {
  return sightings.filter(sighting => sighting.subtask === subtask).map(sighting => sighting.id)
}

function check({ capacity, items, order, parallelism, timeoutMs }: Case, seen: Seen): void {
  const { before, after, sunk, underWayPeak } = seen
  assert.deepEqual(
    sunk.toSorted((a, b) => a - b),
    items.map(({ id }) => id),
  )
  // The model in one line: a record sees the same watermark behind the call as before it, so it passed none, and none passed it.
  assert.deepEqual(byId(after), byId(before))
  if (order === 'ordered') {
    for (let subtask = 0; subtask < parallelism; subtask++)
      assert.deepEqual(ofSubtask(after, subtask), ofSubtask(before, subtask))
  }
  // A call whose time is over is still running when the next one begins.
  if (timeoutMs === Infinity) assert.ok(underWayPeak <= capacity * parallelism, `${underWayPeak} calls at once`)
}

test('a record keeps its place between the watermarks, its timestamp, and in ordered steps its place among the records', async () => {
  let reordered = 0
  let watermarks = 0
  await fc.assert(
    fc.asyncProperty(cases, async given => {
      const seen = await runCase(given)
      check(given, seen)
      if (seen.before.some(({ watermark }) => watermark > -Infinity)) watermarks++
      if (seen.before.some(({ id }, index) => seen.after[index]?.id !== id)) reordered++
    }),
    { numRuns: CASES },
  )
  // The cases are worth something only if watermarks come between records and results overtake one another.
  assert.ok(watermarks > CASES / 4, `${watermarks} cases with watermarks between records`)
  assert.ok(reordered > CASES / 20, `${reordered} cases in which results overtook one another`)
})

interface Sale {
  readonly city: string
  readonly at: number
  readonly euros: number
}

const SALES: readonly Sale[] = Array.from({ length: 200 }, (_, index) => ({
  city: ['Cork', 'Galway', 'Sligo'][index % 3] as string,
  at: index * 7 - (index % 5) * 6,
  euros: index,
}))

type Enrich = (sales: DataStream<Sale>, clock: () => VirtualClock) => DataStream<Sale>

async function windowsOf(enrich: Enrich, seed: number): Promise<string[]> {
  let clock: VirtualClock | undefined
  const onStart = (job: SimulatedJob): void => {
    clock = job.clock
  }
  const env = new StreamEnvironment(new SimulatedLauncher((seed % 3) + 1, { seed, onStart, channelCapacityRecords: 4 }))
  const sums: string[] = []
  const timed = env
    .fromElements(...SALES)
    .assignTimestampsAndWatermarks(forBoundedOutOfOrderness(30, { timestamp: sale => sale.at }))
    .setParallelism(1)
  enrich(timed, () => clock as VirtualClock)
    .keyBy('city')
    .timeWindow(100)
    .apply((city, { start }, sales, out) => {
      out.collect(`${start} ${city} ${sales.reduce((sum, { euros }) => sum + euros, 0)}`)
    })
    .addSink(text => {
      sums.push(text as string)
    })
  await env.execute('windows')
  return sums.toSorted()
}

for (const order of ['ordered', 'unordered'] as const) {
  test(`windows behind ${order} calls hold what they would without them: no result is late`, async () => {
    const expected = await windowsOf(sales => sales, 3)
    assert.ok(expected.length > 30)
    await underSeeds({ file: FILE, seeds: 60 }, async seed => {
      const slowly: Enrich = (sales, clock) =>
        sales.mapAsync(
          async sale => {
            await clock().sleep((sale.euros * 7919 + seed * 31) % 90)
            return sale
          },
          { order, capacity: (seed % 7) + 1 },
        )
      assert.deepEqual(await windowsOf(slowly, seed), expected)
    })
  })
}

describe('two asynchronous steps, one behind the other', () => {
  test('get along with little capacity each, and so does a loop around them', () =>
    underSeeds({ file: FILE, seeds: 60 }, async seed => {
      let clock: VirtualClock | undefined
      const onStart = (job: SimulatedJob): void => {
        clock = job.clock
      }
      const launcher = new SimulatedLauncher((seed % 2) + 1, { seed, onStart, channelCapacityRecords: 2 })
      const env = new StreamEnvironment(launcher)
      const left: number[] = []
      const slow = async (n: number): Promise<number> => {
        await clock?.sleep((n * 17 + seed) % 5)
        return n
      }
      env
        .fromElements(...Array.from({ length: 20 }, (_, n) => n))
        .iterate(loop => {
          const lowered = loop
            .mapAsync(slow, { capacity: 1 })
            .flatMapAsync(async n => [await slow(n - 1)], { capacity: 2, order: 'unordered' })
          return { feedback: lowered.filter(n => n > 0), output: lowered.filter(n => n <= 0) }
        })
        .addSink(n => {
          left.push(n)
        })
      await env.execute('loop')
      assert.deepEqual(
        left.toSorted((a, b) => a - b),
        [-1, ...Array.from({ length: 19 }, () => 0)],
      )
    }))
})

describe('a job that ends early', () => {
  test('by a stop lets what is under way come out', () =>
    underSeeds({ file: FILE, seeds: 60 }, async seed => {
      let job: SimulatedJob | undefined
      const onStart = (started: SimulatedJob): void => {
        job = started
      }
      const launcher = new SimulatedLauncher(2, { seed, onStart, channelCapacityRecords: 3 })
      const env = new StreamEnvironment(launcher)
      const asked: number[] = []
      const answered: number[] = []
      env
        .generate(index => index, { count: 1_000_000 })
        .mapAsync(
          async n => {
            asked.push(n)
            if (asked.length === 20) job?.stop()
            await job?.clock.sleep(n % 11)
            return n
          },
          { order: 'unordered', capacity: 5 },
        )
        .addSink(n => {
          answered.push(n)
        })
      const { status } = await env.execute('stopped')
      assert.equal(status, 'stopped')
      assert.deepEqual(answered.toSorted(), asked.toSorted())
      assert.ok(asked.length < 1000, `${asked.length} records were asked for`)
    }))

  test('by a cancel waits for nothing, and aborts the calls', () =>
    underSeeds({ file: FILE, seeds: 60 }, async seed => {
      let job: SimulatedJob | undefined
      const onStart = (started: SimulatedJob): void => {
        job = started
      }
      const env = new StreamEnvironment(new SimulatedLauncher(2, { seed, onStart }))
      let asked = 0
      let aborted = 0
      env
        .fromElements(...Array.from({ length: 20 }, (_, n) => n))
        .mapAsync(
          (_n, { signal }) =>
            new Promise<number>(() => {
              signal.addEventListener('abort', () => aborted++)
              if (++asked === 10) job?.cancel()
            }),
        )
        .addSink(() => assert.fail('nothing was ever answered'))
      const { status } = await env.execute('cancelled')
      assert.equal(status, 'cancelled')
      assert.ok(asked >= 10)
      assert.equal(aborted, asked)
    }))
})
