// The steps of the golden job of format 1 that keep state by their functions: every kind of it, kept by every type of key or by none.
import type { StreamEnvironment } from '../../../../src/api/datastream/environment.ts'
import type { DataStream } from '../../../../src/api/datastream/streams.ts'
import { approximateDistinctCount } from '../../../../src/functions/approximate-distinct-count.ts'
import { composite } from '../../../../src/functions/composite.ts'
import { collectList, collectSet, distinctCount } from '../../../../src/functions/distinct-values.ts'
import { avg, count, max, sum } from '../../../../src/functions/number-aggregates.ts'
import { quantiles } from '../../../../src/functions/quantiles.ts'
import { topN } from '../../../../src/functions/top-n.ts'
import { type Codec, jsonCodec } from '../../../../src/model/codec.ts'
import type { Collector, KeyedProcessFunction, ProcessFunction } from '../../../../src/model/functions.ts'
import type { Key } from '../../../../src/model/key.ts'
import { operatorList, operatorUnion } from '../../../../src/model/operator-state.ts'
import { aggregating, list, map, orderedList, reducing, value } from '../../../../src/model/state.ts'
import type { VirtualClock } from '../../../../src/runtime/simulated-scheduler.ts'
import { type Event, KEYS, readInOrder, readSplits, text } from './input.ts'

/** Processing time at which the clock of every run stands at its start. */
export const START_MS = 1_000_000_000_000
const TIMER_MS = START_MS + 3_600_000
const DAY_MS = 86_400_000
/** Behind all events. */
const END_MS = 1_000_000

type Out = Collector<string>
type MapKey = string | number | boolean | bigint

const everyState = {
  count: value(0),
  odd: value<unknown>(),
  waiting: list<number>(),
  byName: map<MapKey, Event>(),
  byTime: orderedList<string>(),
  longest: reducing<string>((a, b) => (b.length > a.length ? b : a)),
  mean: aggregating(avg<Event>(event => event.n)),
}

/** A value of every type that state may hold, with types within types. */
function oddValue({ n, at }: Event): unknown {
  const leaves = [undefined, null, Number.NaN, -0, -Infinity, 10n ** 30n, `${n}\u0000é`, new Date(at), n % 2 === 0]
  return { leaves, map: new Map([[{ n }, new Set([n, 'n'])]]), bytes: new Uint8Array([n, 255]), nested: { at } }
}

const keepsEveryState: KeyedProcessFunction<Key, Event, string, typeof everyState> = {
  state: everyState,
  onRecord(event, { state, timers }) {
    const { n, at } = event
    const names: readonly MapKey[] = [`n${n % 2}`, n % 3, n % 2 === 0, BigInt(n % 3)]
    if (state.count.get() === 0) timers.registerProcessingTimeTimer(TIMER_MS + event.k)
    state.count.set(state.count.get() + 1)
    state.odd.set(oddValue(event))
    state.waiting.add(n)
    state.byName.set(names[n % names.length] as MapKey, event)
    state.byTime.add(1000 - at, `t${n}`)
    state.longest.add('x'.repeat((n * 7) % 11))
    state.mean.add(event)
    timers.registerEventTimeTimer(at + 120)
    if (n % 5 === 0) timers.deleteEventTimeTimer(at + 115)
  },
  onTimer(timeMs, { key, state, timeDomain }, out) {
    if (timeDomain === 'processing-time') {
      out.collect(`processing time ${text(key)} ${timeMs - TIMER_MS}`)
      return
    }
    const byTime: string[] = []
    state.byTime.forEach((element, elementMs) => byTime.push(`${elementMs}:${element}`))
    const kept = { waiting: state.waiting.get(), byName: [...state.byName.entries()], byTime }
    const joined = { longest: state.longest.get()?.length, mean: state.mean.get() }
    out.collect(
      `${text(key)} ${timeMs} ${text({ count: state.count.get(), odd: state.odd.get(), ...kept, ...joined })}`,
    )
    state.waiting.clear()
    state.byTime.shift()
    if (timeMs % 3 === 0) state.byName.clear()
  },
}

const celsius: Codec<number> = {
  name: 'celsius',
  encode: degrees => new Uint8Array([degrees + 50]),
  decode: bytes => (bytes[0] as number) - 50,
}

const writtenState = {
  coded: value(0, { codec: celsius }),
  json: list<{ readonly n: number }>({ codec: jsonCodec() }),
  versioned: value(() => ({ total: 0 }), { version: 2, migrate: () => ({ total: -1 }) }),
  fresh: value(0, { ttl: { durationMs: DAY_MS } }),
  freshMap: map<string, number>({ ttl: { durationMs: DAY_MS, updateOn: 'read' } }),
}

const keepsWrittenState: KeyedProcessFunction<number, Event, string, typeof writtenState> = {
  state: writtenState,
  onRecord({ n }, { key, state }, out) {
    state.coded.set(state.coded.get() + 1)
    state.json.add({ n })
    state.versioned.set({ total: state.versioned.get().total + n })
    state.fresh.set(state.fresh.get() + 1)
    state.freshMap.set(`${n % 3}`, n)
    const values = [state.coded.get(), state.json.get().length, state.versioned.get().total, state.fresh.get()]
    out.collect(`written ${key} ${values.join(' ')} ${[...state.freshMap.entries()].join(' ')}`)
  },
}

