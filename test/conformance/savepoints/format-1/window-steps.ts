// The steps of the golden job of format 1 that keep windows, and what joins and deduplication keep by time.
import type { StreamEnvironment } from '../../../../src/api/datastream/environment.ts'
import type { DataStream } from '../../../../src/api/datastream/streams.ts'
import {
  globalWindows,
  sessionWindows,
  slidingWindows,
  tumblingWindows,
} from '../../../../src/api/datastream/window-assigners.ts'
import { countEvictor } from '../../../../src/api/datastream/window-evictors.ts'
import {
  afterCount,
  afterWatermark,
  customTrigger,
  purging,
  repeatedly,
} from '../../../../src/api/datastream/window-triggers.ts'
import type { AggregateFunction } from '../../../../src/model/aggregate-function.ts'
import type { Collector } from '../../../../src/model/functions.ts'
import { list, value } from '../../../../src/model/state.ts'
import { type Event, readInOrder, readOutOfOrder, text } from './input.ts'

type Out = Collector<string>

const sum: AggregateFunction<Event, number, number> = {
  create: () => 0,
  add: (total, { n }) => total + n,
  merge: (a, b) => a + b,
  result: total => total,
}

/** Fires with every third record, and purges with every sixth. */
const inThrees = customTrigger<Event, { readonly seen: number }>({
  create: () => ({ seen: 0 }),
  onRecord(_event, _timestamp, ctx) {
    const seen = ctx.state.seen + 1
    ctx.setState({ seen })
    return seen % 6 === 0 ? 'fire-and-purge' : seen % 3 === 0 ? 'fire' : 'continue'
  },
})

/** Windows of event time whose panes have fired, are late, retracted, or yet to come. */
export function timeWindowSteps(env: StreamEnvironment): readonly DataStream<string>[] {
  const keyed = readOutOfOrder(env, 'windows', { salt: 5, keys: 5 }).keyBy('k')
  return [
    keyed
      .timeWindow(30)
      .allowedLateness(40)
      .aggregate(sum, (total, { key, window, pane }) => `tumbling ${key} ${window.start} ${total} ${pane.index}`)
      .uid('tumbling'),
    keyed
      .timeWindow(60, 20)
      .aggregate(sum, (total, { key, window }) => `sliding ${key} ${window.start} ${total}`)
      .uid('sliding'),
    keyed
      .window(slidingWindows(45, 15), { slices: 'separate', accumulation: 'discarding', allowedLatenessMs: 30 })
      .aggregate(sum, (total, { key, window }) => `separate ${key} ${window.start} ${total}`)
      .uid('separate sliding'),
    keyed
      .window(sessionWindows(25), { allowedLatenessMs: 40, accumulation: 'retracting', mergedPanes: 'retract' })
      .aggregate(sum, (total, { key, window }) => `${key} ${window.start}-${window.end} ${total}`)
      .uid('sessions')
      .changelog()
      .map(({ isRetraction, record }) => `session ${isRetraction ? '-' : '+'} ${record}`),
    keyed
      .window(sessionWindows(25), { allowedLatenessMs: 40 })
      .apply((key, window, elements, out: Out) =>
        out.collect(
          `session of ${key} ${window.start} ${elements
            .map(({ n }) => n)
            .sort()
            .join('+')}`,
        ),
      )
      .uid('session elements'),
    keyed
      .window(tumblingWindows(50), { trigger: afterWatermark({ early: purging(repeatedly(afterCount(2))) }) })
      .process({
        state: { panes: value(0) },
        globalState: { windows: list<number>() },
        onWindow(elements, { key, window, state, globalState }, out: Out) {
          state.panes.set(state.panes.get() + 1)
          globalState.windows.add(window.start)
          const found = elements
            .map(({ n }) => n)
            .sort()
            .join('+')
          out.collect(`panes ${key} ${window.start} ${found} ${state.panes.get()} ${globalState.windows.get().length}`)
        },
      })
      .uid('window state'),
  ]
}

/** Windows by count, global ones, and those of Storm and Kafka Streams. */
export function countWindowSteps(env: StreamEnvironment): readonly DataStream<string>[] {
  const keyed = readInOrder(env, 'counted', { salt: 6, keys: 5 }).keyBy('k')
  const shown = (elements: readonly Event[]): string => elements.map(({ n }) => n).join('+')
  return [
    keyed
      .countWindow(4)
      .aggregate(sum, (total, { key }) => `four ${key} ${total}`)
      .uid('four'),
    keyed
      .countWindow(6, 2)
      .aggregate(sum, (total, { key }) => `six ${key} ${total}`)
      .uid('six'),
    keyed
      .window(globalWindows())
      .trigger(inThrees)
      .aggregate(sum, (total, { key }) => `global ${key} ${total}`)
      .uid('global'),
    keyed
      .window(globalWindows())
      .trigger(repeatedly(afterCount(3)))
      .evictor(countEvictor(5))
      .apply((key, _window, elements, out: Out) => out.collect(`evicted ${key} ${shown(elements)}`))
      .uid('evicted'),
    keyed
      .mixedWindow({ length: { records: 3 }, slide: 40 })
      .process((key, { elements }, out: Out) => out.collect(`mixed ${key} ${shown(elements)}`))
      .uid('mixed'),
    keyed
      .perRecordWindow({ timeDifferenceMs: 30, graceMs: 1000 })
      .count()
      .uid('per record')
      .map(result => `per record ${text(result)}`),
  ]
}

/** What is kept by time to be joined, or known again. */
export function joinSteps(env: StreamEnvironment): readonly DataStream<string>[] {
  const left = readInOrder(env, 'joined left', { salt: 7, keys: 5 }).keyBy('k')
  const right = readInOrder(env, 'joined right', { salt: 8, keys: 5 }).keyBy('k')
  return [
    left
      .intervalJoin(right)
      .between(-15, 20)
      .joinType('full')
      .map((a, b) => `interval ${a?.k ?? '-'} ${a?.n ?? '-'} ${b?.n ?? '-'}`)
      .uid('interval join'),
    left
      .temporalJoin(right, { type: 'left', join: (a, version) => `temporal ${a.k} ${a.n} ${version?.n ?? '-'}` })
      .uid('temporal join'),
    left.join(right, { window: tumblingWindows(40), join: (a, b) => `window ${a.k} ${a.n} ${b.n}` }).uid('window join'),
    left
      .connect(right)
      .coProcess({
        state: { lefts: value(0), rights: value(0) },
        onFirst(_event, { key, state }, out: Out) {
          state.lefts.set(state.lefts.get() + 1)
          out.collect(`left of ${key} ${state.lefts.get()}`)
        },
        onSecond(_event, { key, state }, out: Out) {
          state.rights.set(state.rights.get() + 1)
          out.collect(`right of ${key} ${state.rights.get()}`)
        },
      })
      .uid('two inputs'),
    left
      .deduplicate({ withinMs: 60 })
      .uid('first of duplicates')
      .map(({ k, n }) => `first ${k} ${n}`),
    left
      .deduplicate({ withinMs: 40, keep: 'last' })
      .uid('last of duplicates')
      .map(({ k, n }) => `last ${k} ${n}`),
  ]
}
