// Graphs that split and join, under many orders of steps: diamonds, unions of streams whose watermarks differ, connected streams with
// shared state. The results never depend on the order; a partitioner that scatters a key or a watermark that runs ahead must show.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { StreamEnvironment } from '../../src/api/datastream/environment.ts'
import type { DataStream } from '../../src/api/datastream/streams.ts'
import type { Collector } from '../../src/model/functions.ts'
import { list, value } from '../../src/model/state.ts'
import { Channel } from '../../src/runtime/channel.ts'
import { WatermarkMerger } from '../../src/time/watermark-merger.ts'
import { forMonotonousTimestamps } from '../../src/time/watermark-strategies.ts'
import { underSeeds } from './support/seeds.ts'
import { SimulatedLauncher } from './support/simulated-launcher.ts'

const PARALLELISMS = [1, 2, 3, 4]
const CHECKS = { file: 'test/conformance/topologies.test.ts', seeds: 200 }

interface Topology<T> {
  readonly build: (env: StreamEnvironment) => DataStream<T>
  /** Throws when the records, in any order, are not what the topology must give. */
  readonly check: (records: readonly T[]) => void
}

async function checkTopology<T>({ build, check }: Topology<T>, parallelism: number): Promise<void> {
  await underSeeds(CHECKS, async seed => {
    // Small channels in every other run, so that there is back-pressure in them.
    const launcher = new SimulatedLauncher(parallelism, { seed, channelCapacityRecords: seed % 2 === 0 ? 2 : 1024 })
    const env = new StreamEnvironment(launcher)
    const records: T[] = []
    build(env).addSink(record => {
      records.push(record)
    })
    await env.execute('topology')
    check(records)
    const late = launcher.runs[0]?.metrics.vertices.reduce((sum, vertex) => sum + vertex.lateRecordsDropped, 0)
    assert.equal(late, 0, 'records dropped as late')
  })
}

function texts(records: readonly unknown[]): string[] {
  return records.map(record => JSON.stringify(record)).sort()
}

const NUMBERS = Array.from({ length: 30 }, (_, index) => index)

/** Two ways from one stream to one step, of different length; then the same again behind it. */
const diamond: Topology<{ id: number; way: string }> = {
  build: env => {
    const numbers = env.fromElements(...NUMBERS)
    const short = numbers.map(id => ({ id, way: 'short' }))
    const long = numbers
      .rebalance()
      .filter(id => id % 2 === 0)
      .shuffle()
      .map(id => ({ id, way: 'long' }))
    const joined = short.union(long)
    const doubled = joined.keyBy('id').process({
      onRecord: (record: { id: number; way: string }, _ctx, out: Collector<{ id: number; way: string }>) =>
        out.collect(record),
    })
    return doubled.filter(({ way }) => way === 'short').union(doubled.rebalance().filter(({ way }) => way === 'long'))
  },
  check: records => {
    const expected = NUMBERS.flatMap(id => [{ id, way: 'short' }, ...(id % 2 === 0 ? [{ id, way: 'long' }] : [])])
    assert.deepEqual(texts(records), texts(expected))
  },
}

interface Event {
  readonly key: string
  readonly at: number
}

const SLOW: readonly Event[] = NUMBERS.map(index => ({ key: `k${index % 3}`, at: index * 100 }))
const FAST: readonly Event[] = NUMBERS.map(index => ({ key: `k${index % 4}`, at: index * 1000 }))
const WINDOW_MS = 1000

/** The time of one stream runs ten times as fast as that of the other: windows wait for the slower. */
const unevenWatermarks: Topology<{ key: string; start: number; count: number }> = {
  build: env => {
    const strategy = forMonotonousTimestamps<Event>({ timestamp: event => event.at })
    const slow = env.fromElements(...SLOW).assignTimestampsAndWatermarks(strategy)
    const fast = env.fromElements(...FAST).assignTimestampsAndWatermarks(strategy)
    return slow
      .union(fast)
      .keyBy('key')
      .timeWindow(WINDOW_MS)
      .apply((key, { start }, events, out: Collector<{ key: string; start: number; count: number }>) =>
        out.collect({ key, start, count: events.length }),
      )
  },
  check: records => {
    const counts = new Map<string, { key: string; start: number; count: number }>()
    for (const { key, at } of [...SLOW, ...FAST]) {
      const start = at - (at % WINDOW_MS)
      const { count } = counts.get(`${key} ${start}`) ?? { count: 0 }
      counts.set(`${key} ${start}`, { key, start, count: count + 1 })
    }
    assert.deepEqual(texts(records), texts([...counts.values()]))
  },
}

