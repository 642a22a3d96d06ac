// Jobs with state by key, timers, two inputs, broadcast state, joins by time and asynchronous calls.
import {
  aggregating,
  avg,
  type Collector,
  collectSet,
  composite,
  count,
  forMonotonousTimestamps,
  list,
  map,
  max,
  min,
  orderedList,
  outputTag,
  reducing,
  sum,
  value,
} from '../../../../src/entry/index.ts'
import { type Event, events, orderedEvents, type ThreadedCase, timedEvents } from './events.ts'

const textOf = ({ id, key, n }: Event): string => `${id} ${key} ${n}`

const AGGREGATIONS: readonly ThreadedCase[] = [
  {
    name: 'rolling sums and extremes',
    build: env => {
      const keyed = orderedEvents(env).keyBy('key')
      return keyed.sum('n').union(keyed.min('n'), keyed.max('n'), keyed.minBy('n'), keyed.maxBy('n')).map(textOf)
    },
  },
  {
    name: 'rolling counts and means',
    build: env => {
      const keyed = orderedEvents(env).keyBy('key')
      return keyed.count().union(keyed.avg('n'), keyed.distinctCount('n'))
    },
  },
  {
    name: 'reduce',
    build: env =>
      orderedEvents(env)
        .keyBy('key')
        .reduce((a, b) => ({ ...b, n: Math.max(a.n, b.n) }))
        .map(textOf),
  },
  {
    name: 'the best and the quantiles',
    build: env => {
      const keyed = orderedEvents(env).keyBy('key')
      const best = keyed.topN(3, { by: 'n' }).map(records => records.map(textOf).join(', '))
      return best.union(keyed.quantiles('n', [0.1, 0.5, 0.9]).map(numbers => numbers.join(' ')))
    },
  },
  {
    name: 'several aggregations at once',
    build: env =>
      orderedEvents(env)
        .keyBy('key')
        .aggregate(composite({ n: count(), all: sum('n'), least: min('n'), most: max('n'), mean: avg('n') })),
  },
]

const cleared = outputTag<string>('cleared')

const STATE: readonly ThreadedCase[] = [
  {
    name: 'state of every kind',
    build: env =>
      orderedEvents(env)
        .keyBy('key')
        .process({
          state: {
            last: value<number>(),
            all: list<number>(),
            byRest: map<number, number>(),
            byTime: orderedList<number>(),
            most: reducing<number>((a, b) => Math.max(a, b)),
            seen: aggregating(collectSet((n: number) => n)),
          },
          onRecord({ n, at }, { key, state }, out: Collector<unknown>) {
            const before = state.last.get()
            state.last.set(n)
            state.all.add(n)
            state.byRest.set(n % 5, n)
            state.byTime.add(at, n)
            state.most.add(n)
            state.seen.add(n)
            out.collect([
              key,
              before,
              [...state.all.get()],
              [...state.byRest.entries()],
              state.most.get(),
              state.seen.get(),
            ])
          },
        }),
  },
  {
    name: 'timers of event time',
    build: env =>
      timedEvents(env)
        .keyBy('key')
        .process({
          state: { total: value(0) },
          onRecord({ n, at }, { state, timers }) {
            state.total.set(state.total.get() + n)
            timers.registerEventTimeTimer(Math.floor(at / 200) * 200 + 100_000)
            timers.registerEventTimeTimer(50_000 + at)
            timers.deleteEventTimeTimer(50_000 + at)
          },
          onTimer(timeMs, { key, state }, out: Collector<string>) {
            out.collect(`${key} ${timeMs} ${state.total.get()}`)
          },
        }),
  },
  {
    name: 'timers of processing time',
    build: env =>
      events(env)
        .keyBy('key')
        .process({
          state: { isKnown: value(false) },
          onRecord(_event, { state, timers }) {
            if (!state.isKnown.get()) timers.registerProcessingTimeTimer(timers.currentProcessingTime() + 5)
            state.isKnown.set(true)
          },
          onTimer(_timeMs, { key, timeDomain }, out: Collector<string>) {
            out.collect(`${key} ${timeDomain}`)
          },
        }),
  },
  {
    name: 'deduplication',
    build: env => {
      const keyed = orderedEvents(env).keyBy('key')
      const first = keyed.deduplicate({ withinMs: 60, sideOutputDuplicates: outputTag<Event>('duplicates') })
      const duplicates = first.sideOutput(outputTag<Event>('duplicates')).map(event => `duplicate ${textOf(event)}`)
      return first
        .map(event => `first ${textOf(event)}`)
        .union(
          duplicates,
          keyed.deduplicate({ withinMs: 40, keep: 'last' }).map(event => `last ${textOf(event)}`),
        )
    },
  },
]

