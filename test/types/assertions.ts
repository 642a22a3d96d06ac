// Types that must follow by themselves, as assertions for the compiler: a wrong one is an error of this file. Nothing here runs.
import {
  approximateDistinctCount,
  avg,
  type Collector,
  collectList,
  collectSet,
  composite,
  count,
  type DataStream,
  distinctCount,
  environment,
  forGenerator,
  forMonotonousTimestamps,
  type KeyedStream,
  list,
  map,
  max,
  orderedList,
  outputTag,
  quantiles,
  records,
  type Source,
  type SourceOptions,
  seconds,
  sum,
  topN,
  value,
  type WindowedResult,
} from 'millrace'
import { customWindows, tumblingWindows } from '../../src/api/datastream/window-assigners.ts'
import type { Change, TimeWindow } from '../../src/model/functions.ts'

/** True when the two types are the same, not only assignable to each other. */
type Equal<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false

/** The record type of a stream. */
type RecordOf<S> = S extends DataStream<infer T> ? T : never

/** The key type of a keyed stream. */
type KeyIn<S> = S extends KeyedStream<infer _, infer K> ? K : never

/** Accepts only `true` types. */
declare function holds<_Assertion extends true>(): void

interface Word {
  word: string
  frequency: number
}

interface Alert {
  readonly text: string
}

/** The deck's programs, word for word. */
export function wordCounts(): void {
  const env = environment()
  const words = env
    .socketTextStream('localhost', 9999)
    .flatMap(line => line.split(' '))
    .map(word => ({ word, frequency: 1 }))
  holds<Equal<typeof words, DataStream<Word>>>()
  const rolling = words.keyBy('word').sum('frequency')
  const windowed = words.keyBy('word').timeWindow(seconds(5)).sum('frequency')
  holds<Equal<typeof rolling, DataStream<Word>>>()
  holds<Equal<typeof windowed, DataStream<Word>>>()
  rolling.print()
  windowed.print()
}

/** Keys are typed by the selector. */
export function keys(words: DataStream<Word>): void {
  const byField = words.keyBy('word')
  const byFields = words.keyBy(['word', 'frequency'])
  const byFunction = words.keyBy(record => record.word.length)
  holds<Equal<KeyIn<typeof byField>, string>>()
  holds<Equal<KeyIn<typeof byFields>, readonly [string, number]>>()
  holds<Equal<KeyIn<typeof byFunction>, number>>()
  byFields.timeWindow(1).apply((key, window, elements, out: Collector<string>) => {
    holds<Equal<typeof key, readonly [string, number]>>()
    holds<Equal<typeof elements, readonly Word[]>>()
    out.collect(`${key[0]} ${window.start} ${elements.length}`)
  })
}

/** State is typed by its declaration, the output by the collector; records, contexts and keys need no annotation. */
export function processing(words: DataStream<Word>): void {
  const late = outputTag<number>('late')
  const alerts = words.keyBy('word').process({
    state: { count: value(0), name: value<string>(), seen: list<Word>(), byLength: map<number, string>() },
    onRecord(record, ctx, out: Collector<Alert>) {
      holds<Equal<typeof record, Word>>()
      holds<Equal<typeof ctx.key, string>>()
      const { count, name, seen, byLength } = ctx.state
      const before = count.get()
      const nameBefore = name.get()
      const lengthBefore = byLength.get(1)
      holds<Equal<typeof before, number>>()
      holds<Equal<typeof nameBefore, string | undefined>>()
      holds<Equal<typeof lengthBefore, string | undefined>>()
      count.set(before + 1)
      seen.add(record)
      ctx.output(late, before)
      ctx.timers.registerEventTimeTimer(5)
      out.collect({ text: record.word })
    },
    onTimer(timestampMs, ctx, out) {
      holds<Equal<typeof timestampMs, number>>()
      out.collect({ text: `${ctx.key} ${ctx.state.count.get()}` })
    },
  })
  holds<Equal<typeof alerts, DataStream<Alert>>>()
  const lateNumbers = alerts.sideOutput(late)
  holds<Equal<typeof lateNumbers, DataStream<number>>>()
  const joined = words
    .keyBy('word')
    .connect(alerts.keyBy('text'))
    .coProcess({
      state: { last: value('') },
      onFirst(record, ctx, out: Collector<number>) {
        ctx.state.last.set(record.word)
        out.collect(record.frequency)
      },
      onSecond(alert, ctx, out) {
        out.collect(alert.text.length + ctx.state.last.get().length)
      },
    })
  holds<Equal<typeof joined, DataStream<number>>>()
}

