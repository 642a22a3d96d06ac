// Refinements that are taken back, through a whole job: what is computed of the panes of retracting windows settles on what the last panes alone give,
// however often windows fired early, late, or merged.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import fc from 'fast-check'
import { StreamEnvironment } from '../../src/api/datastream/environment.ts'
import type { DataStream } from '../../src/api/datastream/streams.ts'
import {
  sessionWindows,
  slidingWindows,
  tumblingWindows,
  type WindowAssigner,
} from '../../src/api/datastream/window-assigners.ts'
import { afterCount, afterWatermark } from '../../src/api/datastream/window-triggers.ts'
import { forBoundedOutOfOrderness } from '../../src/time/watermark-strategies.ts'
import { SimulatedLauncher } from './support/simulated-launcher.ts'

interface Click {
  readonly user: string
  readonly clicks: number
  readonly at: number
}

interface Total {
  readonly shard: number
  readonly clicks: number
}

const ASSIGNERS: Readonly<Record<string, WindowAssigner<unknown>>> = {
  tumbling: tumblingWindows(10),
  sliding: slidingWindows(12, 4),
  session: sessionWindows(6),
}

/** The clicks of each window of each user, refined early and late. One subtask reads, so that the same records are late at any parallelism. */
function panes(env: StreamEnvironment, input: readonly Click[], assigner: WindowAssigner<unknown>): DataStream<Click> {
  return env
    .from([...input])
    .setParallelism(1)
    .assignTimestampsAndWatermarks(
      forBoundedOutOfOrderness<Click>(3, { timestamp: ({ at }) => at, emit: 'per-record' }),
    )
    .setParallelism(1)
    .keyBy('user')
    .window(assigner, {
      trigger: afterWatermark({ early: afterCount(2), late: afterCount(1) }),
      accumulation: 'retracting',
      allowedLatenessMs: 20,
    })
    .sum('clicks')
}

/** What the records of a changelog leave standing, as text, with how often. */
async function standing(input: readonly Click[], assigner: WindowAssigner<unknown>): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  const env = new StreamEnvironment(new SimulatedLauncher(1, { seed: 3 }))
  panes(env, input, assigner)
    .changelog()
    .addSink(({ isRetraction, record }) => {
      const text = JSON.stringify(record)
      const count = (counts.get(text) ?? 0) + (isRetraction ? -1 : 1)
      assert.ok(count >= 0, `${text} was taken back before it was emitted`)
      if (count === 0) counts.delete(text)
      else counts.set(text, count)
    })
  await env.execute('changes')
  return counts
}

/** The totals over all windows that a rolling sum behind an exchange settles on. */
async function totals(input: readonly Click[], assigner: WindowAssigner<unknown>, seed: number, parallelism: number) {
  const newest = new Map<number, number>()
  const env = new StreamEnvironment(new SimulatedLauncher(parallelism, { seed }))
  panes(env, input, assigner)
    .map(({ user, clicks }): Total => ({ shard: user.charCodeAt(0) % 2, clicks }))
    .filter(({ clicks }) => clicks > 0)
    .keyBy('shard')
    .sum('clicks')
    .addSink(({ shard, clicks }) => {
      newest.set(shard, clicks)
    })
  await env.execute('totals')
  return newest
}

const INPUT = fc.array(
  fc.record({ user: fc.constantFrom('a', 'b', 'c'), clicks: fc.integer({ min: 1, max: 9 }), at: fc.nat(50) }),
  { maxLength: 40 },
)

describe('the panes of retracting windows', () => {
  for (const [name, assigner] of Object.entries(ASSIGNERS)) {
    for (const parallelism of [1, 3]) {
      test(`${name}, parallelism ${parallelism}: a sum over them settles on the sum of what stands`, () =>
        fc.assert(
          fc.asyncProperty(INPUT, fc.nat(1000), async (input, seed) => {
            const expected = new Map<number, number>()
            for (const [text, count] of await standing(input, assigner)) {
              const { user, clicks } = JSON.parse(text) as Click
              const shard = user.charCodeAt(0) % 2
              expected.set(shard, (expected.get(shard) ?? 0) + clicks * count)
            }
            const settled = await totals(input, assigner, seed, parallelism)
            assert.deepEqual([...settled].filter(([, sum]) => sum > 0).sort(), [...expected].sort())
          }),
          { numRuns: 100 },
        ))
    }
  }
})

test('a sink that cannot take a record back is refused, and so is a reduce', () => {
  const env = new StreamEnvironment(new SimulatedLauncher(1, { seed: 1 }))
  panes(env, [], tumblingWindows(10))
    .keyBy('user')
    .reduce((a, _b) => a)
    .addSink(() => {})
  assert.throws(
    () => env.execute('refused'),
    /GRAPH_INVALID.*\n.*step "reduce".*reads results that may be taken back, but its aggregate cannot take a record back/,
  )
})
