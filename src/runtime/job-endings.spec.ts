// How a job says that it ended when a stop comes at, or after, the end of its input: what it says is what its last snapshot says.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { silentLogger } from '../base/logger.ts'
import { checkpointSettings } from '../model/checkpoint-options.ts'
import { GraphBuilder } from '../model/graph-builder.ts'
import { planGraph } from '../plan/plan.ts'
import { CheckpointStore } from '../recovery/snapshot/checkpoint-store.ts'
import type { Manifest } from '../recovery/snapshot/manifest.ts'
import { memoryStorage } from '../recovery/snapshot/memory-storage.ts'
import { customConnectors, customSink, valuesSource } from '../testing/collections.ts'
import { transactionalCollection } from '../testing/simulation/transactional-collection.ts'
import { JobRun } from './job-run.ts'
import { SimulatedScheduler, VirtualClock } from './simulated-scheduler.ts'

const RECORDS = 60

interface Ending {
  readonly status: string
  /** False when the job had ended before that step. */
  readonly isStopped: boolean
  readonly lastKind: Manifest['kind'] | undefined
  readonly written: number
}

/** Runs two sources of a job that is stopped before the given step. */
async function stoppedAt(stopStep: number, seed: number, isCheckpointed: boolean): Promise<Ending> {
  const sink = transactionalCollection<number>()
  let plainWritten = 0
  const plain = { open: () => ({ write: () => void plainWritten++, close: () => {} }) }
  const graph = new GraphBuilder()
  for (const name of ['a', 'b']) {
    const values = Array.from({ length: RECORDS / 2 }, (_, n) => n)
    graph.addVertex({ name, operator: { kind: 'source', source: valuesSource(values) } })
  }
  const spec = isCheckpointed ? customSink(sink.sink as never, { delivery: 'transactional' }) : customSink(plain)
  graph.addVertex({ name: 'sink', operator: { kind: 'sink', sink: spec } })
  for (const from of [0, 1]) graph.addEdge({ from, to: 2, partitioning: { kind: 'shuffle' } })
  const clock = new VirtualClock(0)
  const store = new CheckpointStore({ storage: memoryStorage(), job: 'ending', logger: silentLogger })
  let last: Manifest | undefined
  let steps = 0
  const recovery = {
    settings: checkpointSettings({ intervalMs: 1000 }),
    store,
    restart: { kind: 'none' },
    from: undefined,
    nextId: 1,
    latest: async () => undefined,
    noteEnding: async (manifest: Manifest) => {
      last = manifest
    },
    claimAttempt: async () => 1,
  } as const
  const run: JobRun = new JobRun({
    plan: planGraph(graph.build('ending', { parallelism: 1 })),
    connectors: customConnectors,
    clock,
    logger: silentLogger,
    scheduler: new SimulatedScheduler({
      seed,
      clock,
      recordsPerStepMax: 5,
      beforeStep: () => {
        if (++steps === stopStep) run.stop()
        return true
      },
    }),
    seed,
    channelCapacityRecords: 8,
    recovery: isCheckpointed ? recovery : undefined,
  })
  const { status } = await run.run()
  return {
    status,
    isStopped: steps >= stopStep,
    lastKind: last?.kind,
    written: isCheckpointed ? sink.records.length : plainWritten,
  }
}

describe('a stop', () => {
  for (const isCheckpointed of [true, false]) {
    test(`that comes when the input has ended says finished, ${isCheckpointed ? 'with' : 'without'} checkpoints`, async () => {
      const counts = { finished: 0, stopped: 0 }
      for (let seed = 1; seed <= 10; seed++) {
        for (let step = 1; step <= 80; step++) {
          const { status, isStopped, lastKind, written } = await stoppedAt(step, seed, isCheckpointed)
          assert.ok(status === 'finished' || status === 'stopped', status)
          if (isStopped) counts[status]++
          const where = `seed ${seed}, stopped at step ${step}`
          if (isCheckpointed) assert.equal(lastKind, status === 'finished' ? 'final' : 'checkpoint', where)
          if (status === 'finished') assert.equal(written, RECORDS, where)
        }
      }
      assert.ok(counts.finished > 20 && counts.stopped > 50, JSON.stringify(counts))
    })
  }
})
