// An input that pauses must not hold back the results of the others: after its idle time-out it is left out of the watermark, and taken
// in again with its next record.
import assert from 'node:assert/strict'
import test from 'node:test'
import { StreamEnvironment } from '../../src/api/datastream/environment.ts'
import type { Source } from '../../src/model/connector.ts'
import type { Collector } from '../../src/model/functions.ts'
import { forMonotonousTimestamps } from '../../src/time/watermark-strategies.ts'
import { SimulatedLauncher } from './support/simulated-launcher.ts'

interface Reading {
  readonly from: string
  readonly at: number
}

/** Emits each reading at its processing time `dueMs`. */
function scheduled(readings: readonly (Reading & { readonly dueMs: number })[]): Source<Reading> {
  return {
    splits: () => [{ id: 'readings', position: 0 }],
    open: (_split, { clock }) => {
      let next = 0
      return {
        read(output) {
          while (next < readings.length && (readings[next]?.dueMs ?? 0) <= clock.now()) {
            const { from, at } = readings[next++] as Reading
            if (!output.emit({ from, at })) break
          }
          return next === readings.length ? 'end' : 'waiting'
        },
        get wakeAtMs() {
          return readings[next]?.dueMs
        },
        position: () => next,
        close: () => {},
      }
    },
  }
}

async function windowsWith(idleTimeoutMs: number | undefined, seed: number): Promise<string[]> {
  const launcher = new SimulatedLauncher(1, { seed })
  const env = new StreamEnvironment(launcher)
  const strategy = forMonotonousTimestamps<Reading>({
    timestamp: reading => reading.at,
    ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
  })
  const options = { isBounded: true, parallelismMax: 1 }
  // The watermarks are made behind an exchange: the task that makes them reads from a channel.
  const timed = (source: Source<Reading>) =>
    env
      .addSource(source, options)
      .map(reading => reading)
      .disableChaining()
      .assignTimestampsAndWatermarks(strategy)
  const steady = Array.from({ length: 10 }, (_, index) => ({ from: 'steady', at: index * 1000, dueMs: index * 1000 }))
  const pausing = [
    { from: 'pausing', at: 0, dueMs: 0 },
    { from: 'pausing', at: 9000, dueMs: 60_000 },
  ]
  const fired: string[] = []
  timed(scheduled(steady))
    .union(timed(scheduled(pausing)))
    .map(reading => ({ all: 'all', from: reading.from }))
    .keyBy('all')
    .timeWindow(2000)
    .apply((_key, window, elements, out: Collector<string>) => out.collect(`${window.start}: ${elements.length}`))
    .process({
      onRecord(line: string, ctx, out: Collector<string>) {
        out.collect(`${line} by ${ctx.currentProcessingTime() < 60_000 ? 'then' : 'the end'}`)
      },
    })
    .addSink(line => {
      fired.push(line)
    })
  await env.execute('idleness')
  return fired
}

test('a paused input holds the others back without an idle time-out, and not with one', async () => {
  for (let seed = 1; seed <= 50; seed++) {
    const held = await windowsWith(undefined, seed)
    assert.deepEqual(held.slice(0, 2), ['0: 3 by the end', '2000: 2 by the end'], `seed ${seed}`)
    const free = await windowsWith(1500, seed)
    assert.deepEqual(free.slice(0, 3), ['0: 3 by then', '2000: 2 by then', '4000: 2 by then'], `seed ${seed}`)
    assert.deepEqual(
      free.map(line => line.split(' by ')[0]),
      held.map(line => line.split(' by ')[0]),
      `seed ${seed}`,
    )
  }
})
