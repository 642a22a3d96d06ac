// A thread of a job beside the main one: makes its subtasks of each region when it is told to, steps them, and reports what becomes of them.
import type { Clock } from '../../../base/clock.ts'
import { errorText } from '../../../base/errors.ts'
import type { Logger } from '../../../base/logger.ts'
import type { ConnectorResolver } from '../../../model/connector.ts'
import type { EndMode } from '../../../operators/operator.ts'
import type { Chain, PhysicalPlan } from '../../../plan/physical-plan.ts'
import { RingReader } from '../../../platform/ring/ring-reader.ts'
import { RingWriter } from '../../../platform/ring/ring-writer.ts'
import { ThreadWake } from '../../../platform/ring/thread-wake.ts'
import type { CheckpointStore } from '../../../recovery/snapshot/checkpoint-store.ts'
import type { TaskSnapshot } from '../../../recovery/snapshot/manifest.ts'
import { type Deployment, type DeploymentInit, deploy } from '../../../runtime/deployment.ts'
import type { Scheduler } from '../../../runtime/event-loop-scheduler.ts'
import { explainNoOutput } from '../../../runtime/explain-no-output.ts'
import { readMetrics } from '../../../runtime/job-metrics.ts'
import { taskId } from '../../../runtime/job-task.ts'
import { splitStatesOf } from '../../../runtime/source-positions.ts'
import type { Steppable } from '../../../runtime/steppable.ts'
import type { Task } from '../../../runtime/task.ts'
import { type Placement, placeSubtasks } from './placement.ts'
import { RingExchange } from './ring-exchange.ts'
import { sendError } from './sent-error.ts'
import type { Command, DeployCommand, Readings, Report, RingPlace } from './thread-messages.ts'

/** What a member is made of. */
export interface CrewMemberInit {
  readonly plan: PhysicalPlan
  /** The text of its graph, for comparison. */
  readonly graph: string
  /** Which thread it is, from 1. */
  readonly thread: number
  readonly threads: number
  readonly connectors: ConnectorResolver
  readonly clock: Clock
  readonly logger: Logger
  readonly scheduler: Scheduler
  readonly seed: number
  readonly channelCapacityRecords: number
  /** Where threads sleep, by thread. */
  readonly wakes: readonly SharedArrayBuffer[]
  /** Reads snapshots; undefined where the job takes none. */
  readonly store: CheckpointStore | undefined
  /** Sends a report; memory in `transfer` moves to the main thread. */
  report(report: Report, transfer?: readonly ArrayBuffer[]): void
  /** Ends the thread. */
  exit(): void
}

/** What the thread has of a region. */
interface Region {
  readonly attempt: number
  deployment: Deployment | undefined
  exchange: RingExchange | undefined
  /** True once it was closed. It is kept for what it counted until it is deployed again. */
  isClosed: boolean
}

/** Carries out the commands of the main thread, one after the other. */
export class CrewMember {
  private readonly init: CrewMemberInit
  private readonly placement: Placement
  private readonly wakes: readonly ThreadWake[]
  private readonly regions = new Map<number, Region>()
  private isStarted = false
  /** Commands that take their time are carried out in order. */
  private last: Promise<void> = Promise.resolve()

  constructor(init: CrewMemberInit) {
    this.init = init
    this.placement = placeSubtasks(init.plan, init.threads)
    this.wakes = init.wakes.map(memory => new ThreadWake(memory))
  }

  get graph(): string {
    return this.init.graph
  }

  /** Tells the main thread what was counted so far. */
  reportReadings(): void {
    const isAnyOpen = [...this.regions.values()].some(({ isClosed }) => !isClosed)
    if (isAnyOpen) this.init.report({ kind: 'readings', readings: this.readings() })
  }

