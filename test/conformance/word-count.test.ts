// The word counts of the six lines, rolling and windowed, at parallelism 1 to 4 under many orders of steps: the totals never differ.
// A channel that loses or swaps records must show.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { StreamEnvironment } from '../../src/api/datastream/environment.ts'
import type { DataStream } from '../../src/api/datastream/streams.ts'
import { Channel } from '../../src/runtime/channel.ts'
import { forMonotonousTimestamps } from '../../src/time/watermark-strategies.ts'
import { SimulatedLauncher } from './support/simulated-launcher.ts'

const SEEDS = 200
const STEP_ORDERS_MIN = 190

const LINES = [
  'storm dublin flink',
  'apache storm spark',
  'streaming samza storm',
  'flink apache flink',
  'bigdata storm',
  'flink streaming',
]

const TOTALS = { storm: 4, dublin: 1, flink: 4, apache: 2, spark: 1, streaming: 2, samza: 1, bigdata: 1 }

const UPDATES =
  'storm1 dublin1 flink1 apache1 storm2 spark1 streaming1 samza1 storm3 flink2 apache2 flink3 bigdata1 storm4 flink4 streaming2'

interface Count {
  readonly word: string
  readonly frequency: number
}

type WordCount = (env: StreamEnvironment) => DataStream<Count>

/** Each step in a task of its own where `isUnchained`, so that there is an order of steps to vary at parallelism 1 too. */
function rolling(isUnchained: boolean): WordCount {
  return env => {
    const words = env.fromElements(...LINES).flatMap(line => line.split(' '))
    const ones = words.map(word => ({ word, frequency: 1 }))
    const counts = ones.keyBy('word').sum('frequency')
    if (isUnchained) for (const stream of [words, counts]) stream.disableChaining()
    return counts
  }
}

/** The lines are a second apart, so that five of them fall into the first window of 5 s and one into the second. */
function windowed(isUnchained: boolean): WordCount {
  return env => {
    const timed = env
      .fromElements(...LINES.map((line, index) => ({ line, at: 1000 * index })))
      .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: record => record.at }))
    const words = timed.flatMap(({ line }) => line.split(' ')).map(word => ({ word, frequency: 1 }))
    const counts = words.keyBy('word').timeWindow(5000).sum('frequency')
    if (isUnchained) for (const stream of [timed, counts]) stream.disableChaining()
    return counts
  }
}

interface Outcome {
  readonly counts: readonly Count[]
  readonly stepOrderHash: number
}

async function runOnce(wordCount: WordCount, parallelism: number, seed: number): Promise<Outcome> {
  const launcher = new SimulatedLauncher(parallelism, { seed })
  const counts: Count[] = []
  const env = new StreamEnvironment(launcher)
  wordCount(env).addSink(count => {
    counts.push(count)
  })
  await env.execute('word count')
  return { counts, stepOrderHash: launcher.runs[0]?.stepOrderHash as number }
}

/** Rolling: the updates of each word count up from 1, one by one, to its total. */
function checkRolling(counts: readonly Count[]): void {
  const newest: Record<string, number> = {}
  for (const { word, frequency } of counts) {
    assert.equal(frequency, (newest[word] ?? 0) + 1, `update of ${word}`)
    newest[word] = frequency
  }
  assert.deepEqual(newest, TOTALS)
}

/** Windowed: the totals over both windows, and no more than one result for a word in a window. */
function checkWindowed(counts: readonly Count[]): void {
  const totals: Record<string, number> = {}
  const results: Record<string, number> = {}
  for (const { word, frequency } of counts) {
    totals[word] = (totals[word] ?? 0) + frequency
    results[word] = (results[word] ?? 0) + 1
  }
  assert.deepEqual(totals, TOTALS)
  assert.deepEqual(results, { storm: 1, dublin: 1, flink: 2, apache: 1, spark: 1, streaming: 2, samza: 1, bigdata: 1 })
}

