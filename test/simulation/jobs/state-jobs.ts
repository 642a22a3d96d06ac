// Simulated jobs whose state is declared by functions, kept by key or not, or under way: in loops and in asynchronous calls.
import type { ProcessFunction } from '../../../src/model/functions.ts'
import { operatorList, operatorUnion } from '../../../src/model/operator-state.ts'
import { map, value } from '../../../src/model/state.ts'
import { forMonotonousTimestamps } from '../../../src/time/watermark-strategies.ts'
import { checkCounts, checkElements, checkSequences } from '../support/checkers.ts'
import { type Event, eventsOf, readEvents } from '../support/events.ts'
import { type SimulatedJob, TRANSACTIONAL } from '../support/simulated-job.ts'

/** What the broadcast side of a job gets: amounts by kind. */
const BROADCAST = { splits: 1, count: 30, salt: 5, keys: 3 }
/** Behind all events. */
const END_MS = 1_000_000

const noted = { dealt: operatorList<number>(), known: operatorUnion<number>() }

/** Keeps the numbers of all events in state without key. */
const noteNumbers: ProcessFunction<Event, string, typeof noted> = {
  operatorState: noted,
  onRecord({ n }, { operatorState }, collector) {
    operatorState.dealt.add(n)
    // After a start each subtask knows all that was known, and keeps it.
    operatorState.known.set([...new Set([...operatorState.known.get(), n])])
    collector.collect(`${n}`)
  },
}

export const STATE_JOBS: readonly SimulatedJob[] = [
  {
    name: 'rolling count',
    build(env, out) {
      // The order of a key's records over several splits is open, so the count alone is shown.
      readEvents(env)
        .keyBy('key')
        .process({
          state: { count: value(0) },
          onRecord(event, ctx, collector) {
            const count = ctx.state.count.get() + 1
            ctx.state.count.set(count)
            collector.collect(`${event.key} ${count}`)
          },
        })
        .addSink(out.sink, TRANSACTIONAL)
    },
    checkOrder: checkSequences,
    options: { onCheckpoint: checkCounts(eventsOf(), 'count', values => values.count) },
  },
  {
    name: 'rolling aggregate',
    build(env, out) {
      readEvents(env)
        .keyBy('key')
        .aggregate({
          create: () => ({ key: '', count: 0 }),
          add: (seen, { key }: Event) => ({ key, count: seen.count + 1 }),
          merge: (a, b) => ({ key: a.key, count: a.count + b.count }),
          result: ({ key, count }) => `${key} ${count}`,
        })
        .addSink(out.sink, TRANSACTIONAL)
    },
    checkOrder: checkSequences,
    options: {
      onCheckpoint: checkCounts(eventsOf(), 'accumulators', ({ count, accumulator }) =>
        (accumulator as { readonly count: number }).count === count
          ? count
          : `${count} records, ${JSON.stringify(accumulator)}`,
      ),
    },
  },
  {
    name: 'two inputs',
    build(env, out) {
      const left = readEvents(env, { splits: 1, count: 80, salt: 3 }).keyBy('key')
      const right = readEvents(env, { splits: 2, count: 40, salt: 4 }).keyBy('key')
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
        .addSink(out.sink, TRANSACTIONAL)
    },
    checkOrder: checkSequences,
  },
  {
    name: 'broadcast state',
    build(env, out) {
      const strategy = forMonotonousTimestamps<Event>({ timestamp: event => event.at })
      const amounts = readEvents(env, BROADCAST)
        .setParallelism(1)
        .assignTimestampsAndWatermarks(strategy)
        .setParallelism(1)
        .broadcastState({ totals: map<string, number>() })
      readEvents(env, { splits: 2 })
        .assignTimestampsAndWatermarks(strategy)
        .keyBy('key')
        .connect(amounts)
        .process({
          state: { count: value(0) },
          onBroadcast: ({ key, n }, ctx) => ctx.broadcast.totals.set(key, (ctx.broadcast.totals.get(key) ?? 0) + n),
          onRecord(_event, ctx) {
            ctx.state.count.set(ctx.state.count.get() + 1)
            // What both inputs came to is settled only when both have ended.
            ctx.timers.registerEventTimeTimer(END_MS)
          },
          onTimer(_timeMs, ctx, collector: { collect(text: string): void }) {
            const totals = [...ctx.broadcast.totals.entries()].map(([key, total]) => `${key}=${total}`).sort()
            collector.collect(`${ctx.key} ${ctx.state.count.get()}: ${totals.join(' ')}`)
          },
        })
        .addSink(out.sink, TRANSACTIONAL)
    },
  },
  {
    name: 'operator state',
    build(env, out) {
      readEvents(env, { splits: 2 })
        .process(noteNumbers as unknown as ProcessFunction<Event, string>)
        .addSink(out.sink, TRANSACTIONAL)
    },
    options: {
      onCheckpoint: async snapshot => {
        const splits = eventsOf({ splits: 2 })
        await checkElements(splits, 'operator-state/dealt', false)(snapshot)
        await checkElements(splits, 'operator-state/known', true)(snapshot)
      },
    },
  },
  {
    name: 'asynchronous calls',
    build(env, out) {
      const call = async (event: Event, { attempt }: { readonly attempt: number }): Promise<Event> => {
        await out.clock.sleep((event.n * 7) % 12)
        if (event.n % 9 === 0 && attempt === 1) throw new Error('a failure that passes')
        return event
      }
      const retry = { attempts: 2, delayMs: 1 }
      readEvents(env)
        .mapAsync(call, { capacity: 6, retry })
        .mapAsync(call, { capacity: 4, order: 'unordered', retry })
        .map(event => `${event.key} ${event.n}`)
        .addSink(out.sink, TRANSACTIONAL)
    },
  },
  {
    name: 'feedback loop',
    build(env, out) {
      readEvents(env, { splits: 2, count: 40 })
        .map(event => ({ id: event.n, left: event.n % 6, rounds: 0 }))
        .iterate(loop => {
          const next = loop.map(item => ({ ...item, left: item.left - 1, rounds: item.rounds + 1 }))
          return {
            feedback: next.filter(item => item.left > 0),
            output: next.filter(item => item.left <= 0),
          }
        })
        .map(item => `${item.id} ${item.rounds}`)
        .addSink(out.sink, TRANSACTIONAL)
    },
  },
]
