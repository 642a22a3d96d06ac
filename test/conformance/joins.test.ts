// Joins by time as whole jobs: random streams, out of order but not late, at several parallelisms and under many orders of steps. The
// results must be those of a naive join that has both streams in hand, and no state may be left. A table that is read first is whole.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import fc from 'fast-check'
import { StreamEnvironment } from '../../src/api/datastream/environment.ts'
import type { JoinType } from '../../src/model/join-functions.ts'
import { forBoundedOutOfOrderness } from '../../src/time/watermark-strategies.ts'
import { type Event, events, keyed, outcomeOf, run } from './support/keyed-events.ts'
import { SimulatedLauncher } from './support/simulated-launcher.ts'

function pairText(left: Event | undefined, right: Event | undefined): string {
  return `${left?.id}-${right?.id}`
}

function naiveIntervalJoin(
  lefts: readonly Event[],
  rights: readonly Event[],
  lowerMs: number,
  upperMs: number,
  type: JoinType,
): string[] {
  const matches = (l: Event, r: Event): boolean => l.key === r.key && r.at >= l.at + lowerMs && r.at <= l.at + upperMs
  const pairs = lefts.flatMap(l => rights.filter(r => matches(l, r)).map(r => pairText(l, r)))
  const alone =
    type === 'left' || type === 'full'
      ? lefts.filter(l => !rights.some(r => matches(l, r))).map(l => pairText(l, undefined))
      : []
  const aloneRight =
    type === 'right' || type === 'full'
      ? rights.filter(r => !lefts.some(l => matches(l, r))).map(r => pairText(undefined, r))
      : []
  return [...pairs, ...alone, ...aloneRight].sort()
}

describe('an interval join', () => {
  test('gives the pairs of a naive join, outer ones too, at any parallelism and order of steps', async () => {
    await fc.assert(
      fc.asyncProperty(
        events,
        events,
        fc.tuple(fc.integer({ min: -30, max: 30 }), fc.integer({ min: 0, max: 30 })),
        fc.constantFrom<JoinType>('inner', 'left', 'right', 'full'),
        run,
        async (lefts, rights, [lowerMs, widthMs], type, options) => {
          const upperMs = lowerMs + widthMs
          const outcome = await outcomeOf(options, env => {
            const joined = keyed(env, lefts).intervalJoin(keyed(env, rights)).between(lowerMs, upperMs)
            if (type === 'left') return joined.joinType(type).map(pairText)
            if (type === 'right') return joined.joinType(type).map(pairText)
            return type === 'full' ? joined.joinType(type).map(pairText) : joined.map(pairText)
          })
          const results = naiveIntervalJoin(lefts, rights, lowerMs, upperMs, type)
          assert.deepEqual(outcome, { results, late: 0, keysHeld: 0 })
        },
      ),
      { numRuns: 250 },
    )
  })

  test('emits nothing that a window behind it takes for late', async () => {
    await fc.assert(
      fc.asyncProperty(events, events, run, async (lefts, rights, options) => {
        const outcome = await outcomeOf(options, env =>
          keyed(env, lefts)
            .intervalJoin(keyed(env, rights))
            .between(-15, 25)
            .joinType('full')
            .map((left, right) => ({ key: left?.key ?? right?.key, count: 1 }))
            .keyBy('key')
            .timeWindow(10)
            .sum('count')
            .map(({ key, count }) => `${key} ${count}`),
        )
        const expected = naiveIntervalJoin(lefts, rights, -15, 25, 'full').length
        const counted = outcome.results.reduce((sum, text) => sum + Number(text.split(' ')[1]), 0)
        assert.deepEqual({ counted, late: outcome.late }, { counted: expected, late: 0 })
      }),
      { numRuns: 150 },
    )
  })
})

/** The last version of the key at or before the time; of equal times the later to arrive. */
function versionAt(versions: readonly Event[], key: number, at: number): Event | undefined {
  return versions
    .filter(version => version.key === key && version.at <= at)
    .reduce<Event | undefined>((last, next) => (last === undefined || next.at >= last.at ? next : last), undefined)
}