const INPUTS: readonly ThreadedCase[] = [
  {
    name: 'two inputs without key',
    build: env => {
      const both = events(env).rebalance().connect(events(env, 1).rebalance())
      return both
        .coMap(
          ({ id }) => `first ${id}`,
          ({ n }) => `second ${n}`,
        )
        .union(
          both.coFlatMap(
            ({ id }) => [`a ${id}`, `b ${id}`],
            () => [],
          ),
        )
    },
  },
  {
    name: 'two inputs as one process',
    build: env =>
      events(env)
        .rebalance()
        .connect(events(env, 1).rebalance())
        .coProcess<string>({
          onFirst({ id }, ctx, out) {
            if (id % 7 === 0) ctx.output(cleared, `side ${id}`)
            out.collect(`first ${id}`)
          },
          onSecond: ({ n }, _ctx, out) => out.collect(`second ${n}`),
        }),
  },
  {
    name: 'two keyed inputs',
    build: env =>
      orderedEvents(env)
        .keyBy('key')
        .connect(orderedEvents(env, 1).keyBy('key'))
        .coProcess({
          state: { firsts: value(0), seconds: value(0) },
          onFirst({ n }, { key, state }, out: Collector<string>) {
            state.firsts.set(state.firsts.get() + n)
            out.collect(`${key} first ${state.firsts.get()}`)
          },
          onSecond({ n }, { key, state }, out) {
            state.seconds.set(state.seconds.get() + n)
            out.collect(`${key} second ${state.seconds.get()}`)
          },
        }),
  },
  {
    name: 'broadcast state without key',
    build: env =>
      events(env)
        .connect(orderedEvents(env, 1).broadcastState({ totals: map<string, number>() }))
        .process<string>({
          onRecord: ({ id }, _ctx, out) => out.collect(`record ${id}`),
          onBroadcast({ key, n }, { broadcast, subtaskIndex }, out) {
            broadcast.totals.set(key, (broadcast.totals.get(key) ?? 0) + n)
            out.collect(`${subtaskIndex} knows ${key} ${broadcast.totals.get(key)}`)
          },
        }),
  },
  {
    name: 'broadcast state by key',
    build: env =>
      timedEvents(env)
        .keyBy('key')
        .connect(orderedEvents(env, 1).broadcastState({ totals: map<string, number>() }))
        .process({
          state: { count: value(0) },
          onBroadcast: ({ key, n }, { broadcast }) => broadcast.totals.set(key, (broadcast.totals.get(key) ?? 0) + n),
          onRecord(_event, { state, timers }) {
            state.count.set(state.count.get() + 1)
            // What both inputs came to is settled only when both have ended.
            timers.registerEventTimeTimer(1_000_000)
          },
          onTimer(_timeMs, { key, state, broadcast }, out: Collector<string>) {
            const totals = [...broadcast.totals.entries()].map(([name, total]) => `${name}=${total}`).sort()
            out.collect(`${key} ${state.count.get()}: ${totals.join(' ')}`)
          },
        }),
  },
]

const TIME: readonly ThreadedCase[] = [
  {
    name: 'interval join',
    build: env =>
      timedEvents(env)
        .keyBy('key')
        .intervalJoin(timedEvents(env, 1).keyBy('key'))
        .between(-20, 20)
        .map((left, right) => `${left.id} ${right.id}`),
  },
  {
    name: 'outer interval join',
    build: env =>
      timedEvents(env)
        .keyBy('key')
        .intervalJoin(timedEvents(env, 1).keyBy('key'))
        .between(0, 5)
        .joinType('full')
        .map((left, right) => `${left?.id} ${right?.id}`),
  },
  {
    name: 'temporal join',
    build: env =>
      timedEvents(env)
        .keyBy('key')
        .temporalJoin(orderedEvents(env, 1).keyBy('key'), {
          type: 'left',
          join: (event, version) => `${textOf(event)} ${version?.id}`,
        }),
  },
  {
    name: 'temporal join with the table first',
    build: env =>
      timedEvents(env)
        .keyBy('key')
        .temporalJoin(orderedEvents(env, 1).keyBy('key'), {
          time: 'processing-time',
          bootstrap: true,
          allowUnboundedState: true,
          join: (event, version) => `${textOf(event)} ${version.id}`,
        }),
  },
  {
    name: 'watermarks of every record and of a clock',
    build: env => {
      const strategy = forMonotonousTimestamps<Event>({ timestamp: ({ at }) => at })
      const each = orderedEvents(env).assignTimestampsAndWatermarks({ ...strategy, emit: 'per-record' })
      const byClock = orderedEvents(env, 1).assignTimestampsAndWatermarks({ ...strategy, emit: { everyMs: 5 } })
      const windows = each.setParallelism(1).keyBy('key').timeWindow(100).count()
      return windows.union(byClock.setParallelism(1).keyBy('key').timeWindow(300).count())
    },
  },
]

/** A call that takes a turn of the event loop or two. */
async function call(event: Event, { attempt }: { readonly attempt: number }): Promise<Event> {
  for (let turn = 0; turn < event.n % 3; turn++) await new Promise<void>(resolve => setImmediate(resolve))
  if (event.n % 9 === 0 && attempt === 1) throw new Error('a failure that passes')
  return event
}

const retry = { attempts: 2, delayMs: 1 }

const CALLS: readonly ThreadedCase[] = [
  {
    name: 'asynchronous calls',
    build: env =>
      timedEvents(env)
        .rebalance()
        .mapAsync(call, { capacity: 6, retry })
        .rebalance()
        .mapAsync(call, { capacity: 4, order: 'unordered', retry })
        .keyBy('key')
        .timeWindow(200)
        .sum('n')
        .map(({ key, n }) => `${key} ${n}`),
  },
  {
    name: 'asynchronous calls with several results',
    build: env =>
      events(env)
        .rebalance()
        .flatMapAsync(async event => [textOf(await call(event, { attempt: 2 })), `again ${event.id}`])
        .rebalance()
        .map(text => text),
  },
]

/** All of them. */
export const KEYED_CASES: readonly ThreadedCase[] = [...AGGREGATIONS, ...STATE, ...INPUTS, ...TIME, ...CALLS]
