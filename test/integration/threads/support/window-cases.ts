// Jobs with windows of each family, their triggers, panes that are taken back, late records, and joins within windows.
import {
  type AggregateFunction,
  afterCount,
  afterWatermark,
  type Collector,
  calendarWindows,
  countEvictor,
  customWindows,
  type DataStream,
  forMonotonousTimestamps,
  globalWindows,
  outputTag,
  purging,
  records,
  repeatedly,
  type StreamEnvironment,
  sessionWindows,
  slidingWindows,
  tumblingWindows,
  value,
} from '../../../../src/entry/index.ts'
import { type Event, events, orderedEvents, type ThreadedCase, timedEvents } from './events.ts'

const total: AggregateFunction<Event, number, number> = {
  create: () => 0,
  add: (sum, { n }) => sum + n,
  merge: (a, b) => a + b,
  result: sum => sum,
}

const shown = (
  sum: number,
  { key, window }: { readonly key: unknown; readonly window: { start: number; end: number } },
) => `${key} [${window.start}, ${window.end}) ${sum}`

const FAMILIES: readonly ThreadedCase[] = [
  { name: 'tumbling windows', build: env => timedEvents(env).keyBy('key').timeWindow(100).aggregate(total, shown) },
  {
    name: 'tumbling windows with an offset',
    build: env =>
      timedEvents(env)
        .keyBy('key')
        .window(tumblingWindows(300, { offsetMs: 70 }))
        .aggregate(total, shown),
  },
  { name: 'sliding windows', build: env => timedEvents(env).keyBy('key').timeWindow(300, 100).aggregate(total, shown) },
  {
    name: 'sliding windows without shared slices',
    build: env =>
      timedEvents(env).keyBy('key').window(slidingWindows(200, 70), { slices: 'separate' }).aggregate(total, shown),
  },
  { name: 'sessions', build: env => timedEvents(env).keyBy('key').window(sessionWindows(15)).aggregate(total, shown) },
  {
    name: 'sessions with gaps of their own',
    build: env =>
      timedEvents(env)
        .keyBy('key')
        .window(sessionWindows<Event>(({ n }) => 1 + (n % 20)))
        .aggregate(total, shown),
  },
  {
    name: 'count windows',
    build: env => {
      const keyed = orderedEvents(env).keyBy('key')
      const text = (sum: number, { key }: { readonly key: string }): string => `${key} ${sum}`
      return keyed.countWindow(4).aggregate(total, text).union(keyed.countWindow(6, 2).aggregate(total, text))
    },
  },
  {
    name: 'global windows',
    build: env =>
      orderedEvents(env)
        .keyBy('key')
        .window(globalWindows())
        .trigger(purging(repeatedly(afterCount(3))))
        .aggregate(total, (sum, { key }) => `${key} ${sum}`),
  },
  {
    name: 'calendar windows',
    build: env =>
      events(env)
        .assignTimestampsAndWatermarks(
          forMonotonousTimestamps<Event>({ timestamp: ({ id }) => Date.UTC(2026, 2, 27) + (id % 150) * 3_600_000 }),
        )
        .keyBy('key')
        .window(calendarWindows({ unit: 'days', count: 1, timeZone: 'Europe/Dublin' }))
        .aggregate(total, shown),
  },
  {
    name: 'windows by a function',
    build: env =>
      timedEvents(env)
        .keyBy('key')
        .window(
          customWindows<Event>({
            assign: (_event, at) => [
              { start: Math.floor(at / 90) * 90, end: Math.floor(at / 90) * 90 + 90 + (at % 2) },
            ],
          }),
        )
        .aggregate(total, shown),
  },
  {
    name: 'windows of all records',
    build: env =>
      timedEvents(env)
        .windowAll(tumblingWindows(250))
        .aggregate(total, (sum, { window }) => `${window.start} ${sum}`),
  },
  {
    name: 'mixed windows',
    build: env => {
      const keyed = orderedEvents(env).keyBy('key')
      const describe = (key: string, window: { elements: readonly Event[] }, out: Collector<string>): void =>
        out.collect(`${key} ${window.elements.map(({ id }) => id).join('+')}`)
      return keyed
        .mixedWindow({ length: records(3), slide: 200 })
        .process<string>(describe)
        .union(keyed.mixedWindow({ length: 400, slide: records(2) }).process<string>(describe))
    },
  },
  {
    name: 'windows around each record',
    build: env => {
      const keyed = orderedEvents(env).keyBy('key')
      const close = keyed.perRecordWindow({ timeDifferenceMs: 150, emit: 'on-close' }).count()
      return close.union(keyed.perRecordWindow({ timeDifferenceMs: 100 }).aggregate(total))
    },
  },
  {
    name: 'windows in batch mode',
    build: env => timedEvents(env).keyBy('key').timeWindow(100).aggregate(total, shown),
  },
]

const late = outputTag<Event>('late')
const details = outputTag<string>('details')