describe('a temporal join', () => {
  test('gives each record the version of its time, at any parallelism and order of steps, read first or not', async () => {
    await fc.assert(
      fc.asyncProperty(
        events,
        events,
        fc.constantFrom('inner' as const, 'left' as const),
        fc.boolean(),
        run,
        async (orders, rates, type, bootstrap, options) => {
          const outcome = await outcomeOf(options, env => {
            const stream = keyed(env, orders)
            const table = keyed(env, rates)
            return type === 'left'
              ? stream.temporalJoin(table, { type, bootstrap, join: pairText })
              : stream.temporalJoin(table, { type, bootstrap, join: pairText })
          })
          const pairs = orders.map(order => [order, versionAt(rates, order.key, order.at)] as const)
          const results = pairs
            .filter(([, version]) => type === 'left' || version !== undefined)
            .map(([order, version]) => pairText(order, version))
          // What stays is the table: the newest version of each of its keys.
          const keysHeld = new Set(rates.map(({ key }) => key)).size
          assert.deepEqual(outcome, { results: results.sort(), late: 0, keysHeld })
        },
      ),
      { numRuns: 250 },
    )
  })

  test('emits in the order of time for each key', async () => {
    await fc.assert(
      fc.asyncProperty(events, run, async (orders, options) => {
        const launcher = new SimulatedLauncher(options.parallelism, options)
        const env = new StreamEnvironment(launcher)
        const seen = new Map<number, Event[]>()
        keyed(env, orders)
          .temporalJoin(keyed(env, []), { type: 'left', join: order => order })
          .addSink(order => {
            seen.set(order.key, [...(seen.get(order.key) ?? []), order])
          })
        await env.execute('order')
        for (const [key, found] of seen) {
          const expected = orders.filter(order => order.key === key).sort((a, b) => a.at - b.at || a.id - b.id)
          assert.deepEqual(found, expected)
        }
        assert.equal([...seen.values()].flat().length, orders.length)
      }),
      { numRuns: 150 },
    )
  })

  test('of processing time with a table that is read first finds the whole table', async () => {
    await fc.assert(
      fc.asyncProperty(events, events, run, async (orders, rates, options) => {
        const outcome = await outcomeOf(options, env =>
          env
            .fromElements(...orders)
            .keyBy('key')
            .temporalJoin(env.fromElements(...rates).keyBy('key'), {
              time: 'processing-time',
              type: 'left',
              bootstrap: true,
              join: pairText,
            }),
        )
        const results = orders.map(order =>
          pairText(
            order,
            rates.findLast(rate => rate.key === order.key),
          ),
        )
        assert.deepEqual(outcome.results, results.sort())
      }),
      { numRuns: 250 },
    )
  })

  test('reads an endless table first up to a time, then both', async () => {
    const rates = Array.from({ length: 40 }, (_, id) => ({ id, key: id % 3, at: id * 10 }))
    for (const parallelism of [1, 2, 3]) {
      for (let seed = 1; seed <= 20; seed++) {
        const options = { parallelism, seed, channelCapacityRecords: 2 }
        const outcome = await outcomeOf(options, env => {
          const table = env
            .from(() => rates)
            .assignTimestampsAndWatermarks(forBoundedOutOfOrderness(0, { timestamp: rate => rate.at }))
            .setParallelism(1)
          return env
            .fromElements({ id: 0, key: 0, at: 0 }, { id: 1, key: 1, at: 0 })
            .keyBy('key')
            .temporalJoin(table.keyBy('key'), {
              time: 'processing-time',
              bootstrap: true,
              bootstrapUntilMs: 250,
              retentionMs: 60_000,
              join: (_, rate) => String(rate.at >= 200),
            })
        })
        assert.deepEqual(outcome.results, ['true', 'true'], `parallelism ${parallelism}, seed ${seed}`)
      }
    }
  })

  test('stops while the table is still read first', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      let stop = (): void => {}
      const launcher = new SimulatedLauncher(2, { seed, onStart: job => (stop = () => job.stop()) })
      const env = new StreamEnvironment(launcher)
      const rates = env.generate(index => {
        if (index === 9) stop()
        return { key: index % 3, index }
      })
      const orders: number[] = []
      env
        .generate(index => ({ key: index % 3, index }), { recordsPerSecond: 10 })
        .keyBy('key')
        .temporalJoin(rates.keyBy('key'), {
          time: 'processing-time',
          bootstrap: true,
          bootstrapUntilMs: Infinity,
          retentionMs: 1000,
          join: order => order.index,
        })
        .addSink(order => {
          orders.push(order)
        })
      const { status } = await env.execute('stopped')
      assert.equal(status, 'stopped')
      // What was under way is still joined, each with a table that has the first versions of its keys.
      assert.deepEqual([...orders].sort(), [...new Set(orders)].sort())
    }
  })
})
