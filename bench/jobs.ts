// The workloads as a user would write them, in the public API.
import { type DataStream, environment, forMonotonousTimestamps, type Sink, seconds } from 'millrace'
import type { PassResult } from './floors.ts'
import { LINE_POOL, nextState, pick, WORDS_PER_LINE } from './workloads.ts'

/** Counts records and adds up one of their fields. */
class SummingSink<T> implements Sink<T> {
  rows = 0
  sum = 0
  private readonly valueIn: (record: T) => number

  constructor(valueIn: (record: T) => number) {
    this.valueIn = valueIn
  }

  open(): { write(record: T): void; close(): void } {
    return {
      write: record => {
        this.rows++
        this.sum += this.valueIn(record)
      },
      close: () => {},
    }
  }
}

interface Word {
  readonly word: string
  readonly frequency: number
}

function words(lines: DataStream<string>): DataStream<Word> {
  return lines.flatMap(line => line.split(' ')).map(word => ({ word, frequency: 1 }))
}

/** W1: rolling word count. */
export async function rollingJob(lines: readonly string[], count: number): Promise<PassResult> {
  const env = environment({ parallelism: 1 })
  const sink = new SummingSink<Word>(record => record.frequency)
  const source = env.generate(index => lines[index & (LINE_POOL - 1)] as string, { count: count / WORDS_PER_LINE })
  words(source).keyBy('word').sum('frequency').addSink(sink)
  await env.execute('W1')
  return sink
}

/** W2: word count in 5 s windows of event time. */
export async function windowJob(lines: readonly string[], count: number): Promise<PassResult> {
  const env = environment({ parallelism: 1 })
  const sink = new SummingSink<Word>(record => record.frequency)
  const source = env
    .generate(index => lines[index & (LINE_POOL - 1)] as string, {
      count: count / WORDS_PER_LINE,
      timestamp: (_line, index) => index,
    })
    .assignTimestampsAndWatermarks(forMonotonousTimestamps())
  words(source).keyBy('word').timeWindow(seconds(5)).sum('frequency').addSink(sink)
  await env.execute('W2')
  return sink
}

/** W3: keyed sum over integer keys. */
export async function keyedSumJob(keys: number, records: number): Promise<PassResult> {
  const env = environment({ parallelism: 1 })
  const sink = new SummingSink<{ key: number; value: number }>(record => record.value)
  let state = 1
  env
    .generate(
      () => {
        state = nextState(state)
        return { key: pick(state, keys), value: 1 }
      },
      { count: records },
    )
    .keyBy('key')
    .sum('value')
    .addSink(sink)
  await env.execute('W3')
  return sink
}