/** Aggregations keep the record type or give their result type. */
export function aggregating(words: DataStream<Word>): void {
  const mean = words.keyBy('word').aggregate({
    create: () => ({ count: 0, sum: 0 }),
    add(accumulator, record) {
      accumulator.count++
      accumulator.sum += record.frequency
      return accumulator
    },
    merge: (a, b) => ({ count: a.count + b.count, sum: a.sum + b.sum }),
    result: accumulator => accumulator.sum / accumulator.count,
  })
  holds<Equal<typeof mean, DataStream<number>>>()
  const longest = words
    .keyBy('word')
    .countWindow(3)
    .reduce((a, b) => (a.frequency > b.frequency ? a : b))
  holds<Equal<typeof longest, DataStream<Word>>>()
}

/** Built-in aggregations give their result types; the fields they name must be the stream's, of the right type. */
export function builtIn(words: DataStream<Word & { note?: string | null }>): void {
  const byWord = words.keyBy('word')
  const windows = byWord.timeWindow(seconds(5))
  for (const stream of [byWord, windows]) {
    holds<Equal<RecordOf<ReturnType<typeof stream.count>>, number>>()
    const top = stream.topN(3, { by: record => record.frequency })
    holds<Equal<RecordOf<typeof top>, readonly (Word & { note?: string | null })[]>>()
    stream.topN(3, { by: 'frequency', order: 'ascending' }).print()
    // @ts-expect-error a word is no number.
    stream.topN(3, { by: 'word' })
    // @ts-expect-error a word is no number.
    stream.avg('word')
    // @ts-expect-error there is no such field.
    stream.distinctCount('wrod')
    const middle = stream.quantiles('frequency', [0.5])
    holds<Equal<RecordOf<typeof middle>, readonly number[]>>()
  }
  const parts = windows.aggregate(
    composite({ total: sum('frequency'), mean: avg('frequency'), words: distinctCount('word'), records: count() }),
  )
  interface Parts {
    readonly total: number
    readonly mean: number
    readonly words: number
    readonly records: number
  }
  holds<Equal<keyof RecordOf<typeof parts>, keyof Parts>>()
  const same: DataStream<Parts> = parts
  same.print()
  const byFunction = byWord.aggregate(sum(record => record.frequency))
  holds<Equal<typeof byFunction, DataStream<number>>>()
  const notes = byWord.aggregate(collectSet(record => record.note))
  holds<Equal<typeof notes, DataStream<ReadonlySet<string>>>>()
  const texts = byWord.aggregate(collectList(record => record.word))
  holds<Equal<typeof texts, DataStream<readonly string[]>>>()
  const best = byWord.aggregate(topN(1, { by: 'frequency' }))
  holds<Equal<RecordOf<typeof best>[number]['word'], string>>()
  byWord.aggregate(approximateDistinctCount(record => record.note)).print()
  byWord.aggregate(quantiles('frequency', [0.5])).print()
  // @ts-expect-error a word is no number.
  byWord.aggregate(max('word'))
  // @ts-expect-error there is no such field.
  byWord.aggregate(distinctCount('wrod'))
  // @ts-expect-error there is no such field, in one part of several.
  windows.aggregate(composite({ total: sum('frequency'), words: count('wrod') }))
}

