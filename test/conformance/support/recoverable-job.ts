// Runs jobs that take checkpoints, one after the other, in virtual time over one simulated disk: each goes on from what the one before
// left, with the start options of production. It injects no faults; jobs of the tests fail by themselves.
import type { Logger } from '../../../src/base/logger.ts'
import { portableConnectors } from '../../../src/connectors/portable.ts'
import { type CheckpointOptions, checkpointSettings } from '../../../src/model/checkpoint-options.ts'
import type { Graph } from '../../../src/model/graph.ts'
import type { JobResult, LaunchOptions } from '../../../src/model/job.ts'
import { fixedDelay } from '../../../src/model/restart-strategy.ts'
import { planGraph } from '../../../src/plan/plan.ts'
import { claimAttempt } from '../../../src/recovery/snapshot/attempts.ts'
import { CheckpointStore } from '../../../src/recovery/snapshot/checkpoint-store.ts'
import { fileStorage } from '../../../src/recovery/snapshot/file-storage.ts'
import type { Manifest } from '../../../src/recovery/snapshot/manifest.ts'
import { readSavepoint } from '../../../src/recovery/snapshot/savepoint.ts'
import { findStart, newestSinceBeginning, noteEnding } from '../../../src/recovery/start/find-start.ts'
import { type RowFilter, readSnapshotRows, type SnapshotRow } from '../../../src/recovery/start/inspect.ts'
import { JobRun } from '../../../src/runtime/job-run.ts'
import { SimulatedScheduler, VirtualClock } from '../../../src/runtime/simulated-scheduler.ts'
import { SimulatedFiles } from '../../../src/testing/simulated-files.ts'

/** Restarts that a job may have before it counts as broken. */
const RESTARTS_MAX = 20
/** Turns of pending promises before it counts as certain that only time can bring anything. */
const PROMISE_TURNS = 50

const connectors = portableConnectors({ text: { write: () => {} } })

/** What outlasts a job. */
export class Machine {
  readonly files = new SimulatedFiles()
  readonly clock = new VirtualClock(1_000_000_000_000)

  /** The rows of a savepoint that the filter asks for. */
  async rows(savepoint: string, filter: RowFilter): Promise<readonly SnapshotRow[]> {
    const rows: SnapshotRow[] = []
    await readSnapshotRows(await this.open(savepoint), filter, row => rows.push(row))
    return rows
  }

  /** The manifest of a savepoint. */
  async manifest(savepoint: string): Promise<Manifest> {
    return (await this.open(savepoint)).manifest
  }

  private open(savepoint: string): ReturnType<typeof readSavepoint> {
    return readSavepoint(fileStorage(this.files, savepoint))
  }
}

/** How a job is run. */
export interface RecoverableInit extends Pick<LaunchOptions, 'from' | 'allowUnmapped' | 'renames'> {
  readonly machine: Machine
  readonly graph: Graph
  /** Decides the order of steps. */
  readonly seed: number
  /** The directory of the job; `job` unless given. */
  readonly directory?: string
  /** None but those asked for, and the last one, unless given. */
  readonly checkpoints?: CheckpointOptions
  readonly channelCapacityRecords?: number
}

/** A job that runs. */
export class RecoverableJob {
  readonly done: Promise<JobResult>
  /** What made it restart, in the order in which it came. */
  readonly failures: readonly string[]
  /** Warnings of its start and its run. */
  readonly warnings: readonly string[]
  /** The complete snapshots. */
  readonly snapshots: readonly Manifest[]
  private readonly machine: Machine
  private readonly run: JobRun
  private readonly store: CheckpointStore

  private constructor(machine: Machine, parts: Parts, { failures, warnings, snapshots }: Told) {
    this.machine = machine
    this.run = parts.run
    this.store = parts.store
    this.failures = failures
    this.warnings = warnings
    this.snapshots = snapshots
    this.done = driven(parts, machine.clock)
    // A test that waits for something else hears of a failure there.
    this.done.catch(() => {})
  }

  /** Starts a job; resolves when its tasks run. Rejects as the start of a job in production does. */
  static async start(init: RecoverableInit): Promise<RecoverableJob> {
    const told: Told = { failures: [], warnings: [], snapshots: [] }
    const parts = await makeRun(init, told)
    const job = new RecoverableJob(init.machine, parts, told)
    const isOver = noting(job.done)
    // Time passes for whoever sleeps until tasks run, so the test must not sleep before.
    while (!parts.scheduler.isRunning && !isOver()) await Promise.resolve()
    return job
  }

