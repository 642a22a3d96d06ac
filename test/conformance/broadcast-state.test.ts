// Broadcast state in whole jobs: every subtask gets every broadcast record, and what only the end of both inputs settles is the same
// everywhere, whatever the order of steps.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { StreamEnvironment } from '../../src/api/datastream/environment.ts'
import type { Collector } from '../../src/model/functions.ts'
import { map, value } from '../../src/model/state.ts'
import { forMonotonousTimestamps } from '../../src/time/watermark-strategies.ts'
import { underSeeds } from './support/seeds.ts'
import { SimulatedLauncher } from './support/simulated-launcher.ts'

const FILE = 'test/conformance/broadcast-state.test.ts'
const SEEDS = 60
const PARALLELISMS = [1, 2, 4]

interface Limit {
  readonly kind: string
  readonly limit: number
}

const LIMITS: readonly Limit[] = [
  { kind: 'card', limit: 5 },
  { kind: 'cash', limit: 9 },
  { kind: 'card', limit: 3 },
]
const USERS = ['ann', 'bob', 'cid', 'dee', 'eve', 'fay', 'gus']
const PAYMENTS = Array.from({ length: 42 }, (_, index) => ({ user: USERS[index % 7] as string, at: index * 10 }))
const timed = forMonotonousTimestamps<{ readonly at: number }>({ timestamp: record => record.at })

describe('a keyed stream beside a broadcast one', () => {
  for (const parallelism of PARALLELISMS) {
    test(`reads at the end what all broadcast records made, for every key, at parallelism ${parallelism}`, () =>
      underSeeds({ file: FILE, seeds: SEEDS }, async seed => {
        const env = new StreamEnvironment(new SimulatedLauncher(parallelism, { seed, channelCapacityRecords: 4 }))
        const texts: string[] = []
        const limits = env
          .fromElements(...LIMITS.map((limit, at) => ({ ...limit, at })))
          .assignTimestampsAndWatermarks(timed)
          .setParallelism(1)
          .broadcastState({ limits: map<string, number>() })
        env
          .fromElements(...PAYMENTS)
          .assignTimestampsAndWatermarks(timed)
          .keyBy('user')
          .connect(limits)
          .process({
            state: { count: value(0) },
            onBroadcast: ({ kind, limit }, ctx) => ctx.broadcast.limits.set(kind, limit),
            onRecord(_payment, ctx) {
              ctx.state.count.set(ctx.state.count.get() + 1)
              // The last limit comes at 2: its watermark, and so this timer, are behind it.
              ctx.timers.registerEventTimeTimer(1000)
            },
            onTimer(timestampMs, ctx, out: Collector<string>) {
              const known = [...ctx.broadcast.limits.entries()].map(([kind, limit]) => `${kind} ${limit}`)
              out.collect(`${timestampMs} ${ctx.key} ${ctx.state.count.get()}: ${known.join(', ')}`)
            },
          })
          .addSink(text => {
            texts.push(text)
          })
        await env.execute('limits')
        assert.deepEqual(
          texts.toSorted(),
          USERS.map(user => `1000 ${user} 6: card 3, cash 9`),
        )
      }))

    test(`can visit every key once by each broadcast record, at parallelism ${parallelism}`, () =>
      underSeeds({ file: FILE, seeds: SEEDS }, async seed => {
        const env = new StreamEnvironment(new SimulatedLauncher(parallelism, { seed, channelCapacityRecords: 4 }))
        const taken: { readonly user: string; readonly count: number }[] = []
        const collects = env.fromElements('first', 'second').broadcastState({ seen: map<string, boolean>() })
        env
          .fromElements(...PAYMENTS)
          .keyBy('user')
          .connect(collects)
          .process({
            state: { count: value(0) },
            onRecord(_payment, ctx) {
              ctx.state.count.set(ctx.state.count.get() + 1)
              ctx.timers.registerProcessingTimeTimer(1_000_000)
            },
            onBroadcast(_name, ctx, out: Collector<{ readonly user: string; readonly count: number }>) {
              ctx.applyToKeyedState('count', (user, count) => {
                out.collect({ user, count: count.get() })
                count.clear()
              })
            },
            onTimer: (_timestampMs, ctx, out) => out.collect({ user: ctx.key, count: ctx.state.count.get() }),
          })
          .addSink(part => {
            taken.push(part)
          })
        await env.execute('visits')
        // Whenever the visits came: what they took and what was left at the end are all records, each counted once.
        for (const user of USERS) {
          const parts = taken.filter(part => part.user === user)
          assert.equal(
            parts.reduce((sum, { count }) => sum + count, 0),
            6,
            user,
          )
          assert.ok(parts.length <= 3)
        }
      }))
  }
})

describe('a stream without key beside a broadcast one', () => {
  for (const parallelism of PARALLELISMS) {
    test(`gets each broadcast record in each of ${parallelism} subtask(s), in the order sent`, () =>
      underSeeds({ file: FILE, seeds: SEEDS }, async seed => {
        const env = new StreamEnvironment(new SimulatedLauncher(parallelism, { seed, channelCapacityRecords: 2 }))
        const seen = new Map<number, string[]>()
        let records = 0
        const rules = env
          .fromElements('a', 'b', 'a', 'c')
          .map(name => name)
          .setParallelism(1)
          .broadcastState({ counts: map<string, number>() })
        env
          .generate(index => index, { count: 50 })
          .connect(rules)
          .process({
            onBroadcast(name, ctx, out: Collector<number>) {
              ctx.broadcast.counts.set(name, (ctx.broadcast.counts.get(name) ?? 0) + 1)
              const text = [...ctx.broadcast.counts.entries()].flat().join(' ')
              seen.set(ctx.subtaskIndex, [...(seen.get(ctx.subtaskIndex) ?? []), text])
              out.collect(-1)
            },
            onRecord: (n, _ctx, out) => out.collect(n),
          })
          .addSink(() => {
            records++
          })
        await env.execute('rules')
        const texts = ['a 1', 'a 1 b 1', 'a 2 b 1', 'a 2 b 1 c 1']
        assert.deepEqual(
          [...seen].toSorted(([a], [b]) => a - b),
          Array.from({ length: parallelism }, (_, subtask) => [subtask, texts]),
        )
        assert.equal(records, 50 + 4 * parallelism)
      }))
  }
})
