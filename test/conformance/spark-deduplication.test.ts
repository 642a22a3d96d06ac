// Spark's StreamingDeduplicationWithinWatermarkSuite: the same input, answers, state rows and dropped rows after each batch of it. Spark
// moves its watermark to the newest event time less the delay after each batch; so does the script here, and the job by a strategy.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { StreamEnvironment } from '../../src/api/datastream/environment.ts'
import { deduplicate } from '../../src/functions/deduplicate.ts'
import { fieldSelector } from '../../src/model/key.ts'
import type { WatermarkStrategy } from '../../src/model/watermark-strategy.ts'
import { verifyOperator } from '../../src/testing/operator-harness.ts'
import {
  type OutputElement,
  out,
  record,
  type ScriptStep,
  watermark,
  watermarkOut,
} from '../../src/testing/operator-script.ts'
import { SimulatedLauncher } from './support/simulated-launcher.ts'

type Row = readonly [key: string | number, second: number]

/** A batch of rows, the rows that come out, the rows kept after the batch, and how many of the batch were too late. */
interface Batch {
  readonly add: readonly Row[]
  readonly answer: readonly Row[]
  readonly kept: number
  readonly late?: number
}

interface Case {
  readonly name: string
  readonly delaySeconds: number
  readonly batches: readonly Batch[]
}

function same(...seconds: readonly number[]): Row[] {
  return seconds.map(second => [second, second])
}

const ALL_COLUMNS: Case = {
  name: 'deduplicate with all columns with event time column in DataFrame',
  delaySeconds: 10,
  batches: [
    {
      add: Array.from({ length: 5 }, () => same(10, 11, 12, 13, 14, 15)).flat(),
      answer: same(10, 11, 12, 13, 14, 15),
      kept: 6,
    },
    { add: same(13, 14, 15, 16, 17), answer: same(16, 17), kept: 8 },
    { add: same(5), answer: [], kept: 8, late: 1 },
    { add: same(35), answer: same(35), kept: 3 },
    { add: same(55), answer: same(55), kept: 1 },
  ],
}

const SUBSET_OF_COLUMNS: Case = {
  name: 'deduplicate with subset of columns which event time column is not in subset',
  delaySeconds: 2,
  batches: [
    { add: [['a', 17]], answer: [['a', 17]], kept: 1 },
    { add: [['a', 16]], answer: [], kept: 1 },
    { add: [['a', 13]], answer: [], kept: 1, late: 1 },
    {
      add: [
        ['b', 22],
        ['c', 21],
      ],
      answer: [
        ['b', 22],
        ['c', 21],
      ],
      kept: 2,
    },
    { add: [['a', 21]], answer: [['a', 21]], kept: 3 },
    { add: [['d', 25]], answer: [['d', 25]], kept: 2 },
  ],
}

const OTHER_SCHEMA: Case = {
  name: 'SPARK-39650: duplicate with specific keys should allow input to change schema',
  delaySeconds: 10,
  batches: [
    { add: [['a', 1]], answer: [['a', 1]], kept: 1 },
    {
      add: [
        ['a', 2],
        ['b', 3],
      ],
      answer: [['b', 3]],
      kept: 2,
    },
    {
      add: [
        ['a', 5],
        ['b', 2],
        ['c', 9],
      ],
      answer: [['c', 9]],
      kept: 3,
    },
  ],
}

const CASES = [ALL_COLUMNS, SUBSET_OF_COLUMNS, OTHER_SCHEMA]

/** The watermark after each batch, ms. */
function watermarks({ batches, delaySeconds }: Case): number[] {
  let newest = -Infinity
  return batches.map(({ add }) => {
    for (const [, second] of add) newest = Math.max(newest, second)
    return (newest - delaySeconds) * 1000
  })
}

function scriptOf(spark: Case, batchCount: number): ScriptStep[] {
  const times = watermarks(spark)
  return spark.batches
    .slice(0, batchCount)
    .flatMap(({ add }, index) => [
      ...add.map(row => record({ key: row[0], second: row[1] }, { timestamp: row[1] * 1000 })),
      watermark(times[index] as number),
    ])
}

function outputOf(spark: Case, batchCount: number): OutputElement[] {
  const times = watermarks(spark)
  return spark.batches.slice(0, batchCount).flatMap(({ answer }, index): OutputElement[] => {
    const rows = answer.map(([key, second]) => out({ key, second }, second * 1000))
    const isNews = times[index] !== times[index - 1]
    return isNews ? [...rows, watermarkOut(times[index] as number)] : rows
  })
}

