// Jobs about records on their way: every partitioning, every kind of value and key, sources, side outputs, loops, state without key.
import {
  type DataStream,
  forMonotonousTimestamps,
  type Key,
  operatorList,
  operatorUnion,
  outputTag,
  type ProcessFunction,
  type Source,
  type StreamEnvironment,
} from '../../../../src/entry/index.ts'
import { type Event, eventOf, events, type ThreadedCase, timedEvents } from './events.ts'

const THREE = 3

/** Each event with where it came from and where it went, for steps whose placement of records is settled. */
function placed(stream: DataStream<Event>, parallelism: number): DataStream<string> {
  return stream
    .process<string>({ onRecord: ({ id }, { subtaskIndex }, out) => out.collect(`${id} at ${subtaskIndex}`) })
    .setParallelism(parallelism)
}

/** Each event, for steps that may get it anywhere. */
function spread(stream: DataStream<Event>, parallelism: number): DataStream<string> {
  return stream.map(({ id }) => `${id}`).setParallelism(parallelism)
}

const PARTITIONINGS: readonly ThreadedCase[] = [
  { name: 'forward', build: env => placed(events(env).disableChaining().forward(), 4).disableChaining() },
  { name: 'rebalance', build: env => spread(events(env).rebalance(), THREE) },
  { name: 'rescale', build: env => spread(events(env).rescale(), 2) },
  { name: 'shuffle', build: env => spread(events(env).shuffle(), 4) },
  { name: 'broadcast', build: env => placed(events(env).broadcast(), THREE) },
  { name: 'global', build: env => placed(events(env).global(), 4) },
  { name: 'local or shuffle, as many', build: env => placed(events(env).localOrShuffle(), 4).disableChaining() },
  { name: 'local or shuffle, fewer', build: env => spread(events(env).localOrShuffle(), THREE) },
  { name: 'partial key', build: env => spread(events(env).partialKey('key'), 4) },
  {
    name: 'direct',
    build: env =>
      placed(
        events(env).direct(({ n }) => n % THREE),
        THREE,
      ),
  },
  {
    name: 'custom partitioner',
    build: env =>
      placed(
        events(env).partitionCustom((key, count) => Number(key.slice(1)) % count, 'key'),
        4,
      ),
  },
]

/** One record of every kind of value that may cross. */
function valuesOf(index: number): unknown {
  const kinds: readonly (() => unknown)[] = [
    () => null,
    () => undefined,
    () => index % 2 === 0,
    () => (index % 3 === 0 ? -0 : index / 7),
    () => [Number.NaN, Infinity, -Infinity, 2 ** 40 + index],
    () => `text ${index} \u00e9 \ud83d\ude00 ${'x'.repeat(index % 90)}`,
    () => BigInt(index) ** 9n,
    () => new Date(1_700_000_000_000 + index),
    () => new Uint8Array([index, 1, 2]),
    () => new Float64Array([index, 0.5]),
    () =>
      new Map<unknown, unknown>([
        ['a', index],
        [{ deep: [index] }, new Set([1n, 'x'])],
      ]),
    () => new Set([index, `${index}`]),
    () => [1, [2, [index, []]], {}],
    () => ({ nested: { more: { values: [index, null, undefined] } }, at: new Date(index) }),
    () => (index % 4 === 0 ? { a: 1, b: 'x' } : { b: 2, a: undefined, c: index }),
  ]
  return (kinds[index % kinds.length] as () => unknown)()
}

/** One key of every kind. */
function keyOf(index: number): Key {
  const kinds: readonly Key[] = [
    null,
    index % 20,
    `${index % 20}`,
    index % 2 === 0,
    BigInt(index % 20),
    new Uint8Array([index % 5]),
    [index % 3, `${index % 2}`, [null]],
    { b: index % 3, a: 'x' },
  ]
  return kinds[index % kinds.length] as Key
}

/** Five splits, of which some subtasks read none or two, with timestamps. */
function splitSource(): Source<Event, number> {
  const size = 60
  return {
    splits: () => Array.from({ length: 5 }, (_, index) => ({ id: `split ${index}`, position: index * size })),
    open: split => {
      let next = split.position
      const end = Math.floor(split.position / size) * size + size
      return {
        read: output => {
          while (next < end) {
            const event = eventOf(next++, 3)
            if (!output.emit(event, event.at)) return next < end ? 'more' : 'end'
          }
          return 'end'
        },
        position: () => next,
        close: () => {},
      }
    },
  }
}

const dropped = outputTag<string>('dropped')

const noted = { dealt: operatorList<number>(), known: operatorUnion<number>() }

