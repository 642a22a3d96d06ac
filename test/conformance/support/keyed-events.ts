// Keyed events out of order but not late, and jobs over them under random schedules: what the property tests of joins draw and run.
import fc from 'fast-check'
import { StreamEnvironment } from '../../../src/api/datastream/environment.ts'
import type { DataStream, KeyedStream } from '../../../src/api/datastream/streams.ts'
import { forBoundedOutOfOrderness } from '../../../src/time/watermark-strategies.ts'
import { SimulatedLauncher } from './simulated-launcher.ts'

export interface Event {
  readonly id: number
  readonly key: number
  readonly at: number
}

/** Times at most this far out of order, and watermarks that wait for it: nothing is late. */
export const DISORDER_MS = 20

export const events: fc.Arbitrary<Event[]> = fc
  .array(fc.record({ key: fc.integer({ min: 0, max: 4 }), jitter: fc.integer({ min: 0, max: DISORDER_MS }) }), {
    maxLength: 40,
  })
  .map(list => list.map(({ key, jitter }, id) => ({ id, key, at: id * 3 + DISORDER_MS - jitter })))

export const run = fc.record({
  parallelism: fc.integer({ min: 1, max: 3 }),
  seed: fc.integer({ min: 0, max: 1_000_000 }),
  channelCapacityRecords: fc.constantFrom(1, 3, 1024),
})

export function keyed(env: StreamEnvironment, list: readonly Event[]): KeyedStream<Event, number> {
  return env
    .fromElements(...list)
    .assignTimestampsAndWatermarks(forBoundedOutOfOrderness(DISORDER_MS, { timestamp: event => event.at }))
    .setParallelism(1)
    .keyBy('key')
}

export interface Outcome {
  readonly results: string[]
  readonly late: number
  readonly keysHeld: number
}

export async function outcomeOf(
  options: { readonly parallelism: number; readonly seed: number; readonly channelCapacityRecords: number },
  build: (env: StreamEnvironment) => DataStream<string>,
): Promise<Outcome> {
  const launcher = new SimulatedLauncher(options.parallelism, options)
  const env = new StreamEnvironment(launcher)
  const results: string[] = []
  build(env).addSink(result => {
    results.push(result)
  })
  await env.execute('joins')
  const vertices = launcher.runs[0]?.metrics.vertices ?? []
  return {
    results: results.sort(),
    late: vertices.reduce((sum, vertex) => sum + vertex.lateRecordsDropped, 0),
    keysHeld: vertices.reduce((sum, vertex) => sum + (vertex.keysHeld ?? 0), 0),
  }
}