/** One subtask whose watermark follows each record: which records are late is settled. */
function eventsWithLateOnes(env: StreamEnvironment): DataStream<Event> {
  const strategy = forMonotonousTimestamps<Event>({ timestamp: ({ id, at }) => (id % 6 === 5 ? at - 120 : at) })
  return orderedEvents(env)
    .assignTimestampsAndWatermarks({ ...strategy, emit: 'per-record' })
    .setParallelism(1)
}

const PANES: readonly ThreadedCase[] = [
  {
    name: 'late records',
    build: env => {
      const windows = eventsWithLateOnes(env)
        .keyBy('key')
        .timeWindow(50)
        .allowedLateness(40)
        .sideOutputLateData(late)
        .aggregate(total, (sum, ctx) => `${shown(sum, ctx)} ${ctx.pane.timing}`)
      return windows.union(windows.sideOutput(late).map(({ id }) => `late ${id}`))
    },
  },
  {
    name: 'late records that are counted',
    build: env => eventsWithLateOnes(env).keyBy('key').timeWindow(50).aggregate(total, shown),
  },
  {
    name: 'early panes',
    build: env =>
      orderedEvents(env)
        .keyBy('key')
        .timeWindow(400)
        .trigger(afterWatermark({ early: repeatedly(afterCount(2)) }))
        .aggregate(total, (sum, ctx) => `${shown(sum, ctx)} ${ctx.pane.timing} ${ctx.pane.index}`),
  },
  {
    name: 'panes that are taken back',
    build: env =>
      orderedEvents(env)
        .keyBy('key')
        .window(tumblingWindows(400), {
          trigger: afterWatermark({ early: repeatedly(afterCount(2)) }),
          accumulation: 'retracting',
        })
        .sum('n')
        .changelog()
        .rebalance()
        .map(({ isRetraction, record }) => `${isRetraction ? '-' : '+'} ${record.key} ${record.n}`),
  },
  {
    name: 'sums of panes that are taken back',
    build: env =>
      orderedEvents(env)
        .keyBy('key')
        .window(tumblingWindows(400), {
          trigger: afterWatermark({ early: repeatedly(afterCount(2)) }),
          accumulation: 'retracting',
        })
        .sum('n')
        .keyBy('key')
        .sum('n')
        .changelog()
        .map(({ isRetraction, record }) => `${isRetraction} ${record.key} ${record.n}`),
  },
  {
    name: 'results on close',
    build: env =>
      timedEvents(env).keyBy('key').timeWindow(100).allowedLateness(100).emitOnClose().aggregate(total, shown),
  },
  {
    name: 'evictors',
    build: env =>
      orderedEvents(env)
        .keyBy('key')
        .timeWindow(500)
        .evictor(countEvictor(2))
        .apply<string>((key, { start }, elements, out) =>
          out.collect(`${key} ${start} ${elements.map(({ id }) => id).join('+')}`),
        ),
  },
  {
    name: 'functions over windows',
    build: env => {
      const windows = timedEvents(env)
        .keyBy('key')
        .timeWindow(250)
        .process({
          globalState: { windows: value(0) },
          onWindow(elements, ctx, out: Collector<string>) {
            const count = ctx.globalState.windows.get() + 1
            ctx.globalState.windows.set(count)
            ctx.output(details, `window ${count} of ${ctx.key}`)
            out.collect(
              `${ctx.key} ${ctx.window.start} ${elements
                .map(({ id }) => id)
                .sort()
                .join('+')}`,
            )
          },
        })
      return windows.union(windows.sideOutput(details))
    },
  },
  {
    name: 'aggregations of windows',
    build: env => {
      const windows = timedEvents(env).keyBy('key').timeWindow(400)
      return windows
        .count()
        .union(windows.avg('n'), windows.distinctCount('n'))
        .map(number => `${number}`)
        .union(windows.quantiles('n', [0.25, 0.5]).map(numbers => numbers.join(' ')))
    },
  },
]

const JOINS: readonly ThreadedCase[] = [
  {
    name: 'window join',
    build: env =>
      timedEvents(env)
        .keyBy('key')
        .join(timedEvents(env, 1).keyBy('key'), {
          window: tumblingWindows(100),
          type: 'full',
          join: (left, right, { window }) => `${window.start} ${left?.id} ${right?.id}`,
        }),
  },
  {
    name: 'co-group of three',
    build: env =>
      timedEvents(env)
        .keyBy('key')
        .coGroup([timedEvents(env, 1).keyBy('key'), orderedEvents(env, 2).keyBy('key')], {
          window: slidingWindows(200, 100),
          coGroup: (groups, { key, window }, out: Collector<string>) =>
            out.collect(`${key} ${window.start} ${groups.map(group => group.length).join(' ')}`),
        }),
  },
]

/** All of them. */
export const WINDOW_CASES: readonly ThreadedCase[] = [...FAMILIES, ...PANES, ...JOINS]
