// From a plan to tasks and channels, ready to be scheduled. Pure: clock, randomness and connectors are given.
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import { Prng } from '../base/prng.ts'
import type { ConnectorResolver, Split } from '../model/connector.ts'
import type { Vertex } from '../model/graph.ts'
import type { Capacity, EndMode } from '../operators/operator.ts'
import { atStep, stepError } from '../operators/user-failure.ts'
import type { Chain, Exchange, PhysicalPlan } from '../plan/physical-plan.ts'
import type { TaskSnapshot } from '../recovery/snapshot/manifest.ts'
import { AlignmentCoordinator } from '../time/alignment-coordinator.ts'
import type { BarrierMode } from './barrier-aligner.ts'
import type { OutputEdge } from './chain-instance.ts'
import { Channel, type ChannelInit, feedbackLimit, overshootLimit } from './channel.ts'
import type { InputChannel } from './input-channel.ts'
import { TaskMailbox } from './mailbox.ts'
import { knownSplits, type RestoreInit, restoreTask } from './restore.ts'
import { Task } from './task.ts'
import type { SnapshotEvents } from './task-snapshots.ts'

/** Records that a channel holds before its sender waits, unless a job says else. */
export const CHANNEL_CAPACITY_RECORDS_DEFAULT = 1024

/** What the tasks of a job get from outside. */
export interface DeploymentInit {
  readonly plan: PhysicalPlan
  readonly connectors: ConnectorResolver
  readonly clock: Clock
  readonly logger: Logger
  /** Seeds shuffles. */
  readonly seed: number
  readonly channelCapacityRecords: number
  /** Called when something asynchronous gave a task work. */
  readonly wake: () => void
  /** The chains to deploy, which exchange records with no others; all of the plan unless given. */
  readonly chains?: readonly Chain[]
  readonly snapshots?: SnapshotInit
  /** Makes the channels between tasks; a simulator has some that deliver late. */
  readonly makeChannel?: (init: ChannelInit) => Channel
  /** Where state comes from; from nowhere unless given. */
  readonly restore?: RestoreInit
  /** Tells the job from others of its name. */
  readonly owner?: string | undefined
  /** Which attempt of the job it is, from 1; 1 unless given. */
  readonly attempt?: number
}

/** How the tasks of a job take snapshots. */
export interface SnapshotInit {
  readonly mode: BarrierMode
  /** After so long (ms) a barrier overtakes that waits for others; Infinity for never. */
  readonly alignmentTimeoutMs: number
  onSnapshot(task: Task, snapshotId: number, snapshot: TaskSnapshot): void
  onFinalSnapshot(task: Task, snapshot: TaskSnapshot, end: EndMode): void
}

/** The channels of one exchange, by sending and receiving subtask; undefined where the two do not talk. */
export interface DeployedExchange {
  readonly exchange: Exchange
  readonly channels: readonly (readonly (Channel | undefined)[])[]
}

/** A job's tasks and channels. */
export interface Deployment {
  readonly plan: PhysicalPlan
  readonly tasks: readonly Task[]
  readonly exchanges: readonly DeployedExchange[]
}

/** Makes all tasks of a plan; asks the sources for their splits. */
export async function deploy(init: DeploymentInit): Promise<Deployment> {
  const { plan } = init
  const capacities = plan.chains.map(chain =>
    chain.subtasks.map((): Capacity => ({ blocked: 0, budget: 0, untilMonotonicMs: Infinity, isTimeNews: false })),
  )
  const { chains = plan.chains } = init
  const exchanges = plan.exchanges
    .filter(exchange => chains.some(chain => chain.id === exchange.fromChain))
    .map(exchange => makeChannels(init, exchange, capacities))
  const alignment = new AlignmentCoordinator()
  const tasks: Task[] = []
  for (const chain of chains) {
    const { splits, known: knownSplits } = await splitsOf(init, chain)
    for (const { index } of chain.subtasks) {
      const task: Task = new Task({
        graph: plan.graph,
        chain,
        subtaskIndex: index,
        outputs: outputsOf(exchanges, chain, index),
        inputs: inputsOf(exchanges, chain, index),
        capacity: (capacities[chain.id] as Capacity[])[index] as Capacity,
        mailbox: new TaskMailbox(init.wake),
        clock: init.clock,
        logger: init.logger,
        prng: new Prng(init.seed + chain.id * 7919 + index),
        connectors: init.connectors,
        alignment,
        splits: splits.filter((_, position) => position % chain.parallelism === index),
        knownSplits,
        isCheckpointed: init.snapshots !== undefined,
        owner: init.owner,
        attempt: init.attempt ?? 1,
        startedFromId: init.restore?.manifest.id,
        barrierMode: init.snapshots?.mode ?? 'exactly-once',
        alignmentTimeoutMs: init.snapshots?.alignmentTimeoutMs ?? Infinity,
        snapshots: snapshotEvents(init, () => task),
      })
      if (init.restore !== undefined) await restoreTask(task, init.restore)
      tasks.push(task)
    }
  }
  return { plan, tasks, exchanges }
}

