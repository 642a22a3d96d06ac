// Splits that appear while the job runs: each is read once, by the subtask that its id falls on, through failures, stops and rescaling.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { silentLogger } from '../base/logger.ts'
import type { Storage } from '../base/storage.ts'
import { checkpointSettings } from '../model/checkpoint-options.ts'
import type { ReadStatus, Source, SourceOutput, SplitReader } from '../model/connector.ts'
import { GraphBuilder } from '../model/graph-builder.ts'
import { fixedDelay } from '../model/restart-strategy.ts'
import { planGraph } from '../plan/plan.ts'
import { CheckpointStore } from '../recovery/snapshot/checkpoint-store.ts'
import { memoryStorage } from '../recovery/snapshot/memory-storage.ts'
import { findStart, newestSinceBeginning } from '../recovery/start/find-start.ts'
import { customConnectors, customSink, customSource } from '../testing/collections.ts'
import {
  type TransactionalCollection,
  transactionalCollection,
} from '../testing/simulation/transactional-collection.ts'
import { JobRun } from './job-run.ts'
import { SimulatedScheduler, VirtualClock } from './simulated-scheduler.ts'

const SPLITS = 12
const RECORDS_PER_SPLIT = 15
const APPEARS_EVERY_MS = 7
const DISCOVER_EVERY_MS = 5
const EXPECTED = Array.from({ length: SPLITS * RECORDS_PER_SPLIT }, (_, n) => n)

/** What the readers of a growing source were told, over all lives of the job. */
interface Openings {
  /** The ids that were opened at their beginning, in order. */
  readonly begun: string[]
  open: number
  attempts: number
}

/** A source whose n-th split appears after n times `APPEARS_EVERY_MS`; each has an end. */
function growingSource(clock: VirtualClock, openings: Openings): Source<number, number> {
  const there = (): string[] => {
    const count = Math.min(SPLITS, 1 + Math.floor(clock.monotonicMs() / APPEARS_EVERY_MS))
    return Array.from({ length: count }, (_, index) => `split ${index}`)
  }
  const splitOf = (id: string) => ({ id, position: 0 })
  return {
    splits: () => there().map(splitOf),
    newSplits: async known => {
      await Promise.resolve()
      return there()
        .filter(id => !known.has(id))
        .map(splitOf)
    },
    open: async ({ id, position }) => {
      if (position === 0) openings.begun.push(id)
      openings.open++
      await Promise.resolve()
      return new CountingReader(Number(id.slice(6)) * RECORDS_PER_SPLIT, position, () => openings.open--)
    },
  }
}

class CountingReader implements SplitReader<number, number> {
  private readonly first: number
  private readonly onClose: () => void
  private next: number

  constructor(first: number, position: number, onClose: () => void) {
    this.first = first
    this.next = position
    this.onClose = onClose
  }

  read(output: SourceOutput<number>): ReadStatus {
    while (this.next < RECORDS_PER_SPLIT) if (!output.emit(this.first + this.next++)) return 'more'
    return 'end'
  }

  position(): number {
    return this.next
  }

  close(): void {
    this.onClose()
  }
}

interface Life {
  readonly seed: number
  readonly parallelism: number
  readonly storage: Storage
  readonly clock: VirtualClock
  readonly sink: TransactionalCollection<number>
  readonly openings: Openings
  /** The steps at which a task fails. */
  readonly crashAt: readonly number[]
  readonly isEnough: () => boolean
}

/** One run of the job, until it is enough; it ends with a last checkpoint. */
async function live({ seed, parallelism, storage, clock, sink, openings, crashAt, isEnough }: Life): Promise<void> {
  const graph = new GraphBuilder()
  const source = customSource(growingSource(clock, openings))
  const read = graph.addVertex({
    name: 'growing',
    operator: { kind: 'source', source: { ...source, isBounded: false, discoverEveryMs: DISCOVER_EVERY_MS } },
  })
  const written = graph.addVertex({
    name: 'sink',
    operator: { kind: 'sink', sink: customSink(sink.sink as never, { delivery: 'transactional' }) },
  })
  graph.addEdge({ from: read.id, to: written.id })
  const built = graph.build('growing', { parallelism })
  const store = new CheckpointStore({ storage, job: 'growing', logger: silentLogger })
  const from = await findStart(store, {
    graph: built,
    from: 'newest',
    allowUnmapped: false,
    renames: {},
    storage,
    logger: silentLogger,
  })
  let steps = 0
  const scheduler = new SimulatedScheduler({
    seed,
    clock,
    recordsPerStepMax: 4,
    stepsMax: 100_000,
    beforeStep: task => {
      if (++steps % 10 === 0) clock.advanceTo(clock.now() + 1)
      if (isEnough()) run.stop()
      if (task.name !== 'checkpoints' && crashAt.includes(steps)) throw new Error('crash')
      return true
    },
  })
  const run: JobRun = new JobRun({
    plan: planGraph(built),
    connectors: customConnectors,
    clock,
    logger: silentLogger,
    scheduler,
    seed,
    channelCapacityRecords: 8,
    recovery: {
      settings: checkpointSettings({ intervalMs: 3 }),
      store,
      restart: fixedDelay({ attempts: 100, delayMs: 1 }),
      from,
      nextId: await store.nextId(),
      latest: () => newestSinceBeginning(store, storage),
      noteEnding: async () => {},
      claimAttempt: async () => ++openings.attempts,
    },
  })
  assert.equal((await run.run()).status, 'stopped')
}

describe('new splits', () => {
  test('are each read once, through failures and at another parallelism after each stop', async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const clock = new VirtualClock(0)
      const sink = transactionalCollection<number>()
      const openings: Openings = { begun: [], open: 0, attempts: 0 }
      const storage = memoryStorage()
      for (const [life, parallelism] of [1 + (seed % 3), 1 + ((seed + 1) % 4), 3].entries()) {
        const isEnough = (): boolean =>
          life === 2 ? sink.records.length >= EXPECTED.length : sink.records.length >= 40 * (life + 1)
        const crashAt = life === 2 ? [] : [40 + seed * 3, 90 + seed * 5, 170]
        await live({ seed, parallelism, storage, clock, sink, openings, crashAt, isEnough })
        assert.equal(openings.open, 0, `seed ${seed}: readers left open`)
      }
      assert.deepEqual(
        [...sink.records].sort((a, b) => a - b),
        EXPECTED,
        `seed ${seed}`,
      )
    }
  })

  test('are opened by one subtask only, also those that the job began with', async () => {
    const clock = new VirtualClock(APPEARS_EVERY_MS * 4)
    const sink = transactionalCollection<number>()
    const openings: Openings = { begun: [], open: 0, attempts: 0 }
    const isEnough = (): boolean => sink.records.length >= EXPECTED.length
    await live({ seed: 5, parallelism: 4, storage: memoryStorage(), clock, sink, openings, crashAt: [], isEnough })
    assert.deepEqual(openings.begun.slice(0, 5).sort(), ['split 0', 'split 1', 'split 2', 'split 3', 'split 4'])
    assert.equal(new Set(openings.begun).size, SPLITS)
    assert.equal(openings.begun.length, SPLITS)
  })
})