/** Results of windows after Storm and Kafka carry key, window and record types. */
export function legacyWindows(words: DataStream<Word>): void {
  const byBoth = words.keyBy(['word', 'frequency'])
  const mixed = byBoth
    .mixedWindow({ length: records(5), slide: seconds(10) })
    .process((key, window, out: Collector<string>) => {
      holds<Equal<typeof key, readonly [string, number]>>()
      holds<Equal<typeof window.elements, readonly Word[]>>()
      holds<Equal<typeof window.expired, readonly Word[]>>()
      holds<Equal<typeof window.end, number>>()
      out.collect(key[0])
    })
  holds<Equal<typeof mixed, DataStream<string>>>()
  const perRecord = byBoth.perRecordWindow({ timeDifferenceMs: seconds(5) })
  const counts = perRecord.count()
  const reduced = perRecord.reduce((_, last) => last)
  const texts = perRecord.aggregate({
    create: () => 0,
    add: (sum, record) => sum + record.frequency,
    merge: (a, b) => a + b,
    result: sum => `${sum}`,
  })
  holds<Equal<typeof counts, DataStream<WindowedResult<readonly [string, number], number>>>>()
  holds<Equal<typeof reduced, DataStream<WindowedResult<readonly [string, number], Word>>>>()
  holds<Equal<typeof texts, DataStream<WindowedResult<readonly [string, number], string>>>>()
  // @ts-expect-error a reduce keeps the type of its records.
  perRecord.reduce((_, last) => last.word)
  // @ts-expect-error a reduce keeps the type of its records.
  byBoth.mixedWindow({ length: 5, slide: records(1) }).reduce((_, last) => last.word)
}

/** Streams of several types. */
export function combining(words: DataStream<Word>, texts: DataStream<string>): void {
  const united = words.union(texts)
  holds<Equal<RecordOf<typeof united>, Word | string>>()
  const same = texts.union(texts, texts)
  holds<Equal<typeof same, DataStream<string>>>()
  const mapped = words.connect(texts).coMap(
    record => record.frequency,
    text => text,
  )
  holds<Equal<RecordOf<typeof mapped>, string | number>>()
  const narrowed = united.filter(record => typeof record === 'string')
  holds<Equal<typeof narrowed, DataStream<string>>>()
  const looped = words.iterate(loop => ({
    feedback: loop
      .map(record => ({ ...record, frequency: record.frequency - 1 }))
      .filter(record => record.frequency > 0),
    output: loop.map(record => record.frequency),
  }))
  holds<Equal<typeof looped, DataStream<number>>>()
}

/** Asynchronous calls: the record type is what the promise gives, or what onTimeout gives in its stead. */
export function calling(words: DataStream<Word>): void {
  const lengths = words.mapAsync(async (record, { attempt, signal }) => {
    holds<Equal<typeof record, Word>>()
    holds<Equal<typeof attempt, number>>()
    holds<Equal<typeof signal.aborted, boolean>>()
    return record.word.length
  })
  holds<Equal<typeof lengths, DataStream<number>>>()
  const plain = words.keyBy('word').mapAsync(record => record.word, { order: 'unordered', capacity: 5 })
  holds<Equal<typeof plain, DataStream<string>>>()
  const withDefault = words.mapAsync(async record => record.frequency, {
    timeoutMs: seconds(1),
    onTimeout(record) {
      holds<Equal<typeof record, Word>>()
      return 'none' as const
    },
    retry: { attempts: 3, onResult: result => result < 0 },
  })
  holds<Equal<RecordOf<typeof withDefault>, number | 'none'>>()
  const letters = words.flatMapAsync(async record => record.word.split(''), { onTimeout: () => [0] })
  holds<Equal<RecordOf<typeof letters>, string | number>>()
  // @ts-expect-error a result is no iterable.
  words.flatMapAsync(async record => record.frequency)
  // @ts-expect-error the order is ordered or unordered.
  words.mapAsync(async record => record, { order: 'random' })
}

/** Broadcast state is typed by its declaration, and only broadcast records may change it. */
export function broadcasting(words: DataStream<Word>, alerts: DataStream<Alert>): void {
  const rules = alerts.broadcastState({ limits: map<string, number>(), texts: map<number, Alert>() })
  const alerted = words.connect(rules).process({
    onRecord(record, ctx, out: Collector<Alert>) {
      holds<Equal<typeof record, Word>>()
      const limit = ctx.broadcast.limits.get(record.word)
      const alert = ctx.broadcast.texts.get(1)
      holds<Equal<typeof limit, number | undefined>>()
      holds<Equal<typeof alert, Alert | undefined>>()
      // @ts-expect-error records of the stream read the broadcast state only.
      ctx.broadcast.limits.set('a', 1)
      out.collect({ text: record.word })
    },
    onBroadcast(record, ctx, out) {
      holds<Equal<typeof record, Alert>>()
      ctx.broadcast.limits.set(record.text, 1)
      // @ts-expect-error the map of limits has texts as keys.
      ctx.broadcast.limits.set(1, 1)
      out.collect(record)
    },
  })
  holds<Equal<typeof alerted, DataStream<Alert>>>()
  const counted = words
    .keyBy('word')
    .connect(rules)
    .process({
      state: { count: value(0), seen: list<Word>() },
      onRecord(record, ctx, out: Collector<number>) {
        holds<Equal<typeof ctx.key, string>>()
        ctx.state.seen.add(record)
        out.collect(ctx.state.count.get() + (ctx.broadcast.limits.get(ctx.key) ?? 0))
      },
      onBroadcast(_record, ctx) {
        ctx.applyToKeyedState('seen', (key, seen) => {
          holds<Equal<typeof key, string>>()
          holds<Equal<ReturnType<typeof seen.get>, readonly Word[]>>()
          seen.clear()
        })
        // @ts-expect-error only declared state can be visited.
        ctx.applyToKeyedState('sene', () => {})
        // @ts-expect-error a broadcast record has no key.
        ctx.state.count.set(1)
      },
      onTimer(_timestampMs, ctx, out) {
        out.collect(ctx.broadcast.limits.size)
      },
    })
  holds<Equal<typeof counted, DataStream<number>>>()
}

