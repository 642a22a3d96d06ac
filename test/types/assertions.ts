// Types that must follow by themselves, as assertions for the compiler: a wrong one is an error of this file. Nothing here runs.
import {
  type Collector,
  type DataStream,
  environment,
  forMonotonousTimestamps,
  type KeyedStream,
  list,
  map,
  orderedList,
  outputTag,
  seconds,
  value,
} from 'millrace'

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
