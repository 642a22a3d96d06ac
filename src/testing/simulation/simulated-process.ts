// One process of a simulated job: from its start, at whatever snapshot it finds, to its end or its death. The same code runs as in
// production; clock, scheduler, randomness and disk are simulated.
import type { Logger } from '../../base/logger.ts'
import { Prng } from '../../base/prng.ts'
import type { Files } from '../../base/storage.ts'
import { checkpointSettings } from '../../model/checkpoint-options.ts'
import type { ConnectorResolver } from '../../model/connector.ts'
import type { Graph } from '../../model/graph.ts'
import { exponentialDelay } from '../../model/restart-strategy.ts'
import { planGraph } from '../../plan/plan.ts'
import { claimAttempt } from '../../recovery/snapshot/attempts.ts'
import { CheckpointStore } from '../../recovery/snapshot/checkpoint-store.ts'
import { fileStorage } from '../../recovery/snapshot/file-storage.ts'
import type { Manifest } from '../../recovery/snapshot/manifest.ts'
import { findStart, newestSinceBeginning, noteEnding } from '../../recovery/start/find-start.ts'
import { CHANNEL_CAPACITY_RECORDS_DEFAULT } from '../../runtime/deployment.ts'
import { JobRun } from '../../runtime/job-run.ts'
import { SimulatedScheduler, type VirtualClock } from '../../runtime/simulated-scheduler.ts'
import type { Steppable } from '../../runtime/steppable.ts'
import { checkedGraph } from '../mutation-functions.ts'
import { MutationLedger } from '../mutation-ledger.ts'
import type { SimulatedFiles } from '../simulated-files.ts'
import { FragileFiles } from './fragile-files.ts'
import { LateChannel } from './late-channel.ts'

/** The directory of the job on the simulated disk. */
export const JOB_DIRECTORY = 'job'
/** Where savepoints are. */
export const SAVEPOINTS_DIRECTORY = 'savepoints'
/** Complete checkpoints that are kept. */
export const RETAINED_CHECKPOINTS = 2

/** Turns of pending promises before it counts as certain that only time can bring anything. */
const PROMISE_TURNS = 50

/** How a process ended. */
export type ProcessOutcome =
  | { readonly kind: 'ended'; readonly status: 'finished' | 'stopped' | 'cancelled' }
  | { readonly kind: 'killed' }
  | { readonly kind: 'failed'; readonly error: unknown }

/** What a process is made of. */
export interface ProcessInit {
  readonly graph: Graph
  readonly connectors: (files: Files) => ConnectorResolver
  readonly files: SimulatedFiles
  readonly clock: VirtualClock
  readonly logger: Logger
  readonly seed: number
  readonly checkpointIntervalMs: number
  readonly stepsMax: number
  /** True to look for records and objects of state that are changed where they may not be: the process then fails. */
  readonly checkMutations?: boolean
  /** A savepoint to start from, on the simulated disk; undefined: from the newest checkpoint. */
  readonly savepoint: string | undefined
  /** Called before each step and each call to the disk; it may kill the process, or throw to fail the task. */
  readonly beforeStep: (process: SimulatedProcess, task: Steppable) => boolean
  readonly beforeCall: (process: SimulatedProcess, call: string) => void
  /** How long a call to the disk takes. */
  readonly delay: () => Promise<void>
  /** Called for each snapshot that is complete. */
  readonly onCheckpoint: (manifest: Manifest) => void
}

/** A process. */
export class SimulatedProcess {
  readonly channels: LateChannel[] = []
  steps = 0
  run: JobRun | undefined
  store: CheckpointStore | undefined
  /** The savepoint that it left. */
  savepoint: string | undefined
  /** True once its tasks run. */
  isRunning = false
  private readonly init: ProcessInit
  private readonly ledger: MutationLedger | undefined
  private readonly fragile: FragileFiles
  private scheduler: SimulatedScheduler | undefined
  private readonly savepoints: Promise<void>[] = []
  private stopsInto: string | undefined
  private isDead = false
  private tellDeath: (() => void) | undefined
  private readonly death = new Promise<void>(resolve => {
    this.tellDeath = resolve
  })

  constructor(init: ProcessInit) {
    this.init = init
    this.ledger = init.checkMutations === true ? new MutationLedger() : undefined
    this.fragile = new FragileFiles(
      init.files,
      call => {
        init.beforeCall(this, call)
        return !this.isDead
      },
      init.delay,
    )
  }