function snapshotEvents({ snapshots }: DeploymentInit, task: () => Task): SnapshotEvents | undefined {
  if (snapshots === undefined) return undefined
  return {
    onSnapshot: (snapshotId, snapshot) => snapshots.onSnapshot(task(), snapshotId, snapshot),
    onFinalSnapshot: (snapshot, end) => snapshots.onFinalSnapshot(task(), snapshot, end),
  }
}

/** The splits that a source begins with, or that are new since the snapshot; and the ids of these and of those in the snapshot. */
interface FirstSplits {
  readonly splits: readonly Split[]
  readonly known: ReadonlySet<string>
}

async function splitsOf(init: DeploymentInit, chain: Chain): Promise<FirstSplits> {
  const root = init.plan.graph.vertices[chain.vertices[0] as number] as Vertex
  if (root.operator.kind !== 'source') return { splits: [], known: new Set() }
  try {
    const source = init.connectors.source(root.operator.source)
    const old = init.restore === undefined ? undefined : await knownSplits(init.restore, root.uid)
    const splits = old === undefined ? await source.splits(chain.parallelism) : ((await source.newSplits?.(old)) ?? [])
    return { splits, known: new Set([...(old ?? []), ...splits.map(split => split.id)]) }
  } catch (error) {
    throw stepError(atStep(root, 'SOURCE_FAILED', error), '')
  }
}

function makeChannels(
  init: DeploymentInit,
  exchange: Exchange,
  capacities: readonly (readonly Capacity[])[],
): DeployedExchange {
  const { plan, channelCapacityRecords } = init
  const { edge } = exchange
  const from = plan.chains[exchange.fromChain] as Chain
  const to = plan.chains[exchange.toChain] as Chain
  const target = plan.graph.vertices[edge.to] as Vertex
  const channels = from.subtasks.map(sender =>
    to.subtasks.map((receiver): Channel | undefined => {
      if (!isConnected(exchange, sender.index, receiver.index, from.parallelism, to.parallelism)) return undefined
      const name = `${plan.graph.vertices[edge.from]?.name}[${sender.index}] -> ${target.name}[${receiver.index}]`
      // A feedback channel is full at its own limit, however little the others hold: beyond it the loop fails.
      const loopCapacity =
        edge.isFeedback && target.operator.kind === 'feedback' ? target.operator.queuedRecordsMax : undefined
      const limit =
        loopCapacity === undefined ? overshootLimit(name, channelCapacityRecords) : feedbackLimit(name, loopCapacity)
      const make = init.makeChannel ?? ((channel: ChannelInit) => new Channel(channel))
      return make({
        name,
        capacityRecords: loopCapacity ?? channelCapacityRecords,
        hasTimestamps: exchange.columns.includes('timestamp'),
        hasKeys: exchange.columns.includes('key'),
        hasRetractions: exchange.columns.includes('change'),
        senderCapacity: edge.isFeedback ? undefined : (capacities[from.id] as Capacity[])[sender.index],
        ...limit,
      })
    }),
  )
  return { exchange, channels }
}

function isConnected(
  exchange: Exchange,
  sender: number,
  receiver: number,
  senders: number,
  receivers: number,
): boolean {
  switch (exchange.edge.partitioning.kind) {
    case 'forward':
      return sender === receiver
    case 'local-or-shuffle':
      return senders !== receivers || sender === receiver
    case 'global':
      return receiver === 0
    case 'rescale':
      // Each subtask talks to a local share of the other side (as Flink's pointwise distribution).
      return senders < receivers
        ? Math.floor((receiver * senders) / receivers) === sender
        : Math.floor((sender * receivers) / senders) === receiver
    default:
      return true
  }
}

function outputsOf(exchanges: readonly DeployedExchange[], chain: Chain, subtaskIndex: number): readonly OutputEdge[] {
  return exchanges
    .filter(({ exchange }) => exchange.fromChain === chain.id)
    .map(({ exchange, channels }) => ({
      edge: exchange.edge,
      channels: (channels[subtaskIndex] ?? []).filter(channel => channel !== undefined),
    }))
}

function inputsOf(exchanges: readonly DeployedExchange[], chain: Chain, subtaskIndex: number): readonly InputChannel[] {
  return exchanges
    .filter(({ exchange }) => exchange.toChain === chain.id)
    .flatMap(({ exchange, channels }) =>
      channels.flatMap((row): InputChannel[] => {
        const channel = row[subtaskIndex]
        return channel === undefined
          ? []
          : [{ input: exchange.edge.input, channel, isFeedback: exchange.edge.isFeedback }]
      }),
    )
}
