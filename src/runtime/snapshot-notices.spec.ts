// What readers hear of snapshots while a job runs: the positions of those that are complete, in their order, and of no other; and what a source
// that cannot go back says of records that are lost.
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import type { Logger } from '../base/logger.ts'
import { Prng } from '../base/prng.ts'
import type { Storage } from '../base/storage.ts'
import { checkpointSettings } from '../model/checkpoint-options.ts'
import type { ReaderContext, Source, SourceSpec, Split, SplitReader } from '../model/connector.ts'
import { GraphBuilder } from '../model/graph-builder.ts'
import { fixedDelay } from '../model/restart-strategy.ts'
import { planGraph } from '../plan/plan.ts'
import { CheckpointStore } from '../recovery/snapshot/checkpoint-store.ts'
import type { Manifest, ManifestPart } from '../recovery/snapshot/manifest.ts'
import { memoryStorage } from '../recovery/snapshot/memory-storage.ts'
import { readValue } from '../serde/value-codec.ts'
import { customConnectors, customSink, customSource } from '../testing/collections.ts'
import { JobRun } from './job-run.ts'
import { SimulatedScheduler, VirtualClock } from './simulated-scheduler.ts'

const RECORDS = 200
const SPLITS = 3

/** What a reader heard, in the order of events. */
interface Notice {
  readonly splitId: string
  /** Which reader of the split it was, from 1. */
  readonly reader: number
  readonly position: number
}

/** Counts up, some numbers at a time with pauses between them. Each split ends at another number. */
class PacedNumbers implements Source<number, number> {
  readonly notices: Notice[] = []
  private readonly readers = new Map<string, number>()

  splits(): readonly Split<number>[] {
    return Array.from({ length: SPLITS }, (_, index) => ({ id: `split ${index}`, position: 0 }))
  }

  open({ id, position }: Split<number>, { clock }: ReaderContext): SplitReader<number, number> {
    const { notices, readers } = this
    const number = (readers.get(id) ?? 0) + 1
    readers.set(id, number)
    const end = RECORDS / (1 + Number(id.slice(6)))
    let next = position
    const reader = {
      wakeAtMs: 0,
      read(output: { emit(record: number): boolean }) {
        if (clock.now() < reader.wakeAtMs) return 'waiting' as const
        for (let count = 0; count < 5 && next < end; count++) if (!output.emit(next++)) return 'more' as const
        reader.wakeAtMs = clock.now() + 40
        return next < end ? ('waiting' as const) : ('end' as const)
      },
      position: () => next,
      onSnapshotComplete: (told: number) => void notices.push({ splitId: id, reader: number, position: told }),
      close: () => {},
    }
    return reader
  }
}

interface RunOptions {
  readonly seed: number
  readonly source: (numbers: PacedNumbers) => SourceSpec
  /** The share of manifests that cannot be stored. */
  readonly failing: number
  /** The sink fails at so many records in all. */
  readonly failsAt?: number
}

