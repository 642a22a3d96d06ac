// From a plan to tasks and channels, ready to be scheduled. Pure: clock, randomness and connectors are given.
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import { Prng } from '../base/prng.ts'
import type { CheckpointMode } from '../model/checkpoint-options.ts'
import type { ConnectorResolver, Split } from '../model/connector.ts'
import type { Vertex } from '../model/graph.ts'
import type { Capacity, EndMode } from '../operators/operator.ts'
import type { SplitState } from '../operators/source.ts'
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
  /** Which subtasks are in this thread; all unless given. */
  readonly isHere?: (chain: Chain, subtaskIndex: number) => boolean
  /** The splits of chains that begin with a source, by chain; the sources are asked unless given. */
  readonly splits?: ReadonlyMap<number, FirstSplits>
  /** Where sources go on instead of what the snapshot says of them, by chain: what they had read is not read again. */
  readonly resumeAt?: ReadonlyMap<number, readonly SplitState[]>
  /** Tells the job from others of its name. */
  readonly owner?: string | undefined
  /** Which attempt of the job it is, from 1; 1 unless given. */
  readonly attempt?: number
}

/** How the tasks of a job take snapshots. */
export interface SnapshotInit {
  readonly mode: CheckpointMode
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

/** A channel of which one end is in another thread. */
export interface Crossing {
  readonly exchange: Exchange
  readonly sender: number
  readonly receiver: number
  readonly channel: Channel
  /** The end that is here: `out`, the sender; `in`, the receiver. */
  readonly side: 'out' | 'in'
  /** Of an `in`: whether what comes from the other thread finds room. */
  readonly room: Capacity
}

/** A job's tasks and channels. */
export interface Deployment {
  readonly plan: PhysicalPlan
  readonly tasks: readonly Task[]
  readonly exchanges: readonly DeployedExchange[]
  /** The channels to and from other threads. */
  readonly crossings: readonly Crossing[]
}

/** Makes the tasks of a plan that are in this thread; asks the sources for their splits. */
export async function deploy(init: DeploymentInit): Promise<Deployment> {
  const { plan } = init
  const { chains = plan.chains, isHere = () => true } = init
  const crossings: Crossing[] = []
  const capacities = plan.chains.map(chain => chain.subtasks.map(emptyCapacity))
  const exchanges = plan.exchanges
    .filter(exchange => chains.some(chain => chain.id === exchange.fromChain))
    .map(exchange => makeChannels({ ...init, isHere }, exchange, capacities, crossings))
  const alignment = new AlignmentCoordinator()
  const splits = init.splits ?? (await splitsOf(init))
  const isResumed = [...splits.values()].some(({ resumed }) => resumed !== undefined)
  const tasks: Task[] = []
  for (const chain of chains) {
    const { splits: first, known: knownSplits, resumed } = splits.get(chain.id) ?? NO_SPLITS
    for (const { index } of chain.subtasks) {
      if (!isHere(chain, index)) continue
      const isOwn = (_: unknown, position: number): boolean => position % chain.parallelism === index
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
        splits: first.filter(isOwn),
        knownSplits,
        resumedSplits: resumed?.filter(isOwn),
        isAtMostOnce: init.snapshots?.mode === 'at-most-once',
        isCheckpointed: init.snapshots !== undefined,
        owner: init.owner,
        attempt: init.attempt ?? 1,
        startedFromId: init.restore?.manifest.id,
        barrierMode: barrierMode(init.snapshots?.mode),
        alignmentTimeoutMs: init.snapshots?.alignmentTimeoutMs ?? Infinity,
        snapshots: snapshotEvents(init, () => task),
      })
      if (init.restore !== undefined) await restoreTask(task, init.restore, { isResumed })
      tasks.push(task)
    }
  }
  return { plan, tasks, exchanges, crossings }
}

// Where records are lost after a failure, state that is of one moment would be worth nothing.
function barrierMode(mode: CheckpointMode = 'exactly-once'): BarrierMode {
  return mode === 'exactly-once' ? 'exactly-once' : 'at-least-once'
}

function emptyCapacity(): Capacity {
  return { blocked: 0, budget: 0, untilMonotonicMs: Infinity, isTimeNews: false }
}

/** Asks the sources of the chains for the splits that they begin with. */
export async function splitsOf(init: DeploymentInit): Promise<ReadonlyMap<number, FirstSplits>> {
  const splits = new Map<number, FirstSplits>()
  for (const chain of init.chains ?? init.plan.chains) splits.set(chain.id, await splitsOfChain(init, chain))
  return splits
}

