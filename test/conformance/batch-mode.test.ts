// One program, run as a stream and as a batch: a bounded input gives the same final results, and the batch nothing but those.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import fc from 'fast-check'
import { StreamEnvironment } from '../../src/api/datastream/environment.ts'
import type { DataStream } from '../../src/api/datastream/streams.ts'
import { sessionWindows, tumblingWindows } from '../../src/api/datastream/window-assigners.ts'
import { afterCount, afterWatermark } from '../../src/api/datastream/window-triggers.ts'
import type { RuntimeMode } from '../../src/model/batch-mode.ts'
import { forBoundedOutOfOrderness } from '../../src/time/watermark-strategies.ts'
import { SimulatedLauncher } from './support/simulated-launcher.ts'

interface Sale {
  readonly shop: string
  readonly euros: number
  readonly at: number
}

type Job = (sales: DataStream<Sale>) => DataStream<unknown>

// At a parallelism above 1 another record may be a key's first, whose other fields a sum keeps.
const rolling: Job = sales =>
  sales
    .keyBy('shop')
    .sum('euros')
    .map(({ shop, euros }) => ({ shop, euros }))

const windowed: Job = sales =>
  sales
    .keyBy('shop')
    .window(tumblingWindows(10), { trigger: afterWatermark({ early: afterCount(1) }) })
    .aggregate(
      { create: () => 0, add: (sum, { euros }) => sum + euros, merge: (a, b) => a + b, result: sum => sum },
      (sum, { key, window }) => `${key} ${window.start} ${sum}`,
    )

const sessions: Job = sales =>
  sales
    .keyBy('shop')
    .window(sessionWindows(5))
    .process<string>({
      onWindow: (elements, { key, window }, out) =>
        out.collect(`${key} [${window.start}, ${window.end}) ${elements.reduce((sum, { euros }) => sum + euros, 0)}`),
    })

async function run(job: Job, sales: readonly Sale[], runtimeMode: RuntimeMode, parallelism = 1): Promise<unknown[]> {
  const results: unknown[] = []
  const env = new StreamEnvironment(new SimulatedLauncher(parallelism, { seed: 7 }), { runtimeMode })
  const timed = env
    .from([...sales])
    .assignTimestampsAndWatermarks(forBoundedOutOfOrderness<Sale>(100, { timestamp: ({ at }) => at }))
  job(timed).addSink(result => {
    results.push(result)
  })
  await env.execute('sales')
  return results
}

const SALES = fc.array(
  fc.record({ shop: fc.constantFrom('a', 'b', 'c'), euros: fc.integer({ min: 0, max: 9 }), at: fc.nat(60) }),
  { maxLength: 30 },
)

/** The last result for each key (and window): what a stream settles on. */
function lastByKey(results: readonly unknown[], keyOf: (result: never) => string): unknown[] {
  return [...new Map(results.map(result => [keyOf(result as never), result])).values()]
}

const sorted = (results: readonly unknown[]): string[] => results.map(result => JSON.stringify(result)).sort()

describe('a bounded input', () => {
  for (const [name, job, keyOf] of [
    ['a rolling sum', rolling, ({ shop }: Sale) => shop],
    ['tumbling windows with early panes', windowed, (text: string) => text.split(' ').slice(0, 2).join()],
    ['sessions', sessions, (text: string) => text],
  ] as const) {
    for (const parallelism of [1, 3]) {
      test(`${name} at parallelism ${parallelism}: as a batch gives what the stream settles on, and only that`, () =>
        fc.assert(
          fc.asyncProperty(SALES, async sales => {
            const stream = await run(job, sales, 'streaming', parallelism)
            const batch = await run(job, sales, 'batch', parallelism)
            assert.deepEqual(sorted(batch), sorted(lastByKey(stream, keyOf as (result: never) => string)))
          }),
          { numRuns: 60 },
        ))
    }
  }

  test('emits every update as a stream', async () => {
    const sales = [1, 2, 3].map(at => ({ shop: 'a', euros: 1, at }))
    assert.equal((await run(rolling, sales, 'streaming')).length, 3)
    assert.deepEqual(await run(rolling, sales, 'batch'), [{ shop: 'a', euros: 3 }])
  })
})

test('an input without end is refused', () => {
  const env = new StreamEnvironment(new SimulatedLauncher(1, { seed: 1 }), { runtimeMode: 'batch' })
  env.generate(index => index).print()
  assert.throws(() => env.execute('endless'), /GRAPH_INVALID.*\n.*has no end, which runtimeMode 'batch' waits for/)
})