const noted = { dealt: operatorList<number>(), known: operatorUnion<{ readonly n: number }>() }

const notes: ProcessFunction<Event, string, typeof noted> = {
  operatorState: noted,
  onRecord({ n }, { operatorState: { dealt, known } }, out) {
    dealt.add(n)
    known.set([...known.get().slice(-3), { n }])
    const sumOfAll = dealt.get().reduce((a, b) => a + b, 0)
    out.collect(`noted ${n}: ${sumOfAll} ${text(known.get())}`)
  },
}

/** State that functions declare. */
export function declaredStateSteps(env: StreamEnvironment): readonly DataStream<string>[] {
  const events = readInOrder(env, 'declared', { salt: 1 })
  const splits = readSplits(env, 'splits')
  return [
    events
      .keyBy(({ k }) => KEYS[k])
      .process(keepsEveryState as never)
      .uid('every state') as DataStream<string>,
    events.keyBy('k').process(keepsWrittenState).uid('written state'),
    events
      .process(notes as unknown as ProcessFunction<Event, string>)
      .uid('operator state')
      .setParallelism(1),
    splits
      .keyBy('k')
      .process({
        state: { count: value(0) },
        onRecord(_event, { key, state }, out: Out) {
          state.count.set(state.count.get() + 1)
          out.collect(`split ${key} ${state.count.get()}`)
        },
      })
      .uid('of splits'),
  ]
}

/** Rolling aggregations, with the accumulators of all aggregates that come with the library. */
export function rollingSteps(env: StreamEnvironment): readonly DataStream<string>[] {
  const keyed = readInOrder(env, 'rolling', { salt: 2 }).keyBy('k')
  const all = composite({
    sum: sum('n'),
    count: count(),
    max: max('n'),
    different: distinctCount<Event>(({ n }) => n % 4),
    about: approximateDistinctCount<Event>(({ n }) => n % 5, { standardError: 0.2 }),
    quantiles: quantiles('n', [0.5, 1]),
    top: topN<Event>(2, { by: 'n' }),
    set: collectSet<Event, string>(({ n }) => `s${n % 3}`),
    list: collectList<Event, number>(({ n }) => n),
  })
  return [
    keyed
      .sum('n')
      .uid('sum')
      .map(({ k, n }) => `sum ${k} ${n}`),
    keyed
      .minBy('at')
      .uid('least')
      .map(({ k, n }) => `least ${k} ${n}`),
    keyed
      .reduce((a, b) => ({ ...b, n: Math.max(a.n, b.n) }))
      .uid('reduce')
      .map(({ k, n }) => `greatest ${k} ${n}`),
    keyed
      .aggregate(all)
      .uid('aggregates')
      .map(result => `aggregates ${text(result)}`),
  ]
}

/** Two inputs, one of them broadcast; asynchronous calls; a loop; sources that come with the library. */
export function connectedSteps(env: StreamEnvironment, clock: VirtualClock): readonly DataStream<string>[] {
  const left = readInOrder(env, 'left', { salt: 3 })
  const totals = readInOrder(env, 'right', { salt: 4 }).broadcastState({ totals: map<number, number>() })
  const answer = async ({ k, n }: Event): Promise<string> => {
    await clock.sleep((n * 7) % 12)
    return `${k} ${n}`
  }
  return [
    left
      .keyBy('k')
      .connect(totals)
      .process({
        state: { count: value(0) },
        onBroadcast: ({ k, n }, { broadcast }) => broadcast.totals.set(k, (broadcast.totals.get(k) ?? 0) + n),
        onRecord(_event, { state, timers }) {
          state.count.set(state.count.get() + 1)
          timers.registerEventTimeTimer(END_MS)
        },
        onTimer(_timeMs, { key, state, broadcast }, out: Out) {
          const sorted = [...broadcast.totals.entries()].sort(([a], [b]) => a - b)
          out.collect(`broadcast ${key} ${state.count.get()} ${text(sorted)}`)
        },
      })
      .uid('broadcast'),
    left
      .mapAsync(answer, { capacity: 6 })
      .uid('ordered calls')
      .map(line => `ordered ${line}`),
    left
      .mapAsync(answer, { capacity: 4, order: 'unordered' })
      .uid('unordered calls')
      .map(line => `unordered ${line}`),
    loopStep(env),
    env
      .generate(index => index, { count: 40, recordsPerSecond: 1000 })
      .uid('generated')
      .map(index => `generated ${index}`),
    env
      .fromElements('to', 'be')
      .uid('elements')
      .map(word => `element ${word}`),
  ]
}

function loopStep(env: StreamEnvironment): DataStream<string> {
  return readSplits(env, 'loop')
    .map(event => ({ id: `${event.n} ${event.k}`, left: event.n % 23, rounds: 0 }))
    .iterate(loop => {
      const next = loop.rebalance().map(item => ({ ...item, left: item.left - 1, rounds: item.rounds + 1 }))
      return { feedback: next.filter(({ left }) => left > 0), output: next.filter(({ left }) => left <= 0) }
    })
    .uid('loop')
    .map(({ id, rounds }) => `loop ${id} ${rounds}`)
}