function snapshotEvents({ snapshots }: DeploymentInit, task: () => Task): SnapshotEvents | undefined {
  if (snapshots === undefined) return undefined
  return {
    onSnapshot: (snapshotId, snapshot) => snapshots.onSnapshot(task(), snapshotId, snapshot),
    onFinalSnapshot: (snapshot, end) => snapshots.onFinalSnapshot(task(), snapshot, end),
  }
}

/** The splits that a source begins with, or that are new since the snapshot; and the ids of these and of those in the snapshot. */
export interface FirstSplits {
  readonly splits: readonly Split[]
  readonly known: ReadonlySet<string>
  /** Those that were read before a failure, and go on where they had got to; undefined: they go on from the snapshot. */
  readonly resumed?: readonly SplitState[] | undefined
}

const NO_SPLITS: FirstSplits = { splits: [], known: new Set() }

async function splitsOfChain(init: DeploymentInit, chain: Chain): Promise<FirstSplits> {
  const root = init.plan.graph.vertices[chain.vertices[0] as number] as Vertex
  if (root.operator.kind !== 'source') return NO_SPLITS
  try {
    const source = init.connectors.source(root.operator.source)
    const resumed = init.resumeAt?.get(chain.id)
    const old = resumed === undefined ? await splitsOfSnapshot(init, root) : new Set(resumed.map(({ id }) => id))
    const splits = old === undefined ? await source.splits(chain.parallelism) : ((await source.newSplits?.(old)) ?? [])
    return { splits, known: new Set([...(old ?? []), ...splits.map(split => split.id)]), resumed }
  } catch (error) {
    throw stepError(atStep(root, 'SOURCE_FAILED', error), '')
  }
}

async function splitsOfSnapshot(
  { restore }: DeploymentInit,
  { uid }: Vertex,
): Promise<ReadonlySet<string> | undefined> {
  return restore === undefined ? undefined : knownSplits(restore, uid)
}

function makeChannels(
  init: DeploymentInit & Required<Pick<DeploymentInit, 'isHere'>>,
  exchange: Exchange,
  capacities: readonly (readonly Capacity[])[],
  crossings: Crossing[],
): DeployedExchange {
  const { plan, channelCapacityRecords, isHere } = init
  const { edge } = exchange
  const from = plan.chains[exchange.fromChain] as Chain
  const to = plan.chains[exchange.toChain] as Chain
  const target = plan.graph.vertices[edge.to] as Vertex
  const channels = from.subtasks.map(sender =>
    to.subtasks.map((receiver): Channel | undefined => {
      if (!isConnected(exchange, sender.index, receiver.index, from.parallelism, to.parallelism)) return undefined
      const isSenderHere = isHere(from, sender.index)
      const isReceiverHere = isHere(to, receiver.index)
      if (!isSenderHere && !isReceiverHere) return undefined
      const name = `${plan.graph.vertices[edge.from]?.name}[${sender.index}] -> ${target.name}[${receiver.index}]`
      // A feedback channel is full at its own limit, however little the others hold: beyond it the loop fails.
      const loopCapacity =
        edge.isFeedback && target.operator.kind === 'feedback' ? target.operator.queuedRecordsMax : undefined
      const limit =
        loopCapacity === undefined ? overshootLimit(name, channelCapacityRecords) : feedbackLimit(name, loopCapacity)
      const make = init.makeChannel ?? ((channel: ChannelInit) => new Channel(channel))
      const senderRoom = isSenderHere
        ? ((capacities[from.id] as Capacity[])[sender.index] as Capacity)
        : emptyCapacity()
      const channel = make({
        name,
        capacityRecords: loopCapacity ?? channelCapacityRecords,
        hasTimestamps: exchange.columns.includes('timestamp'),
        hasKeys: exchange.columns.includes('key'),
        hasRetractions: exchange.columns.includes('change'),
        senderCapacity: edge.isFeedback ? undefined : senderRoom,
        ...limit,
      })
      if (isSenderHere && isReceiverHere) return channel
      const side = isSenderHere ? 'out' : 'in'
      crossings.push({ exchange, sender: sender.index, receiver: receiver.index, channel, side, room: senderRoom })
      return channel
    }),
  )
  return { exchange, channels }
}

/** Whether two subtasks talk over an exchange. */
export function isConnected(
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