interface Ran {
  readonly notices: readonly Notice[]
  readonly manifests: readonly Manifest[]
  readonly store: CheckpointStore
  readonly warnings: readonly { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[]
  readonly aborted: number
}

async function run({ seed, source, failing, failsAt = Infinity }: RunOptions): Promise<Ran> {
  const prng = new Prng(seed)
  const numbers = new PacedNumbers()
  const warnings: { message: string; fields: Readonly<Record<string, unknown>> }[] = []
  const logger: Logger = {
    log: (level, message, fields = {}) => void (level === 'warn' && warnings.push({ message, fields })),
  }
  const memory = memoryStorage()
  // The final one is tried a few times only.
  let refusals = 0
  const storage: Storage = {
    ...memory,
    put: async (name, bytes) => {
      if (name.includes('manifest') && prng.below(100) < failing * 100 && refusals < 3) {
        refusals++
        throw new Error('the storage does not answer')
      }
      if (name.includes('manifest')) refusals = 0
      return memory.put(name, bytes)
    },
  }
  const store = new CheckpointStore({ storage, job: 'notices', logger, retained: 1000 })
  const graph = new GraphBuilder()
  graph.addVertex({ name: 'numbers', operator: { kind: 'source', source: source(numbers) } })
  let written = 0
  const write = (): void => {
    if (++written === failsAt) throw new Error('the sink is broken')
  }
  graph.addVertex({
    name: 'sink',
    operator: { kind: 'sink', sink: customSink({ open: () => ({ write, close: () => {} }) }) },
  })
  graph.addEdge({ from: 0, to: 1, partitioning: { kind: 'rebalance' } })
  const clock = new VirtualClock(0)
  const manifests: Manifest[] = []
  const job = new JobRun({
    plan: planGraph(graph.build('notices', { parallelism: 1 })),
    connectors: customConnectors,
    clock,
    logger,
    scheduler: new SimulatedScheduler({ seed, clock, recordsPerStepMax: 7 }),
    seed,
    channelCapacityRecords: 8,
    recovery: {
      settings: checkpointSettings({ intervalMs: 100, tolerableFailures: Infinity }),
      store,
      restart: fixedDelay({ attempts: 3, delayMs: 10 }),
      from: undefined,
      nextId: 1,
      latest: async () => manifests.at(-1),
      noteEnding: async () => {},
      claimAttempt: async () => 1,
      onCheckpoint: manifest => void manifests.push(manifest),
    },
  })
  await job.run()
  const aborted = warnings.filter(({ message }) => message.includes('a snapshot failed')).length
  return { notices: numbers.notices, manifests, store, warnings, aborted }
}

/** The positions of a split in the snapshots, in their order. */
async function positionsOf({ store, manifests }: Ran, splitId: string): Promise<number[]> {
  const positions: number[] = []
  for (const { operators } of manifests) {
    const part = operators[0]?.parts.find(({ name }) => name === 'splits') as ManifestPart
    await store.readRows(part, { all: true }, (_schema, _keyGroup, _identity, payload) => {
      const { id, position } = readValue(payload) as { readonly id: string; readonly position: number }
      if (id === splitId) positions.push(position)
    })
  }
  return positions
}

describe('a reader', () => {
  test('hears of each snapshot that is complete, of no other, and of the last at the end', async () => {
    let aborted = 0
    for (let seed = 1; seed <= 40; seed++) {
      const ran = await run({ seed, source: numbers => customSource(numbers), failing: seed % 2 === 0 ? 0.6 : 0 })
      aborted += ran.aborted
      assert.ok(ran.manifests.length > 1, `seed ${seed}: ${ran.manifests.length} snapshots`)
      for (let split = 0; split < SPLITS; split++) {
        const splitId = `split ${split}`
        const told = ran.notices.filter(notice => notice.splitId === splitId).map(({ position }) => position)
        assert.deepEqual(told, await positionsOf(ran, splitId), `seed ${seed}, ${splitId}`)
        assert.equal(told.at(-1), Math.ceil(RECORDS / (1 + split)))
      }
    }
    assert.ok(aborted > 20, `${aborted} snapshots failed`)
  })

  test('hears after a restart of the snapshots that are taken since', async () => {
    let restarts = 0
    for (let seed = 1; seed <= 40; seed++) {
      const ran = await run({ seed, source: numbers => customSource(numbers), failing: 0.3, failsAt: 20 + 6 * seed })
      for (let split = 0; split < SPLITS; split++) {
        const of = ran.notices.filter(({ splitId }) => splitId === `split ${split}`)
        const told = of.map(({ position }) => position)
        // What is complete never goes back, over restarts too.
        assert.deepEqual(
          told,
          [...told].sort((a, b) => a - b),
          `seed ${seed}`,
        )
        if (new Set(of.map(({ reader }) => reader)).size > 1) restarts++
      }
    }
    assert.ok(restarts > 20, `${restarts} restarts`)
  })

  test('that fails when it hears of a snapshot does not fail the job', async () => {
    const ran = await run({
      seed: 1,
      failing: 0,
      source: numbers =>
        customSource({
          splits: () => numbers.splits(),
          open: (split, context) =>
            Object.assign(numbers.open(split as Split<number>, context), {
              onSnapshotComplete: () => {
                throw new Error('nobody acknowledges')
              },
            }),
        }),
    })
    assert.equal(ran.manifests.at(-1)?.kind, 'final')
    const [warning] = ran.warnings
    assert.match(
      warning?.message ?? '',
      /"numbers".* the reader of split \d failed when it was told of a complete snapshot/,
    )
    assert.deepEqual(warning?.fields, { error: 'nobody acknowledges' })
  })
})

describe('a source that cannot go back', () => {
  const lost = ({ warnings }: Ran) => warnings.filter(({ message }) => message.includes('cannot be given again'))

  test('says at a restart how many records are lost', async () => {
    const ran = await run({
      seed: 3,
      failing: 0,
      failsAt: 90,
      source: numbers => customSource(numbers, { isReplayable: false }),
    })
    const [first, ...others] = lost(ran)
    assert.deepEqual(others, [])
    const records = first?.fields['records'] as number
    // An interval has up to 3 splits, 3 pauses and 5 records each, and the channel holds some more.
    assert.ok(records > 0 && records <= 90, `${records} records`)
  })

  test('says nothing where nothing is lost', async () => {
    const unreplayable = (numbers: PacedNumbers) => customSource(numbers, { isReplayable: false })
    assert.deepEqual(lost(await run({ seed: 3, failing: 0, source: unreplayable })), [])
    const logged = (numbers: PacedNumbers) => customSource(numbers, { isReplayable: false, isLogged: true })
    assert.deepEqual(lost(await run({ seed: 3, failing: 0, failsAt: 90, source: logged })), [])
    assert.deepEqual(lost(await run({ seed: 3, failing: 0, failsAt: 90, source: n => customSource(n) })), [])
  })
})