  obey(command: Command): void {
    switch (command.kind) {
      case 'deploy':
        this.inTurn(() => this.deploy(command))
        return
      case 'close':
        this.halt(command.region)
        this.inTurn(() => this.close(command.region))
        return
      case 'start':
        this.start(command.region)
        return
      case 'halt':
        this.halt(command.region)
        return
      case 'trigger':
        this.task(command.region, command.task)?.trigger(command.barrier)
        break
      case 'settle':
        this.task(command.region, command.task)?.settle(command.snapshotId, command.outcome)
        break
      case 'stop':
        this.task(command.region, command.task)?.stop(command.mode)
        break
      case 'exit':
        this.init.scheduler.halt()
        this.init.exit()
        return
    }
    this.init.scheduler.wake()
  }

  private inTurn(action: () => Promise<void>): void {
    this.last = this.last.then(action)
  }

  private async deploy(command: DeployCommand): Promise<void> {
    const { region, attempt } = command
    const deployed: Region = { attempt, deployment: undefined, exchange: undefined, isClosed: false }
    this.regions.set(region, deployed)
    try {
      const deployment = await deploy(this.deploymentInit(command))
      deployed.deployment = deployment
      for (const task of deployment.tasks) await task.open()
      deployed.exchange = this.exchangeOf(deployment, command)
      this.init.report({ kind: 'deployed', region, attempt, tasks: deployment.tasks.map(taskId) })
    } catch (error) {
      this.init.report({ kind: 'deploy-failed', region, attempt, error: sendError(error) })
    }
  }

  private deploymentInit({ region, attempt, chains, splits, from, snapshots, owner }: DeployCommand): DeploymentInit {
    const { plan, connectors, clock, logger, seed, channelCapacityRecords, scheduler, store, report, thread } =
      this.init
    const send = (task: Task, snapshotId: number, snapshot: TaskSnapshot, end: EndMode | undefined): void => {
      const place = { region, attempt, task: taskId(task) }
      report({ kind: 'snapshot', ...place, snapshotId, snapshot, end }, movableMemory(snapshot))
    }
    return {
      plan,
      connectors,
      clock,
      logger,
      seed,
      channelCapacityRecords,
      wake: () => scheduler.wake(),
      chains: chains.map(id => plan.chains[id] as Chain),
      isHere: (chain, subtask) => this.placement(chain, subtask) === thread,
      splits,
      owner,
      attempt,
      ...(from === undefined || store === undefined
        ? {}
        : { restore: { manifest: from, readRows: store.readRows.bind(store) } }),
      ...(snapshots === undefined
        ? {}
        : {
            snapshots: {
              ...snapshots,
              onSnapshot: (task, snapshotId, snapshot) => send(task, snapshotId, snapshot, undefined),
              onFinalSnapshot: (task, snapshot, end) => send(task, 0, snapshot, end),
            },
          }),
    }
  }

  private exchangeOf({ crossings }: Deployment, { rings, attempt }: DeployCommand): RingExchange {
    return connectRings({ crossings, rings, epoch: attempt, thread: this.init.thread, wakes: this.wakes }, () =>
      this.init.scheduler.wake(),
    )
  }

  private start(index: number): void {
    const region = this.openRegion(index)
    if (region?.deployment === undefined || region.exchange === undefined) return
    const { tasks } = region.deployment
    for (const task of tasks) task.start()
    const steppables = [...tasks, region.exchange]
    const { scheduler } = this.init
    if (this.isStarted) scheduler.add(steppables)
    else {
      this.isStarted = true
      scheduler.start(steppables, {
        onTaskFinished: task => this.onTaskFinished(task),
        onFailure: (error, task) => this.onFailure(error, task),
      })
    }
  }

  private halt(index: number): void {
    const region = this.regions.get(index)
    if (region === undefined) return
    const { deployment, exchange } = region
    for (const task of deployment?.tasks ?? []) task.halt()
    exchange?.halt()
    this.init.scheduler.remove([...(deployment?.tasks ?? []), ...(exchange === undefined ? [] : [exchange])])
  }

  private async close(index: number): Promise<void> {
    const region = this.openRegion(index)
    let failure: unknown
    for (const task of region?.deployment?.tasks ?? []) {
      this.reportSplits(index, task)
      try {
        await task.close()
      } catch (error) {
        if (failure === undefined) failure = error
        else this.init.logger.log('warn', 'closing a task failed', { task: task.name, error: errorText(error) })
      }
    }
    if (region !== undefined) region.isClosed = true
    const readings = this.readings()
    const error = failure === undefined ? undefined : sendError(failure)
    this.init.report({ kind: 'closed', region: index, error, readings })
  }