async function checkSeeds(
  wordCount: WordCount,
  parallelism: number,
  check: (counts: readonly Count[]) => void,
): Promise<void> {
  const orders = new Set<number>()
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { counts, stepOrderHash } = await runOnce(wordCount, parallelism, seed)
    try {
      check(counts)
    } catch (error) {
      throw new Error(`parallelism ${parallelism}, seed ${seed}: ${JSON.stringify(counts)}`, { cause: error })
    }
    orders.add(stepOrderHash)
  }
  assert.ok(orders.size >= STEP_ORDERS_MIN, `${orders.size} distinct orders of steps under ${SEEDS} seeds`)
}

for (const parallelism of [1, 2, 3, 4]) {
  describe(`at parallelism ${parallelism}, under ${SEEDS} seeds`, () => {
    test('the rolling count gives each word its updates in order', () =>
      checkSeeds(rolling(parallelism === 1), parallelism, checkRolling))

    test('the windowed count gives the same totals, one result for a word and window', () =>
      checkSeeds(windowed(parallelism === 1), parallelism, checkWindowed))
  })
}

describe('the order of updates', () => {
  for (const isUnchained of [true, false]) {
    test(`is that of the input at parallelism 1, ${isUnchained ? 'over channels' : 'in one chain'}`, async () => {
      for (let seed = 1; seed <= 20; seed++) {
        const { counts } = await runOnce(rolling(isUnchained), 1, seed)
        assert.equal(counts.map(({ word, frequency }) => `${word}${frequency}`).join(' '), UPDATES)
      }
    })
  }

  test('repeats with its seed, and so does the order of steps', async () => {
    const first = await runOnce(rolling(false), 3, 42)
    assert.deepEqual(await runOnce(rolling(false), 3, 42), first)
  })
})

describe('the checks have teeth', () => {
  type Append = typeof Channel.prototype.append

  async function withAppend(make: (original: Append) => Append, body: () => Promise<void>): Promise<void> {
    const original = Channel.prototype.append
    Channel.prototype.append = make(original)
    try {
      await body()
    } finally {
      Channel.prototype.append = original
    }
  }

  const dropsNth =
    (lost: number) =>
    (original: Append): Append => {
      let sent = 0
      return function (this: Channel, ...record) {
        if (++sent !== lost) original.apply(this, record)
      }
    }

  /** Holds the first of two equal words back until the second was sent. */
  const swapsWord =
    (word: string) =>
    (original: Append): Append => {
      let held: Parameters<Append> | undefined
      let isDone = false
      return function (this: Channel, ...record) {
        const isOfWord = (record[0] as Count).word === word
        if (isDone || !isOfWord) original.apply(this, record)
        else if (held === undefined) held = record
        else {
          original.apply(this, record)
          original.apply(this, held)
          isDone = true
        }
      }
    }

  for (const [name, wordCount, check] of [
    ['rolling', rolling(true), checkRolling],
    ['windowed', windowed(true), checkWindowed],
  ] as const) {
    test(`a channel that drops one record fails the ${name} check`, () =>
      withAppend(dropsNth(5), () => assert.rejects(checkSeeds(wordCount, 2, check), /parallelism 2, seed 1/)))
  }

  test('a channel that swaps two updates of one word fails the rolling check', () =>
    // The updates cross a channel of their own here: it is their order that is swapped, on the way to the sink.
    withAppend(swapsUpdates(), () =>
      assert.rejects(checkSeeds(rolling(true), 1, checkRolling), /parallelism 1, seed 1/),
    ))

  function swapsUpdates(): (original: Append) => Append {
    const swap = swapsWord('storm')
    return original => {
      const swapped = swap(original)
      return function (this: Channel, ...record) {
        const isUpdate = this.name.startsWith('sum(frequency)')
        if (isUpdate) swapped.apply(this, record)
        else original.apply(this, record)
      }
    }
  }

  test('the channel is whole again afterwards', async () => {
    checkRolling((await runOnce(rolling(true), 1, 1)).counts)
  })
})
