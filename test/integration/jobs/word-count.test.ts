// The deck's word count end to end: the public API, the real runtime and scheduler, a real TCP socket and a real file.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { type DataStream, environment, forMonotonousTimestamps, seconds } from '../../../src/entry/index.ts'

const LINES = [
  'storm dublin flink',
  'apache storm spark',
  'streaming samza storm',
  'flink apache flink',
  'bigdata storm',
  'flink streaming',
]
const TOTALS = { storm: 4, dublin: 1, flink: 4, apache: 2, spark: 1, streaming: 2, samza: 1, bigdata: 1 }
const UPDATES = [
  ...['storm 1', 'dublin 1', 'flink 1', 'apache 1', 'storm 2', 'spark 1', 'streaming 1', 'samza 1'],
  ...['storm 3', 'flink 2', 'apache 2', 'flink 3', 'bigdata 1', 'storm 4', 'flink 4', 'streaming 2'],
]

interface Word {
  readonly word: string
  readonly frequency: number
}

const folder = await mkdtemp(join(tmpdir(), 'millrace-word-count-'))
after(() => rm(folder, { recursive: true }))

function words(lines: DataStream<string>): DataStream<Word> {
  return lines.flatMap(line => line.split(' ')).map(word => ({ word, frequency: 1 }))
}

async function deckFile(): Promise<string> {
  const path = join(folder, 'deck.txt')
  await writeFile(path, `${LINES.join('\n')}\n`)
  return path
}

/** A server that sends the deck's lines to whoever connects, then closes; in pieces that do not respect lines. */
async function deckServer(): Promise<{ readonly port: number; close(): void }> {
  const server = createServer(socket => {
    const text = `${LINES.join('\n')}\n`
    socket.write(text.slice(0, 25))
    socket.end(text.slice(25))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, close: () => server.close() }
}

/** The last update of each word. */
function totals(updates: readonly Word[]): Record<string, number> {
  return Object.fromEntries(updates.map(({ word, frequency }) => [word, frequency]))
}

/** The sum over all windows. */
function sums(results: readonly Word[]): Record<string, number> {
  const total: Record<string, number> = {}
  for (const { word, frequency } of results) total[word] = (total[word] ?? 0) + frequency
  return total
}

describe("the deck's word count", () => {
  test('rolling, from a file at parallelism 1, gives the 16 updates in order', async () => {
    const env = environment({ parallelism: 1 })
    const updates = await words(env.readTextFile(await deckFile()))
      .keyBy('word')
      .sum('frequency')
      .executeAndCollect()
    assert.deepEqual(
      updates.map(({ word, frequency }) => `${word} ${frequency}`),
      UPDATES,
    )
  })

  for (const parallelism of [1, 2, 3, 4]) {
    test(`rolling and windowed, from a file at parallelism ${parallelism}, give the totals`, async () => {
      const rolling = environment({ parallelism })
      const path = await deckFile()
      assert.deepEqual(
        totals(await words(rolling.readTextFile(path)).keyBy('word').sum('frequency').executeAndCollect()),
        TOTALS,
      )
      const windowed = environment({ parallelism })
      const results = await words(windowed.readTextFile(path))
        .keyBy('word')
        .timeWindow(seconds(5))
        .sum('frequency')
        .executeAndCollect()
      assert.deepEqual(sums(results), TOTALS)
    })

    test(`rolling and windowed, from a socket at parallelism ${parallelism}, give the totals`, async () => {
      const server = await deckServer()
      try {
        const rolling = environment({ parallelism })
        const updates = await words(rolling.socketTextStream('127.0.0.1', server.port))
          .keyBy('word')
          .sum('frequency')
          .executeAndCollect()
        assert.deepEqual(totals(updates), TOTALS)
        const windowed = environment({ parallelism })
        const results = await words(windowed.socketTextStream('127.0.0.1', server.port))
          .keyBy('word')
          .timeWindow(seconds(5))
          .sum('frequency')
          .executeAndCollect()
        assert.deepEqual(sums(results), TOTALS)
      } finally {
        server.close()
      }
    })
  }

  test('from an async generator function', async () => {
    const env = environment()
    const lines = env.from(async function* () {
      for (const line of LINES) yield line
    })
    assert.deepEqual(totals(await words(lines).keyBy('word').sum('frequency').executeAndCollect()), TOTALS)
  })

  test('in event time, one window a line of five seconds', async () => {
    const env = environment({ parallelism: 2 })
    const timed = env
      .fromElements(...LINES.map((line, index) => ({ line, at: index * 2500 })))
      .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: record => record.at }))
    const results = await words(timed.map(record => record.line))
      .keyBy('word')
      .timeWindow(seconds(5))
      .sum('frequency')
      .executeAndCollect()
    assert.deepEqual(results.map(({ word, frequency }) => `${word} ${frequency}`).sort(), [
      'apache 1',
      'apache 1',
      'bigdata 1',
      'dublin 1',
      'flink 1',
      'flink 1',
      'flink 2',
      'samza 1',
      'spark 1',
      'storm 1',
      'storm 1',
      'storm 2',
      'streaming 1',
      'streaming 1',
    ])
  })
})
