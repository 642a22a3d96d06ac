// Runs a whole job in virtual time, its steps in an order that one seed decides. It neither waits for real time nor reads it; the same
// seed repeats the run. Faults (lost messages, restarts) are no part of it.
import { type Logger, silentLogger } from '../base/logger.ts'
import type { ConnectorResolver } from '../model/connector.ts'
import type { Graph } from '../model/graph.ts'
import type { JobMetrics, JobResult, NoOutput } from '../model/job.ts'
import { planGraph } from '../plan/plan.ts'
import type { ChannelInit } from '../runtime/channel.ts'
import { CHANNEL_CAPACITY_RECORDS_DEFAULT } from '../runtime/deployment.ts'
import { JobRun } from '../runtime/job-run.ts'
import { SimulatedScheduler, VirtualClock } from '../runtime/simulated-scheduler.ts'
import { customConnectors } from './collections.ts'
import { CheckedChannel } from './mutation-channel.ts'
import { checkedGraph } from './mutation-functions.ts'
import { MutationLedger } from './mutation-ledger.ts'

/** What a test can do to a job while it runs. */
export interface SimulatedJob {
  readonly clock: VirtualClock
  stop(mode?: 'stop' | 'drain'): void
  cancel(): void
  metrics(): JobMetrics
  /** Why nothing comes out, as of a running job's handle. */
  explainNoOutput(): readonly NoOutput[]
}

/** What decides a simulated run. */
export interface SimulateOptions {
  /** Decides the order of steps, how much each may do, and shuffles. */
  readonly seed: number
  /** Resolves sources and sinks; `custom` ones only unless given. */
  readonly connectors?: ConnectorResolver
  /** The processing time at the start, epoch ms; 0 unless given. */
  readonly startMs?: number
  /** Records of one step at most; each step gets a random number up to it. 8 unless given. */
  readonly recordsPerStepMax?: number
  /** Records that a channel holds before its sender waits. */
  readonly channelCapacityRecords?: number
  /** Steps after which the run counts as endless and fails. */
  readonly stepsMax?: number
  readonly logger?: Logger
  /**
   * True to look for records that are changed after they were emitted, and for objects of state that are changed where they may not be.
   * It makes the run slower.
   */
  readonly checkMutations?: boolean
  /** Called once before the first step; keep the job to stop it, to cancel it or to read it while it runs. */
  readonly onStart?: (job: SimulatedJob) => void
}

/** What a simulated run came to. */
export interface SimulatedRun {
  readonly result: JobResult
  /** Identifies the order of steps: equal for equal runs. */
  readonly stepOrderHash: number
  /** The counters at the end. */
  readonly metrics: JobMetrics
}

/**
 * Runs the graph to its end under one seed. Rejects with the job's first failure, or with INTERNAL_ERROR naming the seed when the run
 * is stuck or does not end. With `checkMutations` it rejects with RECORD_MUTATED and STATE_MUTATED too.
 */
export async function simulateRun(graph: Graph, options: SimulateOptions): Promise<SimulatedRun> {
  const { seed, startMs = 0, recordsPerStepMax, stepsMax } = options
  const clock = new VirtualClock(startMs)
  const scheduler = new SimulatedScheduler({
    seed,
    clock,
    ...(recordsPerStepMax === undefined ? {} : { recordsPerStepMax }),
    ...(stepsMax === undefined ? {} : { stepsMax }),
  })
  const ledger = options.checkMutations === true ? new MutationLedger() : undefined
  const run = new JobRun({
    plan: planGraph(ledger === undefined ? graph : checkedGraph(graph, ledger)),
    connectors: options.connectors ?? customConnectors,
    clock,
    logger: options.logger ?? silentLogger,
    scheduler,
    seed,
    channelCapacityRecords: options.channelCapacityRecords ?? CHANNEL_CAPACITY_RECORDS_DEFAULT,
    ...(ledger === undefined ? {} : { makeChannel: (init: ChannelInit) => new CheckedChannel(init, ledger) }),
  })
  options.onStart?.({
    clock,
    stop: mode => run.stop(mode),
    cancel: () => run.cancel(),
    metrics: () => run.metrics(),
    explainNoOutput: () => run.explainNoOutput(),
  })
  const result = await judged(run.run(), ledger)
  return { result, stepOrderHash: scheduler.stepOrderHash, metrics: run.metrics() }
}

/** The result, unless something was changed in place: that says more than what came of it. */
async function judged<R>(result: Promise<R>, ledger: MutationLedger | undefined): Promise<R> {
  const [outcome] = await Promise.allSettled([result])
  ledger?.checkAll()
  const mistake = ledger?.mistake(outcome.status === 'rejected' ? outcome.reason : undefined)
  if (mistake !== undefined) throw mistake
  return result
}
