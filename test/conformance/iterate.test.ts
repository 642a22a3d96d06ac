// Loops under many orders of steps: every record leaves the loop as often as it should, and the job ends by itself when the loop is empty.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { StreamEnvironment } from '../../src/api/datastream/environment.ts'
import type { DataStream } from '../../src/api/datastream/streams.ts'
import { StreamError } from '../../src/base/errors.ts'
import type { Collector } from '../../src/model/functions.ts'
import { value } from '../../src/model/state.ts'
import { customSource } from '../../src/testing/collections.ts'
import type { SimulatedJob, SimulateOptions } from '../../src/testing/simulate.ts'
import { forMonotonousTimestamps } from '../../src/time/watermark-strategies.ts'
import { SimulatedLauncher } from './support/simulated-launcher.ts'

const SEEDS = 60

type Build<T> = (env: StreamEnvironment) => DataStream<T>

async function run<T>(build: Build<T>, parallelism: number, options: SimulateOptions): Promise<T[]> {
  const records: T[] = []
  const env = new StreamEnvironment(new SimulatedLauncher(parallelism, { stepsMax: 200_000, ...options }))
  build(env).addSink(record => {
    records.push(record)
  })
  await env.execute('loop')
  return records
}

/** Runs under all parallelisms and seeds, with channels so small that the loop is under back-pressure in half of them. */
async function checkAll<T>(build: Build<T>, check: (records: T[]) => void): Promise<void> {
  for (let parallelism = 1; parallelism <= 4; parallelism++) {
    for (let seed = 1; seed <= SEEDS; seed++) {
      try {
        check(await run(build, parallelism, { seed, channelCapacityRecords: seed % 2 === 0 ? 2 : 1024 }))
      } catch (error) {
        throw new Error(`parallelism ${parallelism}, seed ${seed}`, { cause: error })
      }
    }
  }
}

function sorted(numbers: readonly number[]): number[] {
  return numbers.toSorted((a, b) => a - b)
}

const STARTS = [5, 0, 13, 2, 7, 1, 9, 30]

interface Item {
  readonly id: number
  readonly left: number
  readonly rounds: number
}

const ITEMS: readonly Item[] = STARTS.map((left, id) => ({ id, left, rounds: 0 }))

function oneRound(item: Item): Item {
  return { ...item, left: item.left - 1, rounds: item.rounds + 1 }
}

describe('a loop', () => {
  test('decrements every record to 0 and lets each out once', () =>
    checkAll(
      env =>
        env.fromElements(...ITEMS).iterate(loop => {
          const done = loop.filter(item => item.left === 0)
          return { feedback: loop.filter(item => item.left > 0).map(oneRound), output: done }
        }),
      items => {
        assert.deepEqual(sorted(items.map(item => item.rounds)), sorted(STARTS))
        assert.equal(new Set(items.map(item => item.id)).size, STARTS.length)
      },
    ))

  test('may hold a keyed exchange: the state of a key counts its rounds', () =>
    checkAll(
      env =>
        env.fromElements(...ITEMS).iterate(loop => {
          const counted = loop.keyBy('id').process({
            state: { seen: value(0) },
            onRecord(item, ctx, out: Collector<Item & { seen: number }>) {
              const seen = ctx.state.seen.get() + 1
              ctx.state.seen.set(seen)
              out.collect({ ...item, seen })
            },
          })
          return {
            feedback: counted.filter(item => item.left > 0).map(({ seen: _, ...item }) => oneRound(item)),
            output: counted.filter(item => item.left === 0),
          }
        }),
      items => assert.deepEqual(sorted(items.map(item => item.seen)), sorted(STARTS.map(start => start + 1))),
    ))

  test('may hold another loop', () =>
    checkAll(
      env =>
        env.fromElements(...ITEMS).iterate(outer => {
          // The inner loop takes an item down to the next multiple of 4, the outer one goes on to the next.
          const atFour = outer.iterate(inner => ({
            feedback: inner.filter(item => item.left % 4 !== 0).map(oneRound),
            output: inner.filter(item => item.left % 4 === 0),
          }))
          return {
            feedback: atFour.filter(item => item.left > 0).map(oneRound),
            output: atFour.filter(item => item.left === 0),
          }
        }),
      items => assert.deepEqual(sorted(items.map(item => item.rounds)), sorted(STARTS)),
    ))

  test('may follow another loop', () =>
    checkAll(
      env => {
        const count = (stream: DataStream<Item>, downTo: number) =>
          stream.iterate(loop => ({
            feedback: loop.filter(item => item.left > downTo).map(oneRound),
            output: loop.filter(item => item.left <= downTo),
          }))
        return count(count(env.fromElements(...ITEMS), 3), 0)
      },
      items => assert.deepEqual(sorted(items.map(item => item.rounds)), sorted(STARTS)),
    ))

  test('of records that take the loop not at all ends too', () =>
    checkAll(
      env => env.fromElements(1, 2, 3).iterate(loop => ({ feedback: loop.filter(n => n > 3), output: loop })),
      numbers => assert.deepEqual(sorted(numbers), [1, 2, 3]),
    ))

  test('without records ends', () =>
    checkAll(
      env => env.fromElements<number>().iterate(loop => ({ feedback: loop.map(n => n - 1), output: loop })),
      numbers => assert.deepEqual(numbers, []),
    ))
})

