// Simulated jobs whose state is windows, joins and timers: their results hang on event time.

import { sessionWindows, tumblingWindows } from '../../../src/api/datastream/window-assigners.ts'
import { afterCount, afterWatermark, purging, repeatedly } from '../../../src/api/datastream/window-triggers.ts'
import type { AggregateFunction } from '../../../src/model/functions.ts'
import { list, map } from '../../../src/model/state.ts'
import { forMonotonousTimestamps } from '../../../src/time/watermark-strategies.ts'
import { type Event, readEvents, readInOrder, readOutOfOrder, watermarkProbe } from '../support/events.ts'
import { type SimulatedJob, TRANSACTIONAL } from '../support/simulated-job.ts'

const sum: AggregateFunction<Event, number, number> = {
  create: () => 0,
  add: (total, event) => total + event.n,
  merge: (a, b) => a + b,
  result: total => total,
}

export const WINDOW_JOBS: readonly SimulatedJob[] = [
  {
    name: 'tumbling windows',
    build(env, out) {
      readOutOfOrder(env)
        .process(watermarkProbe(out))
        .keyBy('key')
        .timeWindow(40)
        .allowedLateness(30)
        .aggregate(sum, (total, { key, window }) => `${key} ${window.start} ${total}`)
        .addSink(out.sink, TRANSACTIONAL)
    },
  },
  {
    name: 'sliding windows',
    build(env, out) {
      readOutOfOrder(env)
        .keyBy('key')
        .timeWindow(60, 20)
        .aggregate(sum, (total, { key, window }) => `${key} ${window.start} ${total}`)
        .addSink(out.sink, TRANSACTIONAL)
    },
  },
  {
    name: 'session windows',
    build(env, out) {
      readOutOfOrder(env)
        .keyBy('key')
        .window(sessionWindows(25))
        .allowedLateness(10)
        .aggregate(sum, (total, { key, window }) => `${key} ${window.start}-${window.end} ${total}`)
        .process(watermarkProbe(out))
        .addSink(out.sink, TRANSACTIONAL)
    },
  },
  {
    name: 'count windows',
    build(env, out) {
      const keyed = readInOrder(env, { keys: 5 }).keyBy('key')
      keyed
        .countWindow(4)
        .aggregate(sum, (total, { key }) => `four ${key} ${total}`)
        .union(
          keyed.countWindow(6, 2).aggregate(sum, (total, { key }) => `six ${key} ${total}`),
          keyed
            .window(tumblingWindows(200))
            .trigger(afterWatermark({ early: purging(repeatedly(afterCount(3))) }))
            .aggregate(sum, (total, { key, window }) => `early ${key} ${window.start} ${total}`),
        )
        .addSink(out.sink, TRANSACTIONAL)
    },
  },
  {
    name: 'interval join',
    build(env, out) {
      const strategy = forMonotonousTimestamps<Event>({ timestamp: event => event.at })
      const keyed = (salt: number) =>
        readEvents(env, { splits: 1, salt }).assignTimestampsAndWatermarks(strategy).keyBy('key')
      keyed(1)
        .intervalJoin(keyed(2))
        .between(-30, 30)
        .map((left, right) => `${left.key} ${left.n} ${right.n}`)
        .addSink(out.sink, TRANSACTIONAL)
    },
  },
  {
    name: 'deduplication',
    build(env, out) {
      const keyed = readInOrder(env, { keys: 20 }).keyBy('key')
      keyed
        .deduplicate({ withinMs: 100 })
        .map(event => `first ${event.key} ${event.n}`)
        .union(keyed.deduplicate({ withinMs: 60, keep: 'last' }).map(event => `last ${event.key} ${event.n}`))
        .addSink(out.sink, TRANSACTIONAL)
    },
  },
  {
    name: 'timers',
    build(env, out) {
      readInOrder(env)
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
        .process(watermarkProbe(out))
        .addSink(out.sink, TRANSACTIONAL)
    },
  },
]
