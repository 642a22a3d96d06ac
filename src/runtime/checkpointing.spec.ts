// Checkpoints and restarts of whole jobs, in virtual time: what comes out is what comes out without a failure.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { silentLogger } from '../base/logger.ts'
import { checkpointSettings } from '../model/checkpoint-options.ts'
import { GraphBuilder } from '../model/graph-builder.ts'
import { functionSelector } from '../model/key.ts'
import { fixedDelay } from '../model/restart-strategy.ts'
import { planGraph } from '../plan/plan.ts'
import { CheckpointStore } from '../recovery/snapshot/checkpoint-store.ts'
import { memoryStorage } from '../recovery/snapshot/memory-storage.ts'
import { customConnectors, customSink, valuesSource } from '../testing/collections.ts'
import { transactionalCollection } from '../testing/simulation/transactional-collection.ts'
import { JobRun } from './job-run.ts'
import { SimulatedScheduler, VirtualClock } from './simulated-scheduler.ts'

const count = {
  create: () => 0,
  add: (n: number) => n + 1,
  merge: (a: number, b: number) => a + b,
  result: (n: number) => n,
}

function countingGraph(records: number, parallelism: number, sink: ReturnType<typeof transactionalCollection<number>>) {
  const graph = new GraphBuilder()
  const key = functionSelector((record: unknown) => (record as number) % 5)
  const values = Array.from({ length: records }, (_, n) => n)
  const source = graph.addVertex({ name: 'source', operator: { kind: 'source', source: valuesSource(values) } })
  const rolling = graph.addVertex({
    name: 'count',
    operator: { kind: 'rolling', aggregate: count as never },
    keySelectors: [key],
  })
  const sinkVertex = graph.addVertex({
    name: 'sink',
    operator: { kind: 'sink', sink: customSink(sink.sink as never, { delivery: 'transactional' }) },
  })
  graph.addEdge({ from: source.id, to: rolling.id, partitioning: { kind: 'hash', key } })
  graph.addEdge({ from: rolling.id, to: sinkVertex.id })
  return graph.build('counting', { parallelism })
}

async function run(seed: number, parallelism: number, crashAt: readonly number[]): Promise<readonly number[]> {
  const sink = transactionalCollection<number>()
  const clock = new VirtualClock(0)
  let steps = 0
  const scheduler = new SimulatedScheduler({
    seed,
    clock,
    beforeStep: task => {
      steps++
      if (steps % 20 === 0) clock.advanceTo(clock.now() + 1)
      if (task.name !== 'checkpoints' && crashAt.includes(steps)) throw new Error('crash')
      return true
    },
  })
  const store = new CheckpointStore({ storage: memoryStorage(), job: 'counting', logger: silentLogger })
  let attempt = 0
  const job = new JobRun({
    plan: planGraph(countingGraph(200, parallelism, sink)),
    connectors: customConnectors,
    clock,
    logger: silentLogger,
    scheduler,
    seed,
    channelCapacityRecords: 8,
    recovery: {
      settings: checkpointSettings({ intervalMs: 2 }),
      store,
      restart: fixedDelay({ attempts: 100, delayMs: 1 }),
      from: undefined,
      nextId: 1,
      latest: async () => (await store.latest())?.manifest,
      noteEnding: async () => {},
      claimAttempt: async () => ++attempt,
    },
  })
  await job.run()
  return [...sink.records].sort((a, b) => a - b)
}

describe('a job with checkpoints', () => {
  test('gives each result once, however often it fails', async () => {
    const expected = await run(1, 1, [])
    assert.equal(expected.length, 200)
    for (let seed = 1; seed <= 40; seed++) {
      const crashAt = [30 + seed * 3, 100 + seed * 7, 200 + seed, 300, 420 + seed * 2]
      assert.deepEqual(await run(seed, 1 + (seed % 3), crashAt), expected, `seed ${seed}`)
    }
  })
})