  // What cannot be told is as good as lost with the thread, which is not worth failing for.
  private reportSplits(region: number, task: Task): void {
    const { logger, report } = this.init
    try {
      const states = splitStatesOf(task)
      const attempt = this.regions.get(region)?.attempt ?? 0
      if (states !== undefined) report({ kind: 'split-states', region, attempt, task: taskId(task), states })
    } catch (error) {
      logger.log('warn', 'how far a source has read cannot be told', { task: task.name, error: errorText(error) })
    }
  }

  private onTaskFinished(steppable: Steppable): void {
    for (const [region, { attempt, deployment }] of this.regions) {
      const task = deployment?.tasks.find(candidate => candidate === steppable)
      if (task === undefined) continue
      this.reportReadings()
      this.init.report({ kind: 'finished', region, attempt, task: taskId(task), end: task.end() })
    }
  }

  private onFailure(error: unknown, steppable: Steppable | undefined): void {
    for (const [index, region] of this.regions) {
      const isItsTask = region.deployment?.tasks.some(task => task === steppable) === true
      if (steppable !== undefined && !isItsTask && region.exchange !== steppable) continue
      this.halt(index)
      this.init.report({ kind: 'failed', attempt: region.attempt, region: index, error: sendError(error) })
    }
  }

  private task(region: number, id: string): Task | undefined {
    return this.openRegion(region)?.deployment?.tasks.find(task => taskId(task) === id)
  }

  private openRegion(index: number): Region | undefined {
    const region = this.regions.get(index)
    return region?.isClosed === false ? region : undefined
  }

  private readings(): Readings {
    const { plan, clock } = this.init
    const deployments = [...this.regions.values()].flatMap(({ deployment }) => deployment ?? [])
    const all: Deployment = {
      plan,
      tasks: deployments.flatMap(({ tasks }) => tasks),
      exchanges: deployments.flatMap(({ exchanges }) => exchanges),
      crossings: deployments.flatMap(({ crossings }) => crossings),
    }
    return { metrics: readMetrics(all), noOutput: explainNoOutput(all, clock.now()) }
  }
}

/** The ends of rings that a thread has. */
export interface RingEnds {
  readonly crossings: Deployment['crossings']
  readonly rings: readonly RingPlace[]
  readonly epoch: number
  readonly thread: number
  readonly wakes: readonly ThreadWake[]
}

/** Joins the channels that cross threads to their rings. */
export function connectRings({ crossings, rings, epoch, thread, wakes }: RingEnds, wake: () => void): RingExchange {
  const ownWake = wakes[thread] as ThreadWake
  const ends = crossings.map(crossing => {
    const ring = rings.find(
      ({ exchange, sender, receiver }) =>
        exchange === crossing.exchange.id && sender === crossing.sender && receiver === crossing.receiver,
    ) as RingPlace
    const other = crossing.side === 'out' ? ring.receiverThread : ring.senderThread
    return { crossing, end: { memory: ring.memory, epoch, ownWake, otherWake: wakes[other] as ThreadWake } }
  })
  return new RingExchange({
    outs: ends
      .filter(({ crossing }) => crossing.side === 'out')
      .map(({ crossing, end }) => ({ crossing, writer: new RingWriter(end) })),
    ins: ends
      .filter(({ crossing }) => crossing.side === 'in')
      .map(({ crossing, end }) => ({ crossing, reader: new RingReader(end) })),
    ownWake,
    wake,
  })
}

// The buffers of keyed parts are made for one snapshot and let go of; what other parts hand in may be used again.
function movableMemory({ operators }: TaskSnapshot): readonly ArrayBuffer[] {
  const keyed = operators.flatMap(({ parts }) => parts.filter(({ kind }) => kind === 'keyed'))
  const buffers = keyed.flatMap(({ sections }) => sections.map(({ bytes }) => bytes.buffer as ArrayBuffer))
  return [...new Set(buffers)]
}
