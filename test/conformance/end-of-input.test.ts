// What the end of input sets free must not be late for what follows: pending timers and windows of processing time fire before the final
// watermark goes on, so windows of event time behind them still take what they emit.
import assert from 'node:assert/strict'
import test from 'node:test'
import { StreamEnvironment } from '../../src/api/datastream/environment.ts'
import type { Collector } from '../../src/model/functions.ts'
import { forMonotonousTimestamps } from '../../src/time/watermark-strategies.ts'
import { SimulatedLauncher } from './support/simulated-launcher.ts'

const HOUR_MS = 3_600_000

test('what processing-time timers emit at the end of input reaches event-time windows behind them', async () => {
  for (const parallelism of [1, 2, 3]) {
    for (let seed = 1; seed <= 50; seed++) {
      const launcher = new SimulatedLauncher(parallelism, { seed })
      const env = new StreamEnvironment(launcher)
      const results: number[] = []
      env
        .fromElements(...Array.from({ length: 20 }, (_, index) => ({ key: index % 4, at: index * 100 })))
        .assignTimestampsAndWatermarks(forMonotonousTimestamps({ timestamp: record => record.at }))
        .keyBy('key')
        .process({
          onRecord(record, ctx) {
            ctx.timers.registerProcessingTimeTimer(HOUR_MS + record.at)
          },
          onTimer(timestampMs, _ctx, out: Collector<{ all: string; count: number; timestampMs: number }>) {
            out.collect({ all: 'all', count: 1, timestampMs })
          },
        })
        .keyBy('all')
        .timeWindow(24 * HOUR_MS)
        .sum('count')
        .addSink(result => {
          results.push(result.count)
        })
      await env.execute('end of input')
      assert.deepEqual(results, [20], `parallelism ${parallelism}, seed ${seed}`)
    }
  }
})