/** Sources and timestamps. */
export async function reading(): Promise<void> {
  const env = environment()
  const numbers = env.generate(index => index * 2, { timestamp: (record, index) => record + index })
  holds<Equal<typeof numbers, DataStream<number>>>()
  const pages = env.from(async function* () {
    yield { url: '/', at: 1 }
  })
  const timed = pages.assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: page => page.at }))
  holds<Equal<typeof timed, DataStream<{ url: string; at: number }>>>()
  const collected = await timed.executeAndCollect()
  holds<Equal<typeof collected, { url: string; at: number }[]>>()
  const perSplit = env.from([{ url: '/', at: 1 }], {
    watermarks: forMonotonousTimestamps({ timestamp: page => page.at }),
  })
  holds<Equal<typeof perSplit, DataStream<{ url: string; at: number }>>>()
  const squares = env.generate((index: number) => ({ index }), {
    watermarks: forMonotonousTimestamps({ timestamp: square => square.index }),
  })
  holds<Equal<typeof squares, DataStream<{ index: number }>>>()
  const timedByTheSource = env.generate(index => ({ index }), {
    timestamp: square => square.index,
    watermarks: forMonotonousTimestamps(),
  })
  holds<Equal<typeof timedByTheSource, DataStream<{ index: number }>>>()
  const lines = env.readTextFile('lines.txt', {
    watermarks: forGenerator(() => ({ onRecord: (_timestampMs, line) => line.length, current: () => 0 })),
  })
  holds<Equal<typeof lines, DataStream<string>>>()
  const pageSource = {} as Source<{ url: string; at: number }>
  const own = env.addSource(pageSource, {
    isBounded: true,
    watermarks: forMonotonousTimestamps({ timestamp: page => page.at }),
  })
  holds<Equal<typeof own, DataStream<{ url: string; at: number }>>>()
  const loose: SourceOptions = { isBounded: true }
  env.addSource(pageSource, loose)
  for await (const page of timed) holds<Equal<typeof page, { url: string; at: number }>>()
}

/** A stream of more is a stream of less, not the other way round. */
export function variance(words: DataStream<Word>, bases: DataStream<{ readonly word: string }>): void {
  const wider: DataStream<{ readonly word: string }> = words
  wider.keyBy('word')
  // @ts-expect-error a stream of less is no stream of more.
  const narrower: DataStream<Word> = bases
  narrower.print()
}

