// The jobs that the simulator runs: each has another kind of state, and results that do not depend on the order of steps.
import type { StreamEnvironment } from '../../../src/api/datastream/environment.ts'
import type { DataStream } from '../../../src/api/datastream/streams.ts'
import { sessionWindows } from '../../../src/api/datastream/window-assigners.ts'
import { Prng } from '../../../src/base/prng.ts'
import type { SourceSpec } from '../../../src/model/connector.ts'
import { list, map, value } from '../../../src/model/state.ts'
import type { PacedRecord } from '../../../src/testing/simulation/paced-source.ts'
import { pacedSource } from '../../../src/testing/simulation/paced-source.ts'
import { forBoundedOutOfOrderness, forMonotonousTimestamps } from '../../../src/time/watermark-strategies.ts'
import type { SimulatedJob } from '../support/simulated-job.ts'

interface Event {
  readonly key: string
  readonly n: number
  readonly at: number
}

const SINK = { delivery: 'transactional' } as const

/** Events in so many splits; `disorderMs` is how far back an event may lie, and some lie further. */
function events(
  splits: number,
  count: number,
  disorderMs: number,
  salt = 1,
): readonly (readonly PacedRecord<Event>[])[] {
  const prng = new Prng(salt)
  return Array.from({ length: splits }, (_, split) =>
    Array.from({ length: count }, (_, index): PacedRecord<Event> => {
      const isLate = disorderMs > 0 && prng.below(12) === 0
      const at = Math.max(0, index * 5 - (disorderMs > 0 ? prng.below(isLate ? disorderMs * 6 : disorderMs) : 0))
      const key = `k${prng.below(7)}`
      return { value: { key, n: split * count + index, at }, timestamp: at }
    }),
  )
}

function read(env: StreamEnvironment, spec: SourceSpec): DataStream<Event> {
  const { implementation } = spec
  return env.addSource(implementation as never, { isBounded: true, hasTimestamps: true }) as DataStream<Event>
}

function inOrder(env: StreamEnvironment, splits = 3, count = 60, salt = 1): DataStream<Event> {
  return read(env, pacedSource(events(splits, count, 0, salt)))
}

/** One split, with a watermark after each record: what is late is late in every run. */
function outOfOrder(env: StreamEnvironment, count = 150): DataStream<Event> {
  return read(env, pacedSource(events(1, count, 30)))
    .setParallelism(1)
    .assignTimestampsAndWatermarks(
      forBoundedOutOfOrderness<Event>(20, { timestamp: event => event.at, emit: 'per-record' }),
    )
    .setParallelism(1)
}

const summed = {
  create: () => 0,
  add: (sum: number, event: Event) => sum + event.n,
  merge: (a: number, b: number) => a + b,
  result: (sum: number) => sum,
}

export const JOBS: readonly SimulatedJob[] = [
  {
    name: 'rolling count',
    build(env, out) {
      // The order of a key's records over several splits is open, so the count alone is shown.
      inOrder(env)
        .keyBy('key')
        .process({
          state: { count: value(0) },
          onRecord(event, ctx, collector) {
            const count = ctx.state.count.get() + 1
            ctx.state.count.set(count)
            collector.collect(`${event.key} ${count}`)
          },
        })
        .addSink(out.sink, SINK)
    },
  },
  {
    name: 'rolling aggregate',
    build(env, out) {
      inOrder(env)
        .keyBy('key')
        .aggregate({
          create: () => 0,
          add: (n: number) => n + 1,
          merge: (a: number, b: number) => a + b,
          result: (n: number) => n,
        })
        .addSink(out.sink as never, SINK)
    },
  },
  {
    name: 'tumbling windows',
    build(env, out) {
      outOfOrder(env)
        .keyBy('key')
        .timeWindow(40)
        .allowedLateness(30)
        .aggregate(summed, (sum, { key, window }) => `${key} ${window.start} ${sum}`)
        .addSink(out.sink, SINK)
    },
  },
  {
    name: 'sliding windows',
    build(env, out) {
      outOfOrder(env)
        .keyBy('key')
        .timeWindow(60, 20)
        .aggregate(summed, (sum, { key, window }) => `${key} ${window.start} ${sum}`)
        .addSink(out.sink, SINK)
    },
  },
  {
    name: 'session windows',
    build(env, out) {
      outOfOrder(env)
        .keyBy('key')
        .window(sessionWindows(25))
        .allowedLateness(10)
        .aggregate(summed, (sum, { key, window }) => `${key} ${window.start}-${window.end} ${sum}`)
        .addSink(out.sink, SINK)
    },
  },
  {
    name: 'interval join',
    build(env, out) {
      const strategy = forMonotonousTimestamps<Event>({ timestamp: event => event.at })
      const keyed = (salt: number) => inOrder(env, 1, 60, salt).assignTimestampsAndWatermarks(strategy).keyBy('key')
      keyed(1)
        .intervalJoin(keyed(2))
        .between(-30, 30)
        .map((left, right) => `${left.key} ${left.n} ${right.n}`)
        .addSink(out.sink, SINK)
    },
  },
  {
    name: 'timers',
    build(env, out) {
      inOrder(env, 1, 150)
        .setParallelism(1)
        .assignTimestampsAndWatermarks(
          forMonotonousTimestamps<Event>({ timestamp: event => event.at, emit: 'per-record' }),
        )
        .setParallelism(1)
        .keyBy('key')
        .process({
          state: { waiting: list<number>(), seen: map<string, number>() },
          onRecord(event, ctx) {
            ctx.state.waiting.add(event.n)
            ctx.state.seen.set(`m${event.n % 4}`, event.n)
            // Each record has its own timer, and takes back that of some others.
            ctx.timers.registerEventTimeTimer(event.at + 50)
            if (event.n % 5 === 0) ctx.timers.deleteEventTimeTimer(event.at + 45)
          },
          onTimer(timeMs, ctx, collector) {
            const waiting = ctx.state.waiting.get()
            const seen = [...ctx.state.seen.entries()].map(([name, n]) => `${name}=${n}`).sort()
            collector.collect(`${ctx.key} ${timeMs} ${waiting.join('+')} ${seen.join(',')}`)
            ctx.state.waiting.clear()
          },
        })
        .addSink(out.sink, SINK)
    },
  },
  {
    name: 'two inputs',
    build(env, out) {
      const left = inOrder(env, 1, 80, 3).keyBy('key')
      const right = inOrder(env, 2, 40, 4).keyBy('key')
      left
        .connect(right)
        .coProcess({
          state: { lefts: value(0), rights: value(0) },
          onFirst(_event, ctx, collector) {
            ctx.state.lefts.set(ctx.state.lefts.get() + 1)
            collector.collect(`${ctx.key} left ${ctx.state.lefts.get()}`)
          },
          onSecond(_event, ctx, collector) {
            ctx.state.rights.set(ctx.state.rights.get() + 1)
            collector.collect(`${ctx.key} right ${ctx.state.rights.get()}`)
          },
        })
        .addSink(out.sink, SINK)
    },
  },
  {
    name: 'feedback loop',
    build(env, out) {
      inOrder(env, 2, 40)
        .map(event => ({ id: event.n, left: event.n % 6, rounds: 0 }))
        .iterate(loop => {
          const next = loop.map(item => ({ ...item, left: item.left - 1, rounds: item.rounds + 1 }))
          return { feedback: next.filter(item => item.left > 0), output: next.filter(item => item.left <= 0) }
        })
        .map(item => `${item.id} ${item.rounds}`)
        .addSink(out.sink, SINK)
    },
  },
]