/** Orders and payments of a key meet in shared state, whichever comes first. */
const connected: Topology<string> = {
  build: env => {
    const orders = env.fromElements(...NUMBERS.map(id => ({ id, item: `item ${id}` })))
    const payments = env.fromElements(...NUMBERS.filter(id => id % 3 !== 0).map(id => ({ id, cents: id * 100 })))
    return orders
      .keyBy('id')
      .connect(payments.keyBy('id'))
      .coProcess({
        state: { item: value(''), cents: list<number>() },
        onFirst(order, ctx, out: Collector<string>) {
          ctx.state.item.set(order.item)
          for (const cents of ctx.state.cents.get()) out.collect(`${order.item}: ${cents}`)
        },
        onSecond(payment, ctx, out: Collector<string>) {
          const item = ctx.state.item.get()
          if (item === '') ctx.state.cents.add(payment.cents)
          else out.collect(`${item}: ${payment.cents}`)
        },
      })
  },
  check: lines =>
    assert.deepEqual(texts(lines), texts(NUMBERS.filter(id => id % 3 !== 0).map(id => `item ${id}: ${id * 100}`))),
}

/** The updates of a sum count up from 1 for each key. */
const rollingCounts: Topology<{ key: string; count: number }> = {
  build: env =>
    env
      .fromElements(...NUMBERS.map(index => ({ key: `k${index % 5}`, count: 1 })))
      .keyBy('key')
      .sum('count'),
  check: updates => {
    const newest = new Map<string, number>()
    for (const { key, count } of updates) {
      assert.equal(count, (newest.get(key) ?? 0) + 1, `update of ${key}`)
      newest.set(key, count)
    }
    assert.deepEqual(texts([...newest]), texts(['k0', 'k1', 'k2', 'k3', 'k4'].map(key => [key, NUMBERS.length / 5])))
  },
}

for (const parallelism of PARALLELISMS) {
  describe(`at parallelism ${parallelism}, under ${CHECKS.seeds} seeds`, () => {
    test('a diamond behind a diamond gives every record once for each way', () => checkTopology(diamond, parallelism))

    test('a union of streams with uneven watermarks drops nothing as late', () =>
      checkTopology(unevenWatermarks, parallelism))

    test('connected streams meet in the state of their key', () => checkTopology(connected, parallelism))

    test('a rolling sum counts each key in one place', () => checkTopology(rollingCounts, parallelism))
  })
}

describe('the checks have teeth:', () => {
  test('a partitioner that sends one record to the other subtask of its key fails the rolling sum', async () => {
    const original = Channel.prototype.append
    let sent = 0
    const channels = new Map<string, Channel>()
    Channel.prototype.append = function (this: Channel, ...record) {
      channels.set(this.name, this)
      const isKeyed = record[2] !== undefined
      const other = [...channels.values()].find(channel => channel !== this && sharesSender(channel, this))
      if (isKeyed && other !== undefined && ++sent === 5) original.apply(other, record)
      else original.apply(this, record)
    }
    try {
      await assert.rejects(
        checkTopology(rollingCounts, 2),
        /seed \d+: .*\nrepeat it with: MILLRACE_SEED=\d+ node --test/s,
      )
    } finally {
      Channel.prototype.append = original
    }
    await checkTopology(rollingCounts, 2)
  })

  test('a watermark that follows the faster input fails the union', async () => {
    const original = WatermarkMerger.prototype.advance
    WatermarkMerger.prototype.advance = function (index, watermark) {
      // Every input takes the watermark of the newest, so the smallest of them is the largest.
      const inputs = (this as unknown as { inputs: readonly unknown[] }).inputs
      for (const other of inputs.keys()) if (watermark !== Infinity) original.call(this, other, watermark)
      return original.call(this, index, watermark)
    }
    try {
      await assert.rejects(checkTopology(unevenWatermarks, 2), /repeat it with/)
    } finally {
      WatermarkMerger.prototype.advance = original
    }
    await checkTopology(unevenWatermarks, 2)
  })
})

/** Channel names are `from[0] -> to[1]`. */
function sharesSender(a: Channel, b: Channel): boolean {
  const [from, to] = a.name.split(' -> ') as [string, string]
  const [otherFrom, otherTo] = b.name.split(' -> ') as [string, string]
  return from === otherFrom && to.replace(/\[\d+\]$/, '') === otherTo.replace(/\[\d+\]$/, '')
}