describe('Spark: answers, state rows and dropped rows after each batch', () => {
  for (const spark of CASES) {
    test(spark.name, async () => {
      for (let count = 1; count <= spark.batches.length; count++) {
        const done = spark.batches.slice(0, count)
        const total = (size: (batch: Batch) => number): number => done.reduce((sum, batch) => sum + size(batch), 0)
        const late = total(batch => batch.late ?? 0)
        await verifyOperator({
          operator: {
            kind: 'keyed-process',
            function: deduplicate({
              withinMs: spark.delaySeconds * 1000,
              timeDomain: 'event-time',
              keep: 'first',
            }) as never,
          },
          keySelectors: [fieldSelector('key')],
          script: scriptOf(spark, count),
          expect: {
            output: outputOf(spark, count),
            keysHeld: done.at(-1)?.kept as number,
            lateRecordsDropped: late,
            duplicatesDropped: total(({ add, answer }) => add.length - answer.length) - late,
          },
        })
      }
    })
  }
})

interface Timed {
  readonly key: string | number
  readonly second: number
}

/** Spark's watermark: the newest event time less the delay. */
function sparkWatermark(delaySeconds: number): WatermarkStrategy<Timed> {
  return {
    description: `newest less ${delaySeconds} s`,
    timestamp: ({ second }) => second * 1000,
    generator: () => {
      let newestMs = -Infinity
      return {
        onRecord(timestampMs) {
          newestMs = Math.max(newestMs, timestampMs)
        },
        current: () => newestMs - delaySeconds * 1000,
      }
    },
  }
}

/** Runs the case as a job, its batches a second apart. */
async function answerOf(spark: Case, parallelism: number, seed: number) {
  const rows = spark.batches.flatMap(({ add }) => add.map(([key, second]): Timed => ({ key, second })))
  const starts = spark.batches.flatMap(({ add }, index) => add.map(() => index))
  const launcher = new SimulatedLauncher(parallelism, { seed })
  const env = new StreamEnvironment(launcher)
  const answer: string[] = []
  const timed = env
    .addSource<Timed>(
      {
        splits: () => [{ id: 'batches', position: 0 }],
        open: (_, { clock }) => {
          let next = 0
          const reader = {
            wakeAtMs: 0,
            read(output: { emit(row: Timed): boolean }) {
              const batch = Math.floor(clock.now() / 1000)
              while (next < rows.length && (starts[next] as number) <= batch) {
                if (!output.emit(rows[next++] as Timed)) break
              }
              reader.wakeAtMs = (batch + 1) * 1000
              if (next === rows.length) return 'end' as const
              return (starts[next] as number) <= batch ? ('more' as const) : ('waiting' as const)
            },
            position: () => next,
            close() {},
          }
          return reader
        },
      },
      { isBounded: true, parallelismMax: 1 },
    )
    .assignTimestampsAndWatermarks(sparkWatermark(spark.delaySeconds))
    .setParallelism(1)
  timed
    .keyBy('key')
    .deduplicate({ withinMs: spark.delaySeconds * 1000 })
    .addSink(({ key, second }) => {
      answer.push(`${key} ${second}`)
    })
  await env.execute('deduplication')
  const step = launcher.runs[0]?.metrics.vertices.find(({ name }) => name === 'deduplicate')
  return { answer: answer.sort(), late: step?.lateRecordsDropped, duplicates: step?.duplicatesDropped }
}

describe('Spark: the same as a job, whatever the parallelism and the order of steps', () => {
  for (const spark of CASES) {
    test(spark.name, async () => {
      const answer = spark.batches.flatMap(batch => batch.answer.map(([key, second]) => `${key} ${second}`)).sort()
      const late = spark.batches.reduce((sum, batch) => sum + (batch.late ?? 0), 0)
      const rows = spark.batches.reduce((sum, { add }) => sum + add.length, 0)
      for (const parallelism of [1, 2, 3]) {
        for (let seed = 1; seed <= 20; seed++) {
          assert.deepEqual(
            await answerOf(spark, parallelism, seed),
            { answer, late, duplicates: rows - late - answer.length },
            `parallelism ${parallelism}, seed ${seed}`,
          )
        }
      }
    })
  }
})

test('Spark: deduplicate without event time column should result in error, before anything runs', () => {
  const env = new StreamEnvironment(new SimulatedLauncher(1, { seed: 1 }))
  const words = env.fromElements('a', 'b', 'a').keyBy(word => word)
  assert.throws(() => words.deduplicate({ withinMs: 1000 }), {
    code: 'TIMESTAMP_MISSING',
    message: /deduplicate\(\).*no step before gives the records of the stream timestamps/,
  })
  // As in Spark, that another stream has event time does not help.
  const timed = env
    .fromElements({ word: 'a', second: 1, key: 'a' })
    .assignTimestampsAndWatermarks(sparkWatermark(10))
    .keyBy('word')
  const plain = env.fromElements({ word: 'a' }).keyBy('word')
  assert.throws(() => plain.intervalJoin(timed).between(0, 1000).map(String), { code: 'TIMESTAMP_MISSING' })
})