/** Joins by time: an outer side may be missing, and only an outer side. */
export function joining(words: DataStream<Word>, alerts: DataStream<Alert>): void {
  const [left, right] = [words.keyBy('word'), alerts.keyBy('text')]
  const joined = left.intervalJoin(right).between(-5, seconds(5)).upperBoundExclusive()
  const pairs = joined.map((word, alert) => {
    holds<Equal<typeof word, Word>>()
    holds<Equal<typeof alert, Alert>>()
    return word.frequency
  })
  holds<Equal<typeof pairs, DataStream<number>>>()
  const outer = joined.joinType('left').process({
    onPair(word, alert, ctx, out: Collector<string>) {
      holds<Equal<typeof word, Word>>()
      holds<Equal<typeof alert, Alert | undefined>>()
      holds<Equal<typeof ctx.leftTimestamp, number>>()
      holds<Equal<typeof ctx.rightTimestamp, number | undefined>>()
      out.collect(`${word.word} ${alert?.text}`)
    },
  })
  holds<Equal<typeof outer, DataStream<string>>>()
  joined.joinType('full').map((word, alert) => {
    holds<Equal<typeof word, Word | undefined>>()
    holds<Equal<typeof alert, Alert | undefined>>()
    return 0
  })
  const priced = left.temporalJoin(right, { join: (word, alert) => [word.frequency, alert.text] as const })
  holds<Equal<typeof priced, DataStream<readonly [number, string]>>>()
  left.temporalJoin(right, {
    type: 'left',
    deleted: alert => alert.text === '',
    join: (word, alert) => {
      holds<Equal<typeof word, Word>>()
      holds<Equal<typeof alert, Alert | undefined>>()
      return 0
    },
  })
  const once = left.deduplicate({ withinMs: 5, sideOutputDuplicates: outputTag<Word>('duplicates') })
  holds<Equal<typeof once, DataStream<Word>>>()
  // @ts-expect-error the keys of the two streams differ in type.
  left.intervalJoin(words.keyBy('frequency'))
  // @ts-expect-error a side output of records of another type.
  joined.sideOutputLeftLateData(outputTag<Alert>('late'))
  const ordered = left.process({
    state: { recent: orderedList<Word>() },
    onRecord(word, ctx, out: Collector<number>) {
      ctx.state.recent.add(1, word)
      const first = ctx.state.recent.shift()
      holds<Equal<typeof first, Word | undefined>>()
      out.collect(ctx.state.recent.size)
    },
  })
  holds<Equal<typeof ordered, DataStream<number>>>()
}

/** What windows compute is typed by key, window and records. */
export function windowResults(words: DataStream<Word>, alerts: DataStream<Alert>): void {
  interface Shift extends TimeWindow {
    readonly name: string
  }
  const shifts = customWindows<Word, Shift>({ assign: () => [{ start: 0, end: 1, name: 'early' }] })
  const windowed = words.keyBy('word').window(shifts)
  const processed = windowed.process({
    onWindow(elements, ctx, out: Collector<number>) {
      holds<Equal<typeof elements, readonly Word[]>>()
      holds<Equal<typeof ctx.key, string>>()
      holds<Equal<typeof ctx.window, Shift>>()
      holds<Equal<typeof ctx.added, readonly Word[]>>()
      out.collect(elements.length)
    },
  })
  holds<Equal<typeof processed, DataStream<number>>>()
  const projected = windowed.aggregate(count(), (result, ctx) => {
    holds<Equal<typeof result, number>>()
    holds<Equal<typeof ctx.key, string>>()
    return `${ctx.window.name} ${result}`
  })
  holds<Equal<typeof projected, DataStream<string>>>()
  // @ts-expect-error a reduce gives records of the type that it takes
  windowed.reduce((a, b) => a.frequency + b.frequency)
  const changes = projected.changelog()
  holds<Equal<typeof changes, DataStream<Change<string>>>>()
  const [left, right] = [words.keyBy('word'), alerts.keyBy('text')]
  const window = tumblingWindows(5)
  left.join(right, {
    window,
    join: (word, alert, ctx) => {
      holds<Equal<typeof word, Word>>()
      holds<Equal<typeof alert, Alert>>()
      holds<Equal<typeof ctx.key, string>>()
    },
  })
  left.join(right, {
    window,
    type: 'full',
    join: (word, alert) => {
      holds<Equal<typeof word, Word | undefined>>()
      holds<Equal<typeof alert, Alert | undefined>>()
    },
  })
  left.join(right, {
    window,
    type: 'left',
    join: (word, alert) => {
      holds<Equal<typeof word, Word>>()
      holds<Equal<typeof alert, Alert | undefined>>()
    },
  })
  const grouped = left.coGroup([right, left], {
    window,
    coGroup: (groups, _ctx, out: Collector<number>) => {
      const [own, others, again] = groups
      holds<Equal<typeof own, readonly Word[]>>()
      holds<Equal<typeof others, readonly Alert[]>>()
      holds<Equal<typeof again, readonly Word[]>>()
      out.collect(own.length)
    },
  })
  holds<Equal<typeof grouped, DataStream<number>>>()
}