  /** Runs to the end, or to death. */
  async live(): Promise<ProcessOutcome> {
    const life = this.work().then(
      (status): ProcessOutcome => ({ kind: 'ended', status }),
      (error: unknown): ProcessOutcome => ({ kind: 'failed', error }),
    )
    const end = Promise.race([life, this.death.then((): ProcessOutcome => ({ kind: 'killed' }))])
    let isOver = false
    const noteEnd = (): void => {
      isOver = true
    }
    end.then(noteEnd, noteEnd)
    while (!isOver) await this.passTime()
    const outcome = await end
    this.ledger?.checkAll()
    const mistake = this.ledger?.mistake(outcome.kind === 'failed' ? outcome.error : undefined)
    return mistake === undefined ? outcome : { kind: 'failed', error: mistake }
  }

  // While its tasks run the scheduler moves the clock; before and after, those who sleep are all there is.
  private async passTime(): Promise<void> {
    for (let turn = 0; turn < PROMISE_TURNS; turn++) await Promise.resolve()
    const { clock } = this.init
    if (this.scheduler?.isRunning !== true && clock.nextWakeMs() < Infinity) clock.advanceTo(clock.nextWakeMs())
  }

  /** Takes a savepoint while the job goes on. */
  takeSavepoint(path: string): Promise<void> {
    const write = async (): Promise<void> => {
      const manifest = await this.run?.snapshot('savepoint')
      if (manifest !== undefined) await this.store?.writeSavepoint(fileStorage(this.fragile, path), manifest)
    }
    const taken = write()
    this.savepoints.push(taken)
    return taken
  }

  /** Stops the job; what it leaves becomes a savepoint. */
  stopWithSavepoint(path: string): void {
    this.stopsInto = path
    this.run?.stop()
  }

  /** Ends the process where it stands. */
  kill(): void {
    if (this.isDead) return
    this.isDead = true
    this.fragile.die()
    this.scheduler?.halt()
    this.tellDeath?.()
  }

  private async work(): Promise<'finished' | 'stopped' | 'cancelled'> {
    const { graph, clock, logger, seed, savepoint, stepsMax, checkpointIntervalMs } = this.init
    const { ledger } = this
    const plan = planGraph(ledger === undefined ? graph : checkedGraph(graph, ledger))
    const storage = fileStorage(this.fragile, JOB_DIRECTORY)
    const store = new CheckpointStore({ storage, job: graph.name, retained: RETAINED_CHECKPOINTS, logger })
    this.store = store
    const from = savepoint === undefined ? 'newest' : fileStorage(this.fragile, savepoint)
    const start = await findStart(store, { graph, from, allowUnmapped: false, renames: {}, logger, storage })
    const scheduler = new SimulatedScheduler({
      seed,
      clock,
      recordsPerStepMax: 1 + new Prng(seed).below(16),
      stepsMax,
      beforeStep: task => {
        this.steps++
        return this.init.beforeStep(this, task)
      },
    })
    this.scheduler = scheduler
    const settings = checkpointSettings({ intervalMs: checkpointIntervalMs, timeoutMs: 600_000, ...alignmentOf(seed) })
    const nextId = await store.nextId()
    const run = new JobRun({
      plan,
      connectors: this.init.connectors(this.fragile),
      clock,
      logger,
      scheduler,
      seed,
      channelCapacityRecords: Math.min(CHANNEL_CAPACITY_RECORDS_DEFAULT, 1 + new Prng(seed + 1).below(64)),
      makeChannel: init => {
        const channel = new LateChannel(init, () => this.steps, ledger)
        this.channels.push(channel)
        return channel
      },
      recovery: {
        settings,
        store,
        restart: exponentialDelay({ initialMs: 10, maxMs: 100, attempts: 1000 }),
        from: start,
        nextId,
        latest: () => newestSinceBeginning(store, storage),
        noteEnding: manifest => noteEnding(storage, manifest),
        claimAttempt: () => claimAttempt(storage),
        onCheckpoint: manifest => {
          ledger?.checkAll()
          this.init.onCheckpoint(manifest)
        },
      },
    })
    this.run = run
    this.isRunning = true
    const { status } = await run.run()
    await Promise.allSettled(this.savepoints)
    if (status === 'stopped' && this.stopsInto !== undefined) {
      const newest = await newestSinceBeginning(store, storage)
      if (newest !== undefined) {
        await store.writeSavepoint(fileStorage(this.fragile, this.stopsInto), newest)
        this.savepoint = this.stopsInto
      }
    }
    return status
  }
}

// Who compares state with the input before it counts what is in the parts `in-flight` too: barriers may have overtaken it.
// A third of the processes lets barriers overtake at once, a third after a while, a third never.
function alignmentOf(seed: number): { readonly isUnaligned?: boolean; readonly alignmentTimeoutMs?: number } {
  switch (seed % 3) {
    case 0:
      return { isUnaligned: true }
    case 1:
      return { alignmentTimeoutMs: 1 + (seed % 7) }
    default:
      return {}
  }
}