describe('an event-time window in the body of a loop', () => {
  interface Reading {
    readonly at: number
    readonly amount: number
    readonly rounds: number
  }

  test('fires, its results come round, and nothing is lost', () =>
    checkAll(
      env => {
        const readings = env
          .fromElements<Reading>(...Array.from({ length: 12 }, (_, i) => ({ at: 500 * i, amount: 1, rounds: 0 })))
          .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: reading => reading.at }))
        return readings.iterate(loop => {
          const sums = loop
            .keyBy(() => 0)
            .timeWindow(2000)
            .sum('amount')
          const further = sums.map(sum => ({ ...sum, rounds: sum.rounds + 1 }))
          return { feedback: further.filter(sum => sum.rounds < 2), output: further }
        })
      },
      sums => {
        const first = sums.filter(sum => sum.rounds === 1)
        assert.equal(
          first.reduce((total, sum) => total + sum.amount, 0),
          12,
          'the first windows hold all readings',
        )
      },
    ))
})

describe('a loop that grows', () => {
  test('fails with FEEDBACK_OVERFLOW at its limit, which may be below that of other channels', async () => {
    for (const queuedRecordsMax of [10, 5000]) {
      let rounds = 0
      const growing = run(
        env =>
          env.fromElements(1).iterate(
            loop => {
              const twice = loop.flatMap(n => {
                rounds++
                return [n, n]
              })
              return { feedback: twice, output: loop.filter(() => false) }
            },
            { queuedRecordsMax },
          ),
        1,
        { seed: 1 },
      )
      await assert.rejects(growing, (error: unknown) => {
        assert.ok(error instanceof StreamError)
        assert.equal(error.code, 'FEEDBACK_OVERFLOW')
        assert.match(error.message, new RegExp(`more than ${queuedRecordsMax} records .* raise queuedRecordsMax`))
        return true
      })
      // Each round takes one record and gives two, so the queue grows by one: it is over the limit after as many rounds.
      assert.ok(rounds <= queuedRecordsMax + 1, `${rounds} rounds before the limit of ${queuedRecordsMax} was noticed`)
    }
  })
})

describe('a graceful stop', () => {
  test('ends an endless source and lets the loop run empty', async () => {
    for (let parallelism = 1; parallelism <= 4; parallelism++) {
      for (let seed = 1; seed <= SEEDS; seed++) {
        let job: SimulatedJob | undefined
        let emitted = 0
        const endless = customSource({
          splits: () => [{ id: 'endless', position: 0 }],
          open: () => ({
            read: output => {
              if (emitted === 20) job?.stop()
              output.emit(emitted++ % 7)
              return 'more'
            },
            position: () => emitted,
            close: () => {},
          }),
        })
        const items = await run(
          env =>
            env
              .addSource(endless.implementation as never, { isBounded: false, parallelismMax: 1 })
              .map(left => ({ left: left as number, id: 0, rounds: 0 }))
              .iterate(loop => ({
                feedback: loop.filter(item => item.left > 0).map(oneRound),
                output: loop.filter(item => item.left === 0),
              })),
          parallelism,
          {
            seed,
            onStart: started => {
              job = started
            },
          },
        )
        const expected = Array.from({ length: emitted }, (_, index) => index % 7)
        assert.deepEqual(
          sorted(items.map(item => item.rounds)),
          sorted(expected),
          `parallelism ${parallelism}, seed ${seed}`,
        )
      }
    }
  })
})