/** Keeps the numbers of events without a key, and shows how many are new. */
const noting: ProcessFunction<Event, string, typeof noted> = {
  operatorState: noted,
  onRecord({ id }, { operatorState }, out) {
    const isNew = !operatorState.known.get().includes(id)
    operatorState.dealt.add(id)
    operatorState.known.add(id)
    out.collect(`${id} ${isNew}`)
  },
}

const byTime = forMonotonousTimestamps<Event>({
  timestamp: ({ id }) => id * 10,
  alignment: { group: 'both', maxDriftMs: 100 },
})

function aligned(env: StreamEnvironment, salt: number): DataStream<Event> {
  return env.generate((index: number) => eventOf(index, salt), { count: 200, watermarks: byTime })
}

const FLOW: readonly ThreadedCase[] = [
  {
    name: 'map, filter and flatMap',
    build: env =>
      events(env)
        .filter(({ n }) => n % 3 > 0)
        .rebalance()
        .flatMap(({ id, n }) => Array.from({ length: n % 4 }, (_, copy) => ({ id, copy })))
        .rebalance()
        .map(({ id, copy }) => `${id}.${copy}`),
  },
  {
    name: 'values of every kind',
    build: env =>
      env
        .generate(index => valuesOf(index), { count: 300 })
        .rebalance()
        .map(value => ({ value })),
  },
  {
    name: 'keys of every kind',
    build: env =>
      env
        .generate(index => ({ index, key: keyOf(index) }), { count: 320 })
        .keyBy(({ key }) => key)
        .process<unknown>({
          onRecord: ({ index }, { key, subtaskIndex }, out) => out.collect([index, key, subtaskIndex]),
        }),
  },
  {
    name: 'elements',
    build: env =>
      env
        .fromElements(...Array.from({ length: 50 }, (_, n) => ({ n })))
        .keyBy('n')
        .sum('n'),
  },
  {
    name: 'an iterable made anew',
    build: env =>
      env
        .from(function* () {
          for (let n = 0; n < 80; n++) yield { n, text: `${n}` }
        })
        .keyBy('text')
        .max('n'),
  },
  {
    name: 'a source with splits',
    build: env =>
      env
        .addSource(splitSource(), { isBounded: true, hasTimestamps: true })
        .rebalance()
        .process<string>({ onRecord: ({ id }, { timestamp }, out) => out.collect(`${id} at ${timestamp}`) }),
  },
  {
    name: 'union and side outputs',
    build: env => {
      const kept = events(env)
        .union(events(env, 1))
        .process<string>({
          onRecord({ id, n }, ctx, out) {
            if (n % 5 === 0) ctx.output(dropped, `dropped ${id} ${n}`)
            else out.collect(`${id} ${n}`)
          },
        })
      return kept
        .rebalance()
        .map(text => text)
        .union(
          kept
            .sideOutput(dropped)
            .rebalance()
            .map(text => text),
        )
    },
  },
  { name: 'state without key', build: env => events(env).rebalance().process(noting) },
  {
    name: 'a loop',
    build: env =>
      events(env)
        .map(({ id }) => ({ id, left: id % 6, rounds: 0 }))
        .rebalance()
        .iterate(loop => {
          const next = loop.rebalance().map(({ id, left, rounds }) => ({ id, left: left - 1, rounds: rounds + 1 }))
          return { feedback: next.filter(({ left }) => left > 0), output: next.filter(({ left }) => left <= 0) }
        })
        .rebalance()
        .map(({ id, rounds }) => `${id} ${rounds}`),
  },
  {
    name: 'aligned sources',
    build: env =>
      aligned(env, 1)
        .union(aligned(env, 2))
        .keyBy('key')
        .timeWindow(500)
        .sum('n')
        .map(({ key, n }) => `${key} ${n}`),
  },
  {
    name: 'subtasks without input are idle',
    build: env => {
      const strategy = forMonotonousTimestamps<{ at: number; key: string }>({
        timestamp: ({ at }) => at,
        idleTimeoutMs: 1,
      })
      // All go to the first subtask, so that it does not matter when the others become idle.
      return env
        .fromElements(...Array.from({ length: 40 }, (_, n) => ({ at: n * 100, key: `${n % 3}` })))
        .global()
        .assignTimestampsAndWatermarks(strategy)
        .keyBy('key')
        .timeWindow(400)
        .count()
    },
  },
  {
    name: 'batch mode',
    build: env =>
      timedEvents(env)
        .keyBy('key')
        .sum('n')
        .map(({ key, n }) => `${key} ${n}`),
  },
]

/** All of them. */
export const RECORD_CASES: readonly ThreadedCase[] = [...PARTITIONINGS, ...FLOW]

/** Those that run with `runtimeMode: 'batch'`. */
export const BATCH_CASES: ReadonlySet<string> = new Set(['batch mode', 'windows in batch mode'])