  /** Stops it, or drains it; what it leaves becomes a savepoint. */
  async stopWithSavepoint(savepoint: string, mode: 'stop' | 'drain' = 'stop'): Promise<JobResult> {
    this.run.stop(mode)
    const result = await this.done
    await this.keep(savepoint, this.snapshots.at(-1) as Manifest)
    return result
  }

  /** Takes a savepoint while it goes on. */
  async takeSavepoint(savepoint: string): Promise<void> {
    await this.keep(savepoint, await this.run.snapshot('savepoint'))
  }

  /** The rows of its newest snapshot that the filter asks for. */
  async rows(filter: RowFilter): Promise<readonly SnapshotRow[]> {
    const { store } = this
    const manifest = this.snapshots.at(-1) as Manifest
    const rows: SnapshotRow[] = []
    await readSnapshotRows({ manifest, readRows: store.readRows.bind(store) }, filter, row => rows.push(row))
    return rows
  }

  /** Ends it as a kill would: what is left is the newest checkpoint. */
  async cancel(): Promise<void> {
    this.run.cancel()
    await this.done
  }

  /** Resolves when something holds. Rejects when the job ends before. */
  async until(isSo: () => boolean): Promise<void> {
    const isOver = noting(this.done)
    while (!isSo()) {
      if (isOver()) throw new Error(`the job ended with ${(await this.done).status} before`)
      await this.machine.clock.sleep(1)
    }
  }

  private keep(savepoint: string, manifest: Manifest): Promise<void> {
    return this.store.writeSavepoint(fileStorage(this.machine.files, savepoint), manifest)
  }
}

interface Told {
  readonly failures: string[]
  readonly warnings: string[]
  readonly snapshots: Manifest[]
}

interface Parts {
  readonly run: JobRun
  readonly scheduler: SimulatedScheduler
  readonly store: CheckpointStore
}

async function makeRun(init: RecoverableInit, told: Told): Promise<Parts> {
  const { graph, seed, machine, directory = 'job', from = 'newest', allowUnmapped = false, renames = {} } = init
  const { files, clock } = machine
  const logger = listening(told)
  const storage = fileStorage(files, directory)
  const store = new CheckpointStore({ storage, job: graph.name, retained: 3, logger })
  const start = from === 'newest' || from === 'beginning' ? from : fileStorage(files, from)
  const manifest = await findStart(store, { graph, from: start, allowUnmapped, renames, logger, storage })
  const nextId = await store.nextId()
  const scheduler = new SimulatedScheduler({ seed, clock })
  const run = new JobRun({
    plan: planGraph(graph),
    connectors,
    clock,
    logger,
    scheduler,
    seed,
    channelCapacityRecords: init.channelCapacityRecords ?? 64,
    recovery: {
      // Where nothing but a disk is waited for, time goes on to whatever comes next: it must not be the time-out.
      settings: checkpointSettings({ intervalMs: Infinity, timeoutMs: Infinity, ...init.checkpoints }),
      store,
      restart: fixedDelay({ attempts: RESTARTS_MAX, delayMs: 5 }),
      from: manifest,
      nextId,
      latest: () => newestSinceBeginning(store, storage),
      noteEnding: last => noteEnding(storage, last),
      claimAttempt: () => claimAttempt(storage),
      onCheckpoint: taken => told.snapshots.push(taken),
    },
  })
  return { run, scheduler, store }
}

// The log says of each restart what led to it.
function listening({ failures, warnings }: Told): Logger {
  return {
    log: (level, text, fields) => {
      if (text.startsWith('the job failed')) failures.push(String(fields?.error))
      else if (level === 'warn') warnings.push(text)
    },
  }
}

/** Runs the job to its end, through times in which nothing steps its tasks. */
async function driven({ run, scheduler }: Parts, clock: VirtualClock): Promise<JobResult> {
  const end = run.run()
  const isOver = noting(end)
  while (!isOver()) {
    for (let turn = 0; turn < PROMISE_TURNS; turn++) await Promise.resolve()
    if (!scheduler.isRunning && clock.nextWakeMs() < Infinity) clock.advanceTo(clock.nextWakeMs())
  }
  return end
}

/** Whether a promise is settled, as a function. */
function noting(promise: Promise<unknown>): () => boolean {
  let isSettled = false
  const note = (): void => {
    isSettled = true
  }
  promise.then(note, note)
  return () => isSettled
}
